"""The golden traces: what the programs in `traces/` do, as tables that a person can read.

    python tests/tracer/golden.py [--record]

compares them with what this Python gives, or writes them anew; it needs nothing but the standard
library.
"""

import difflib
import platform
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from programs import GOLDEN, golden_program

from tracer.schema import Program, Trace
from tracer.table import table_rows
from tracer.trace import traced
from tracer.values import render


def table(program: Program) -> str:
    """One line per event: line, kind, statement, changes; and how the run ended."""
    run, events = traced(program)
    trace = Trace("", program.source, "", program.call, "", run.outcome, run.flags, "", events)
    rows = [
        (line, kind, first_line(text), changes) for line, kind, text, changes in table_rows(trace)
    ]
    width = max(len(statement) for _, _, statement, _ in rows)
    lines = [f"{l:>3}  {k:<9}  {s:<{width}}  {c}".rstrip() for l, k, s, c in rows]
    error = f": {render(run.error)}" if run.error else ""
    return "\n".join([*lines, " ".join([run.outcome, *run.flags]) + error, ""])


def first_line(statement: str) -> str:
    first, *rest = statement.split("\n")
    return f"{first} ..." if rest else first


def main(record: bool) -> int:
    wrong = 0
    for path in GOLDEN:
        found, file = table(golden_program(path)), path.with_suffix(".txt")
        if record:
            file.write_text(found)
        recorded = file.read_text()
        wrong += found != recorded
        lines = difflib.unified_diff(recorded.splitlines(), found.splitlines(), file.name, "found")
        print(*lines, sep="\n", end="\n" if found != recorded else "")
    print(f"Python {platform.python_version()}: {len(GOLDEN) - wrong} of {len(GOLDEN)} agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main("--record" in sys.argv))
