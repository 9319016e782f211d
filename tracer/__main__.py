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
    try:
        source = read_source(options.file)
    except OSError as error:
        print(f"cannot read {options.file}: {error.strerror}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(error, file=sys.stderr)
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
    if found := remark(options.file, options.call, outcome):
        print(found, file=sys.stderr)
    return 0 if outcome.kind == "ok" and outcome.trace.events else 1


def read_source(path: str) -> bytes:
    """A program's text; ValueError where it is in another encoding than its first lines name."""
    try:
        with tokenize.open(path) as file:
            return file.read().encode()
    except (SyntaxError, UnicodeError) as error:
        raise ValueError(f"{path}: rejected: {type(error).__name__}({str(error)!r})") from error


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tracer", description=__doc__)
    parser.add_argument("file", help="a Python file; it is run without an input to read")
    parser.add_argument(
        "--call", type=call, help="what to run in it, 'f(3)'; without it the file itself"
    )
    parser.add_argument("--format", choices=sorted(SHOW), default="table")
    parser.add_argument("--seconds", type=seconds, default=10.0, help="wall clock of the run")
    parser.add_argument("--trusted", action="store_true", help="where there is no sandbox, too")
    parser.add_argument("--events", type=count, default=20_000, help="events that are kept")
    cwm = parser.add_argument_group("format cwm")
    names = [
        cwm.add_argument("--dialect", choices=DIALECTS, help="debugger: one '..'"),
        cwm.add_argument("--diff", choices=DIFFS, help="where values are in full"),
        cwm.add_argument("--exception-value", choices=EXCEPTIONS),
        cwm.add_argument("--main", action="store_true", help="the call in a function main below"),
    ]
    options = parser.parse_args(arguments)
    given = [name.option_strings[0] for name in names if getattr(options, name.dest)]
    if given and options.format != "cwm":
        parser.error(f"{', '.join(given)}: for --format cwm alone")
    return options


def call(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no call such as 'f(3)'")
    return text


def seconds(text: str) -> float:
    if not 0 < float(text) < inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no time above 0")
    return float(text)


def count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def remark(file: str, call: str | None, outcome: Outcome) -> str:
    """Why there is no full trace, and what that is said of; empty where there is one."""
    found = "; ".join(remarks(file, outcome))
    return f"{subject(file, call, outcome)}: {found}" if found else ""


def subject(file: str, call: str | None, outcome: Outcome) -> str:
    """The call, where it is not the file that is no program."""
    if call is None or outcome.kind != "rejected" or not outcome.error:
        return call or file
    values = outcome.error.data[1]
    of_call = len(values) == 2 and values[1].data[0].data == "<call>"
    return call if of_call else file


def remarks(file: str, outcome: Outcome) -> Iterator[str]:
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
    given = {name: value for name, value in chosen.items() if value}
    text = write(trace, Options(**given)) + "\n"
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
