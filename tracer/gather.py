"""`python -m tracer.gather FOLDER OUT`: trace records of several files as one dataset.

FOLDER holds files of a record a line, such as a run of tests leaves behind when it was killed, and
is removed when the dataset is complete. A record that repeats another but for its id is left out.
"""

import argparse
import hashlib
import json
import platform
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tracer.corpora.split import group, split
from tracer.derive import derive
from tracer.layout import Layout
from tracer.schema import Program, Trace, frames, load_trace
from tracer.store import SPLITS, Writer


def gather(folder: Path, out: Path) -> dict[str, Counter]:
    """Write the dataset; what is in it, by split."""
    writer = Writer(out, Layout())
    outcomes: dict[str, Counter] = {name: Counter() for name in SPLITS}
    counts: dict[str, Counter] = {name: Counter() for name in SPLITS}
    functions = set()
    try:
        for trace in records(folder):
            name = split(group(Program(trace.source, trace.input, trace.origin)))
            writer.write_trace(name, trace)
            functions.add(trace.origin)
            outcomes[name][trace.outcome] += 1
            counts[name] += count(trace)
        derive(writer, seed=0)
        about = folder / "config.json"
        manifest = {
            "config": json.loads(about.read_text()) if about.is_file() else {},
            "python": platform.python_version(),
            "functions": len(functions),
            "outcomes": outcomes,
            "counts": counts,
            "sandbox": "none",  # they ran in the process of their tests
        }
        writer.finish(manifest)
    except BaseException:
        writer.abandon()
        raise
    shutil.rmtree(folder)
    return counts


def records(folder: Path) -> Iterator[Trace]:
    seen = set()
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            digest = hashlib.sha256(line.partition(b'"source"')[2]).digest()
            # A line without its end is the last that was written by a process that was killed.
            if digest not in seen and line.endswith(b"\n"):
                seen.add(digest)
                yield load_trace(line)


def count(trace: Trace) -> Counter:
    """Trajectories, steps, values that were looked at anew, and how many of them are whole."""
    counts = Counter(traces=1)
    for events in frames(trace).values():
        known = {}
        for event in events:
            new = [value for name, value in event.locals.items() if known.get(name) is not value]
            new += [] if event.arg is None else [event.arg]
            counts["values"] += len(new)
            counts["values_whole"] += sum(value.whole for value in new)
            known = event.locals
        counts["trajectories"] += 1
        counts["steps"] += len(events)
    counts["truncated"] += "trace_truncated" in trace.flags
    return counts


def summary(counts: dict[str, Counter]) -> str:
    total = sum(counts.values(), Counter())
    whole = total["values_whole"] / max(1, total["values"])
    return (
        f"{total['traces']} calls with {total['trajectories']} frames and {total['steps']} events; "
        f"{whole:.2%} of {total['values']} values are whole, {total['truncated']} calls cut off"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tracer.gather", description=__doc__)
    parser.add_argument("folder", type=Path, help="with records")
    parser.add_argument("out", type=Path, help="the dataset; must not be there")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"error: no folder {options.folder}")
    try:
        print(summary(gather(options.folder, options.out)))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
