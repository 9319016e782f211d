"""A trace as rows of text, for a person to read."""

from tracer.schema import Trace, effect, frames
from tracer.values import render

DEEPEST = 8  # calls that are indented; of more the number is written


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
        indent = "  " * min(event.depth, DEEPEST)
        first = indent if event.depth <= DEEPEST else f"{event.depth}: ".rjust(len(indent))
        statement = first + event.statement.replace("\n", f"\n{indent}")
        rows.append((str(event.lineno), event.kind, statement, ", ".join(changes)))
    return rows
