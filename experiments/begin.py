"""The first state of a call: its arguments are evaluated in the sandbox, and nothing of it runs."""

import builtins
import re
from typing import Any

from experiments.command import UserError, user_errors
from experiments.free import Start
from tracer.entry import stub
from tracer.sandbox import Limits, Outcome, Sandbox
from tracer.schema import Event
from tracer.values import Value, render


def begin(source: str, call: str, sandbox: dict[str, Any], steps: int) -> Start:
    """By a run of the program in which the call goes to an empty copy of the function. What the
    arguments call is run, the function itself too."""
    with user_errors(ValueError):
        empty = stub(source, call)
    with Sandbox(Limits(), **sandbox) as box:
        outcome = box.run(empty.source.encode(), empty.call)
    for event in outcome.trace.events:
        if (event.kind, event.lineno) == ("line", empty.at):
            return Start(source, Event("line", 0, 0, empty.line, "", event.locals), steps)
    why = re.sub(rf"\b{empty.name}\b", empty.function, reason(outcome))
    raise UserError(f"{call}: {why}, before the first statement")


def reason(outcome: Outcome) -> str:
    if outcome.error:
        return spelled(outcome.error)
    if "trace_truncated" in outcome.flags:
        return f"its arguments take more than {len(outcome.trace.events)} events"
    return outcome.kind if outcome.kind != "ok" else "it does not come to the function's body"


def spelled(error: Value) -> str:
    """An exception as Python tells it below a traceback."""
    name, values = error.data
    texts = [str(x.data) if x.kind == "str" and name != "KeyError" else render(x) for x in values]
    match texts:
        case []:
            return name
        case [text]:
            return f"{name}: {text}"
        case [number, text] if issubclass(getattr(builtins, name, object), OSError):
            return f"{name}: [Errno {number}] {text}"
    return f"{name}: ({', '.join(map(render, values))})"
