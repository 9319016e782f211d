"""CWM trace text as numbers, and which number may follow: a finite automaton over frames.

A symbol is one of the format's tokens or a byte. The automaton reads the frames that
`experiments.tokens` lets a model write: locals and values as ASCII JSON, one line of source. Every
text that it takes to its end is one that `tracer.cwm.parse` reads.
"""

import string

import numpy as np

from tracer.cwm.grammar import ACTION, ARG, BEGIN, CONTEXT, END, FRAME, KINDS, STATES, TOKEN

NOTHING = 0  # padding
_TOKENS = [BEGIN, END, CONTEXT, FRAME, ACTION, ARG, *KINDS.values()]
_NUMBERS = {token: number for number, token in enumerate(_TOKENS, 1)}
_BYTES = 1 + len(_TOKENS)
SYMBOLS = _BYTES + 256

_PLAIN = [byte for byte in range(0x20, 0x7F) if chr(byte) not in '"\\']
_SOURCE = [*range(0x20, 0x7F), 0x09, 0x0C]
_HEX = [ord(digit) for digit in string.hexdigits]


def encode(text: str) -> list[int]:
    found, at = [], 0
    for match in TOKEN.finditer(text):
        found += _of_bytes(text[at : match.start()]) + [_NUMBERS[match[0]]]
        at = match.end()
    return found + _of_bytes(text[at:])


def decode(numbers: list[int]) -> str:
    parts: list[bytes] = []
    for number in numbers:
        if number >= _BYTES:
            parts.append(bytes([number - _BYTES]))
        elif number != NOTHING:
            parts.append(_TOKENS[number - 1].encode())
    return b"".join(parts).decode("utf-8", "replace")


def _of_bytes(text: str) -> list[int]:
    return [_BYTES + byte for byte in text.encode("utf-8", "surrogatepass")]


class Automaton:
    """`table[state, symbol]` is the next state, or -1 where the symbol may not stand.

    It begins in `context`; `closed` are the states after locals or a value; `done` is its end.
    """

    def __init__(self):
        self._rows: list[dict[int, int]] = []
        self.context, self.start, self.done = (self._state() for _ in range(3))
        self._loop(self.context, [*range(SYMBOLS)])
        self._rows[self.context][_NUMBERS[FRAME]] = self.start
        self._rows[self.done][NOTHING] = self.done
        self._rows[self.start][_NUMBERS[END]] = self.done
        after_locals, after_value = self._state(), self._state()
        self.closed = (after_locals, after_value)

        source = self._source(FRAME, self.start)
        self._rows[after_locals][_NUMBERS[ACTION]] = source
        self._rows[after_value][_NUMBERS[FRAME]] = self.start
        result = self._source(ARG, self._string(after_value))
        locals_, begin = self._locals(after_locals), self._state()
        self._rows[begin][_NUMBERS[ACTION]] = result
        for kind, token in KINDS.items():
            self._rows[self.start][_NUMBERS[token]] = locals_ if kind in STATES else begin

        self.table = np.full((len(self._rows), SYMBOLS), -1, np.int32)
        for state, row in enumerate(self._rows):
            self.table[state, list(row)] = list(row.values())

    def accepts(self, numbers: list[int]) -> bool:
        """Frames, and nothing before them."""
        state = self.start
        for number in numbers:
            state = int(self.table[state, number])
            if state < 0:
                return False
        return state in (self.start, self.done)

    def _state(self) -> int:
        self._rows.append({})
        return len(self._rows) - 1

    def _loop(self, state: int, symbols: list[int]) -> None:
        self._rows[state] |= dict.fromkeys(symbols, state)

    def _source(self, end: str, after: int) -> int:
        """A line of source and its newline, then a token."""
        line, ended = self._state(), self._state()
        self._loop(line, [_BYTES + byte for byte in _SOURCE])
        self._rows[line][_BYTES + 0x0A] = ended
        self._rows[ended][_NUMBERS[end]] = after
        return line

    def _string(self, after: int) -> int:
        """A JSON string; what comes out is the state before its first quote."""
        before, inside, escaped = (self._state() for _ in range(3))
        digits = [self._state() for _ in range(4)]
        self._byte(before, '"', inside)
        self._loop(inside, [_BYTES + byte for byte in _PLAIN])
        self._byte(inside, '"', after)
        self._byte(inside, "\\", escaped)
        for char in '"\\/bfnrt':
            self._byte(escaped, char, inside)
        self._byte(escaped, "u", digits[0])
        for state, then in zip(digits, [*digits[1:], inside], strict=True):
            self._rows[state] |= {_BYTES + digit: then for digit in _HEX}
        return before

    def _locals(self, after: int) -> int:
        """A JSON object of strings, with the separators of `json.dumps`."""
        opened, colon, comma = (self._state() for _ in range(3))
        begin, space, gap = (self._state() for _ in range(3))
        value, name = self._string(comma), self._string(colon)
        self._byte(begin, "{", opened)
        self._byte(opened, "}", after)
        self._rows[opened] |= self._rows[name]
        self._byte(colon, ":", space)
        self._byte(space, " ", value)
        self._byte(comma, "}", after)
        self._byte(comma, ",", gap)
        self._byte(gap, " ", name)
        return begin

    def _byte(self, state: int, char: str, then: int) -> None:
        self._rows[state][_BYTES + ord(char)] = then
