"""CWM trace text as frames, and their full locals."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

from tracer.cwm.grammar import (
    ACTION,
    ARG,
    BEGIN,
    CONTEXT,
    END,
    FRAME,
    KINDS,
    SAME,
    STATES,
    TOKEN,
    Frame,
    unescape,
    unmarked,
)

_KINDS = {token: kind for kind, token in KINDS.items()}


class Text(NamedTuple):
    """A parsed text."""

    context: str | None  # with its marker; None where the text begins with a frame
    frames: list[Frame]
    ended: bool  # <|end_of_text|> is there

    @property
    def source(self) -> str | None:
        return None if self.context is None else unmarked(self.context)


class BadText(ValueError):
    """What is wrong, and where; `frames` are those that were read before it."""

    def __init__(self, message: str, frames: list[Frame]):
        super().__init__(message)
        self.frames = frames


def parse(text: str) -> Text:
    """The frames of a whole text, or of one that a model went on with after its prompt."""
    reader = _Reader(text)
    context = None
    if reader.token not in _KINDS:
        if reader.token != CONTEXT:
            reader.blank(BEGIN)
        context = unescape(reader.text(CONTEXT))
        reader.blank(FRAME)
    while reader.token in _KINDS:
        reader.frames.append(reader.frame())
    ended = reader.token == END
    if ended:
        reader.blank(END, "nothing")
    if reader.token:
        reader.fail("nothing after the end" if ended else f"{', '.join(_KINDS)} or {END}")
    return Text(context, reader.frames, ended)


class _Reader:
    """Walks over the tokens and the texts that follow them."""

    def __init__(self, text: str):
        found = list(TOKEN.finditer(text))
        starts = [*(match.start() for match in found), len(text)]
        self.parts = [("", 0, text[: starts[0]])]  # token, where it stands, text after it
        for match, end in zip(found, starts[1:], strict=True):
            self.parts.append((match[0], match.start(), text[match.end() : end]))
        self.parts.append(("", len(text), ""))
        self.number, self.frames = 0, []
        self.blank("", BEGIN)

    @property
    def token(self) -> str:
        return self.parts[self.number][0]

    def text(self, token: str) -> str:
        """What follows this token, which must stand here."""
        if self.token != token:
            self.fail(token)
        self.number += 1
        return self.parts[self.number - 1][2]

    def blank(self, token: str, expected: str = "a token") -> None:
        """As `text`, where there is none."""
        if (text := self.text(token)).strip():
            self.fail(expected, text)

    def frame(self) -> Frame:
        token, kind = self.token, _KINDS[self.token]
        values = arg = None
        if kind in STATES:
            values = self._locals(self.text(token))
        else:
            self.blank(token, ACTION)
        source = unescape(self.text(ACTION)).removesuffix("\n")
        if kind not in STATES:
            arg = self._value(self.text(ARG))
        self.blank(FRAME)
        return Frame(kind, source, values, arg)

    def _locals(self, text: str) -> dict[str, str]:
        values = _json(text)
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            self.fail("locals as a JSON object of strings", text)
        return values

    def _value(self, text: str) -> str:
        value = _json(text)
        if not isinstance(value, str):
            self.fail("a value as a JSON string", text)
        return value

    def fail(self, expected: str, text: str | None = None) -> NoReturn:
        """At the token that we look at, or at the text that was passed last."""
        if text is None:
            place, found = self.parts[self.number][1], self.token or "the end"
        else:
            token, place, _ = self.parts[self.number - 1]
            place, found = place + len(token), repr(text if len(text) <= 40 else f"{text[:40]}...")
        where = f"frame {len(self.frames) + 1}, character {place}"
        raise BadText(f"{where}: expected {expected}, found {found}", self.frames)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def resolve(frames: Iterable[Frame], strict: bool = True) -> Iterator[dict[str, str] | None]:
    """Per frame all locals in full; None for a return or exception, which have none.

    A ".." is what the name had last since the latest call or return; one that refers to nothing is
    an error, or stays ".." where we are not strict.
    """
    state: dict[str, str] | None = None  # of the frame before
    known: dict[str, str] = {}  # values since the latest boundary
    for number, frame in enumerate(frames, 1):
        if frame.kind in ("call", "return"):
            state, known = None, {}
        if frame.locals is None:
            yield None
            continue
        given = dict(frame.locals)
        if given.get(SAME) == SAME and (state is not None or strict):  # the debugger's pair
            if state is None:
                raise ValueError(f"frame {number}: '..' for all names, and no frame before")
            del given[SAME]
            given = state | given
        state = {
            name: known.get(name, text) if text == SAME else text for name, text in given.items()
        }
        if strict and (lost := [name for name, text in state.items() if text == SAME]):
            raise ValueError(f"frame {number}: {lost[0]!r} is '..', and has no value before")
        known |= state
        yield state


def scopes(frames: Iterable[Frame]) -> Iterator[int]:
    """The number of the call that each frame belongs to, by counting calls and returns.

    A generator that goes on counts as a new call: the text does not tell them apart.
    """
    count, stack = 0, []
    for frame in frames:
        if frame.kind == "call" or not stack:
            stack.append(count)
            count += 1
        yield stack[-1]
        if frame.kind == "return":
            stack.pop()
