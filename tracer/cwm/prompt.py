"""A call as CWM is asked about it on CRUXEval: the body of a function `main` below the program."""

import ast

from tracer.schema import Event, Trace


def as_main(trace: Trace) -> Trace:
    """The trace that the call would have if `main` had made it.

    Only of a plain call of the entry, `f(3)`: what main returns is then what the entry returned.
    """
    call = (trace.input or "").strip()
    if not _is_call_of(call, trace.entry):
        raise ValueError(f"{call or trace.origin!r} is not a plain call of {trace.entry}")
    source = f"\n{trace.source}\ndef main():\n    return {call}\n"
    line = source.count("\n", 0, len(trace.source) + 2) + 1
    main = Event("call", 0, 0, line, "def main():", {})
    body = main._replace(kind="line", lineno=line + 1, statement=f"return {call}")
    inner = [
        e._replace(scope=e.scope + 1, depth=e.depth + 1, lineno=e.lineno + 1) for e in trace.events
    ]
    return trace._replace(
        source=source, entry="main", input="main()", events=[main, body, *inner, *_end(body, inner)]
    )


def _end(body: Event, inner: list[Event]) -> list[Event]:
    """How main is left: as the entry was, or not at all in a trace that was cut off."""
    own = [event for event in inner if event.scope == 1]
    if own and own[-1].kind == "return":
        return [body._replace(kind="return", arg=own[-1].arg)]
    if own and own[-1].kind == "unwind":
        raised = next((event.arg for event in reversed(own) if event.kind == "exception"), None)
        return [body._replace(kind="exception", arg=raised), body._replace(kind="unwind")]
    return []


def _is_call_of(call: str, entry: str) -> bool:
    try:
        tree = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    function = tree.func if isinstance(tree, ast.Call) else None
    return isinstance(function, ast.Name) and function.id == entry
