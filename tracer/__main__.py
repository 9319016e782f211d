"""`python -m tracer FILE.py [--call "f(3)"] [--format table|jsonl|cwm]`: trace and show one."""

import argparse
import json
import os
import sys
import tokenize
from collections.abc import Iterator
from math import inf

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracer.cwm import Options, as_main, write
from tracer.cwm.writer import DIALECTS, DIFFS, EXCEPTIONS
from tracer.sandbox import Limits, Outcome, Sandbox, SandboxError
from tracer.schema import Trace, dump_trace
from tracer.table import table_rows
from tracer.values import Value, render


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    what = options.call or options.file
    try:
        with tokenize.open(options.file) as file:  # with the encoding that its first lines name
            source = file.read().encode()
    except OSError as error:
        print(f"cannot read {options.file}: {error.strerror}", file=sys.stderr)
        return 2
    except (SyntaxError, UnicodeError) as error:
        named = f"{type(error).__name__}({str(error)!r})"
        print(f"{options.file}: rejected: {named}", file=sys.stderr)
        return 1
    name = "program" if options.call else "__main__"
    limits = Limits(wall_s=options.seconds, cpu_s=options.seconds, events=options.events)
    try:
        with Sandbox(limits, trusted_programs=options.trusted) as box:
            outcome = box.run(source, options.call, name)
    except SandboxError as error:
        print(f"{error}; --trusted for a program that you know", file=sys.stderr)
        return 2
    try:
        if outcome.trace.events:
            SHOW[options.format](outcome.trace, options)
            sys.stdout.flush()
    except ValueError as error:  # of --main
        print(error, file=sys.stderr)
        return 2
    if found := "; ".join(remarks(options.file, outcome)):
        print(f"{what}: {found}", file=sys.stderr)
    return 0 if outcome.kind == "ok" else 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tracer", description=__doc__)
    parser.add_argument("file", help="a Python file; it is run without an input to read")
    parser.add_argument("--call", help="what to run in it, 'f(3)'; without it the file itself")
    parser.add_argument("--format", choices=sorted(SHOW), default="table")
    parser.add_argument("--seconds", type=seconds, default=10.0, help="wall clock of the run")
    parser.add_argument("--trusted", action="store_true", help="where there is no sandbox, too")
    parser.add_argument("--events", type=count, default=20_000, help="events that are kept")
    cwm = parser.add_argument_group("format cwm")
    cwm.add_argument("--dialect", choices=DIALECTS, default=DIALECTS[0], help="debugger: one '..'")
    cwm.add_argument("--diff", choices=DIFFS, default=DIFFS[0], help="where values are in full")
    cwm.add_argument("--exception-value", choices=EXCEPTIONS, default=EXCEPTIONS[0])
    cwm.add_argument("--main", action="store_true", help="the call in a function main below it")
    return parser.parse_args(arguments)


def seconds(text: str) -> float:
    if not 0 < float(text) < inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no time above 0")
    return float(text)


def count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def remarks(file: str, outcome: Outcome) -> Iterator[str]:
    """Why there is no full trace."""
    events = len(outcome.trace.events)
    if outcome.kind != "ok":
        yield f"{outcome.kind}: {complaint(outcome.error)}" if outcome.error else outcome.kind
    elif not events:
        yield f"no code of {file} ran"
    for flag in outcome.flags:
        yield REMARKS[flag].format(events=events)


def complaint(error: Value) -> str:
    name, values = error.data
    if name in ("SyntaxError", "IndentationError", "TabError") and len(values) == 2:
        message, place = values
        return f"{name} in line {place.data[1].data}: {message.data}"
    return render(error)


def show_table(trace: Trace, _: argparse.Namespace) -> None:
    table = Table(title=f"{trace.entry}, Python {trace.python}, {trace.outcome}")
    for column in ("step", "line", "event", "statement", "changes to"):
        table.add_column(column, overflow="fold")
    for number, row in enumerate(table_rows(trace)):
        table.add_row(str(number), *map(Text, row))
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(table)
    if trace.stdout:
        cut = f"\n... of {len(trace.stdout)} characters" * (len(trace.stdout) > PRINTED)
        console.print(Text(f"printed:\n{trace.stdout[:PRINTED].rstrip()}{cut}"))


def show_jsonl(trace: Trace, _: argparse.Namespace) -> None:
    print(json.dumps(json.loads(dump_trace(trace))))


def show_cwm(trace: Trace, options: argparse.Namespace) -> None:
    if options.main:
        trace = as_main(trace)
    chosen = {name: getattr(options, name) for name in ("dialect", "diff", "exception_value")}
    text = write(trace, Options(**chosen)) + "\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))


PRINTED = 2000  # characters of what the program printed that are shown
REMARKS = {  # by flag
    "trace_truncated": "the trace is cut off after {events} events",
    "trace_incomplete": "the trace has not all events: there are {events}",
    "tracer_removed": "the program took the tracer away: there are {events} events",
    "output_truncated": "what it printed is cut off",
}
SHOW = {"table": show_table, "jsonl": show_jsonl, "cwm": show_cwm}

if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
