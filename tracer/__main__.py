"""`python -m tracer FILE.py [--call "f(3)"] [--format table|jsonl|cwm]`: trace and show one."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracer.cwm import Options, as_main, write
from tracer.cwm.writer import DIALECTS, DIFFS, EXCEPTIONS
from tracer.sandbox import Limits, Outcome, Sandbox, SandboxError
from tracer.schema import Trace, dump_trace, effect, frames
from tracer.values import render


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        source = Path(options.file).read_bytes()
    except OSError as error:
        print(f"cannot read {options.file}: {error.strerror}", file=sys.stderr)
        return 2
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
    except ValueError as error:  # of --main
        print(error, file=sys.stderr)
        return 2
    if outcome.kind == "ok":
        return 0
    print(complaint(options.call or options.file, outcome), file=sys.stderr)
    return 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tracer", description=__doc__)
    parser.add_argument("file", help="a Python file")
    parser.add_argument("--call", help="what to run in it, 'f(3)'; without it the file itself")
    parser.add_argument("--format", choices=sorted(SHOW), default="table")
    parser.add_argument("--seconds", type=float, default=10.0, help="wall clock of the run")
    parser.add_argument("--trusted", action="store_true", help="where there is no sandbox, too")
    parser.add_argument("--events", type=int, default=20_000, help="events that are kept")
    cwm = parser.add_argument_group("format cwm")
    cwm.add_argument("--dialect", choices=DIALECTS, default=DIALECTS[0], help="debugger: one '..'")
    cwm.add_argument("--diff", choices=DIFFS, default=DIFFS[0], help="where values are in full")
    cwm.add_argument("--exception-value", choices=EXCEPTIONS, default=EXCEPTIONS[0])
    cwm.add_argument("--main", action="store_true", help="the call in a function main below it")
    return parser.parse_args(arguments)


def complaint(what: str, outcome: Outcome) -> str:
    """One line on why there is no full trace."""
    if outcome.error is None:
        return f"{what}: {outcome.kind}"
    name, values = outcome.error.data
    if name in ("SyntaxError", "IndentationError", "TabError") and len(values) == 2:
        message, place = values
        return f"{what}: {outcome.kind}: {name} in line {place.data[1].data}: {message.data}"
    return f"{what}: {outcome.kind}: {render(outcome.error)}"


def show_table(trace: Trace, _: argparse.Namespace) -> None:
    table = Table(title=f"{trace.entry}, Python {trace.python}, {trace.outcome}")
    for column in ("step", "line", "event", "statement", "changes to"):
        table.add_column(column, overflow="fold")
    for number, row in enumerate(table_rows(trace)):
        table.add_row(str(number), *map(Text, row))
    Console(width=None if sys.stdout.isatty() else 110).print(table)


def table_rows(trace: Trace) -> list[tuple[str, str, str, str]]:
    """Per event: line, kind, indented statement, and what it changed in its frame."""
    after = {}
    for events in frames(trace).values():
        for event, following in zip(events, events[1:], strict=False):
            after[id(event)] = effect(event.locals, following.locals)
    rows = []
    for event in trace.events:
        changes = [
            f"{name} = {render(new)}" if new else f"del {name}"
            for name, (_, new) in after.get(id(event), {}).items()
        ]
        if event.kind == "call":
            changes = [f"{name} = {render(value)}" for name, value in event.locals.items()]
        if event.arg is not None:
            changes = [f"{event.kind} {render(event.arg)}"]
        indent = "  " * event.depth
        statement = event.statement.replace("\n", f"\n{indent}")
        rows.append((str(event.lineno), event.kind, indent + statement, ", ".join(changes)))
    return rows


def show_jsonl(trace: Trace, _: argparse.Namespace) -> None:
    print(json.dumps(json.loads(dump_trace(trace))))


def show_cwm(trace: Trace, options: argparse.Namespace) -> None:
    if options.main:
        trace = as_main(trace)
    chosen = {name: getattr(options, name) for name in ("dialect", "diff", "exception_value")}
    text = write(trace, Options(**chosen)) + "\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))


SHOW = {"table": show_table, "jsonl": show_jsonl, "cwm": show_cwm}

if __name__ == "__main__":
    sys.exit(main())
