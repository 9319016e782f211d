"""Meta's CWM trace text: its tokens and frames, and how other text keeps clear of them.

    <|begin_of_text|><|trace_context_start|>$CONTEXT<|frame_sep|>
    <|call_sep|>$LOCALS<|action_sep|>$SOURCE<|frame_sep|>
    <|line_sep|>$LOCALS<|action_sep|>$SOURCE<|frame_sep|>
    <|return_sep|><|action_sep|>$SOURCE<|arg_sep|>$VALUE<|frame_sep|>
    <|exception_sep|><|action_sep|>$SOURCE<|arg_sep|>$VALUE<|frame_sep|>
    <|end_of_text|>

without the line breaks. $LOCALS is a JSON object of reprs, $VALUE a repr as a JSON string. A line
shows the state before it runs; a value ".." is the one that the name had in the frame before.
"""

import re
from typing import NamedTuple

BEGIN = "<|begin_of_text|>"
END = "<|end_of_text|>"  # the entry's scope is left
CONTEXT = "<|trace_context_start|>"
FRAME = "<|frame_sep|>"  # ends the context and every frame
ACTION = "<|action_sep|>"
ARG = "<|arg_sep|>"
KINDS = {
    "call": "<|call_sep|>",
    "line": "<|line_sep|>",
    "return": "<|return_sep|>",
    "exception": "<|exception_sep|>",
}
STATES = ("call", "line")  # kinds with locals; the others have a value instead
SAME = ".."
MARKER = "  # << START_OF_TRACE"  # ends the entry's line in the context, and in no action

_NAMES = [token[2:-2] for token in (BEGIN, END, CONTEXT, FRAME, ACTION, ARG, *KINDS.values())]
TOKEN = re.compile(rf"<\|({'|'.join(_NAMES)})\|>")
_LIKE_TOKEN = re.compile(rf"<(\\*)(?=\|({'|'.join(_NAMES)})\|>)")
_ESCAPED_TOKEN = re.compile(rf"<(\\*)\\(?=\|({'|'.join(_NAMES)})\|>)")


class Frame(NamedTuple):
    """One step, as the text has it."""

    kind: str  # of KINDS
    source: str  # indentation kept, without the newline at its end
    locals: dict[str, str] | None = None  # of a call or line: repr by name, or ".."
    arg: str | None = None  # of a return or exception


def escape(source: str) -> str:
    r"""Source text that spells a token gets a backslash into it: `<\|frame_sep|>`."""
    return _LIKE_TOKEN.sub(r"<\1\\", source)


def unescape(text: str) -> str:
    return _ESCAPED_TOKEN.sub(r"<\1", text)


def unmarked(context: str) -> str:
    """The program of a context. The marker is a suffix, not characters to strip."""
    return "\n".join(line.removesuffix(MARKER) for line in context.split("\n"))
