"""Traces as rows of a table that other people's tools open: JSONL or Parquet.

One row is one executed program. Its events are a list of structs with all locals in full, each with
its type and repr, to be read and queried, and as the JSON of the exact typed value. No column is
ever null, so that whoever guesses types from the first rows of a JSONL file guesses right: "" is
none. What the columns cannot hold exactly, lone surrogates mostly, stands in `exact` too.
"""

import gzip
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tracer.corpora.jsonl import read_jsonl
from tracer.cwm import Options, write
from tracer.parquet import Row, read_parquet, write_parquet
from tracer.schema import VERSION, Event, Trace, dump_trace, load_trace
from tracer.store import SPLITS, Dataset
from tracer.values import Value, render

VALUE = {"type": str, "repr": str, "value": str}
EVENT = {"kind": str, "scope": int, "depth": int, "lineno": int, "statement": str}
TEXTS = ("id", "origin", "entry", "input", "outcome", "flags", "python", "stdout", "source")
TRACE = {
    "version": str,
    "split": str,  # of the dataset that it comes from
    **dict.fromkeys(TEXTS, str),
    "n_events": int,
    "events": [{**EVENT, "locals": [{"name": str, **VALUE}], "arg": VALUE}],
    "exact": str,
}
TEXT = {"split": str, "id": str, "origin": str, "text": str}
SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz")

_NONE = dict.fromkeys(VALUE, "")


def row(trace: Trace, split: str = "") -> Row:
    """A trace as a row of the columns of TRACE."""
    cells: dict[int, dict[str, str]] = {}  # by id: most values are those of the event before
    found = {
        "version": VERSION,
        "split": split,
        **{name: _plain(getattr(trace, name) or "") for name in TEXTS if name != "flags"},
        "flags": " ".join(trace.flags),
        "n_events": len(trace.events),
        "events": [_event(event, cells) for event in trace.events],
        "exact": "",
    }
    found = {name: found[name] for name in TRACE}
    if _from_columns(found) != trace:
        text = dump_trace(trace).decode("utf-8", "surrogatepass")
        found["exact"] = text.encode("unicode_escape").decode("ascii")
    return found


def trace_of(found: Row) -> Trace:
    """The trace that a row was made of."""
    if found["version"] != VERSION:
        raise ValueError(f"a row of version {found['version']!r}; this program reads {VERSION!r}")
    if found["exact"]:
        text = found["exact"].encode("ascii").decode("unicode_escape")
        return load_trace(text.encode("utf-8", "surrogatepass"))
    try:
        return _from_columns(found)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"the row of trace {found['id']!r} is malformed: {error!r}") from error


def text_row(trace: Trace, split: str, options: Options) -> Row:
    """A trace as Meta's CWM trace text, in the columns of TEXT."""
    named = {"split": split, "id": trace.id, "origin": trace.origin}
    return {**named, "text": _plain(write(trace, options))}


def write_rows(path: Path, rows: Iterable[Row], spec: dict[str, Any]) -> int:
    """A file that appears under its name only when it is complete; how many rows it has."""
    known_suffix(path)
    with _complete(path) as part:
        if path.suffix == ".parquet":
            with part.open("wb") as file:
                return write_parquet(file, rows, spec)
        opened: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
        with opened(part, "wt", encoding="utf-8") as lines:
            return sum(1 for each in rows if lines.write(json.dumps(each) + "\n"))


def read_rows(path: Path, spec: dict[str, Any] = TRACE) -> Iterator[Row]:
    if not path.exists():
        raise FileNotFoundError(f"no file or dataset folder {path}")
    known_suffix(path)
    if path.suffix == ".parquet":
        return read_parquet(path, spec)
    kinds = {name: list if isinstance(each, list) else each for name, each in spec.items()}
    return read_jsonl(path, kinds, "written by experiments.export")


def read_traces(path: Path) -> Iterator[tuple[str, Trace]]:
    """The traces of a dataset folder or of a file of rows, each with the name of its split."""
    if path.is_dir():
        dataset = Dataset(path)
        yield from ((name, trace) for name in SPLITS for trace in dataset.traces(name))
    else:
        yield from ((found["split"], trace_of(found)) for found in read_rows(path))


def known_suffix(path: Path) -> None:
    if not path.name.endswith(SUFFIXES):
        raise ValueError(f"{path} does not end in one of {', '.join(SUFFIXES)}")


def _event(event: Event, cells: dict[int, dict[str, str]]) -> Row:
    def cell(value: Value) -> dict[str, str]:
        if id(value) not in cells:
            cells[id(value)] = _cell(value)
        return cells[id(value)]

    return {
        **dict(zip(EVENT, event[:4], strict=False)),
        "statement": _plain(event.statement),
        "locals": [{"name": _plain(n), **cell(value)} for n, value in event.locals.items()],
        "arg": _NONE if event.arg is None else cell(event.arg),
    }


def _cell(value: Value) -> dict[str, str]:
    kind = value.data[0] if value.kind in ("object", "exception") else value.kind
    exact = json.dumps(value, separators=(",", ":"))
    return {"type": _plain(kind), "repr": _plain(render(value)), "value": exact}


def _from_columns(found: Row) -> Trace:
    values: dict[str, Value] = {}

    def value(cell: dict[str, str]) -> Value:
        text = cell["value"]
        if text not in values:
            values[text] = Value.from_json(json.loads(text))
        return values[text]

    def event(each: Row) -> Event:
        bound = {local["name"]: value(local) for local in each["locals"]}
        arg = value(each["arg"]) if each["arg"]["value"] else None
        return Event(**{name: each[name] for name in EVENT}, locals=bound, arg=arg)

    texts = {name: found[name] for name in TEXTS}
    texts |= {"input": found["input"] or None, "flags": tuple(found["flags"].split())}
    return Trace(**texts, events=[event(each) for each in found["events"]])


def _plain(text: str) -> str:
    """Text without lone surrogates, which no other tool would take."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _complete(path: Path) -> Iterator[Path]:
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
