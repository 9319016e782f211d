"""A statement as symbols, with its variables replaced by references to slots.

`total = total + 12` over the slots (n, total) is `reference 0 = reference 0 + int 2 1`, and
reference 0 is slot 1: statements that differ only in names become the same tokens.
"""

import ast
import re
import unicodedata
from collections.abc import Iterator

from tracer.vocab import INDEX, OPERATORS, PAD, REFERENCES, bucket, spell, spell_int

TOKENS = 32

_LEXEME = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*|\\\n)
    |(?P<string>(?P<prefix>[rRbBuUfF]{0,2})(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}
        |"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'))
    |(?P<number>0[xXoObB][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?)
    |(?P<name>[^\W\d]\w*)
    |(?P<operator>"""
    + "|".join(re.escape(text) for text in sorted(OPERATORS, key=len, reverse=True))
    + r""")
    |(?P<other>.)""",
    re.VERBOSE,
)
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}!:]*)([^{}]*)\}")
_BYTES_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[0-7]{1,3}|.)", re.DOTALL
)
_PLAIN = dict(zip("\\'\"abfnrtv\n", [*"\\'\"\a\b\f\n\r\t\v", ""], strict=True))


def encode_statement(
    text: str, slots: dict[str, int], tokens: int = TOKENS, references: int = REFERENCES
) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    """The tokens of a statement, the slots it refers to, and whether both are complete."""
    lexer = _Lexer(slots, references)
    symbols = list(lexer.lex(text))
    whole = len(symbols) <= tokens and not lexer.overflow
    symbols = symbols[:tokens]
    padding = [PAD] * (tokens - len(symbols))
    return (*symbols, *padding), tuple(lexer.found), whole


class _Lexer:
    def __init__(self, slots: dict[str, int], references: int):
        self.slots, self.references = slots, references
        self.found: list[int] = []
        self.overflow = False

    def lex(self, text: str) -> Iterator[int]:
        after_dot = False
        for match in _LEXEME.finditer(text):
            kind = match.lastgroup if match.lastgroup != "prefix" else "string"
            lexeme = match.group()
            if kind == "name":
                yield self._name(lexeme, after_dot)
            elif kind == "number":
                yield from _number(lexeme)
            elif kind == "string":
                yield from self._string(lexeme, match["prefix"].lower())
            elif kind == "operator":
                yield INDEX[f"operator {lexeme}"]
            elif kind == "other":
                yield from spell(lexeme)
            after_dot = lexeme == "." if kind != "skip" else after_dot

    def _name(self, name: str, attribute: bool) -> int:
        if name in ("None", "True", "False"):
            return INDEX[name]
        if not attribute and name in self.slots:
            return self._reference(self.slots[name], name)
        for kind in ("keyword", "exception", "name"):
            if f"{kind} {name}" in INDEX:
                return INDEX[f"{kind} {name}"]
        return bucket(name)

    def _reference(self, slot: int, name: str) -> int:
        if slot not in self.found:
            if len(self.found) == self.references:
                self.overflow = True
                return bucket(name)
            self.found.append(slot)
        return INDEX[f"reference {self.found.index(slot)}"]

    def _string(self, lexeme: str, prefix: str) -> Iterator[int]:
        body = lexeme[len(prefix) :]
        quotes = 3 if body[:3] in ('"""', "'''") else 1
        body = body[quotes:-quotes]
        if "r" not in prefix:
            body = _unescape(body, _BYTES_ESCAPE if "b" in prefix else _ESCAPE)
        yield INDEX["bytes" if "b" in prefix else "fstring" if "f" in prefix else "str"]
        yield from self._fields(body) if "f" in prefix else spell(body)
        yield INDEX["end"]

    def _fields(self, body: str) -> Iterator[int]:
        at = 0
        for match in _FIELD.finditer(body):
            yield from spell(body[at : match.start()])
            at = match.end()
            if match[1] is None:
                yield from spell(match[0][0])
                continue
            yield INDEX["operator {"]
            yield from self.lex(match[1])
            yield from spell(match[2])
            yield INDEX["operator }"]
        yield from spell(body[at:])


def _unescape(text: str, escape: re.Pattern) -> str:
    return escape.sub(lambda match: _character(match[1]), text)


def _character(code: str) -> str:
    if code in _PLAIN:
        return _PLAIN[code]
    if code[0] in "01234567":
        return chr(int(code, 8))
    try:
        if code[0] == "N":
            return unicodedata.lookup(code[2:-1])
        return chr(int(code[1:], 16))
    except (KeyError, ValueError):
        return f"\\{code}"  # not an escape: the backslash stays


def _number(lexeme: str) -> list[int]:
    try:
        number = ast.literal_eval(lexeme)
        if type(number) is int:
            return spell_int(number)
        return [INDEX[type(number).__name__], *spell(repr(number))]
    except (SyntaxError, ValueError):
        return spell(lexeme)
