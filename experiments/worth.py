"""How likely a value is, with all that it was made of.

The model gives the probability of a row where what it was made of is right. That of the row itself
is smaller: with all claims c on the way to it, each taken once,

    log P(row) = sum_c log p(c)

as if they erred independently. What is seen is made of nothing, and certain.
"""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tracer.statements import read_statement

Claims = frozenset[tuple[int, float]]  # their numbers and log-probabilities
NONE: Claims = frozenset()
CERTAIN = -1e-6  # nats; a claim above it is none
NAME = re.compile(r"[^\W\d]\w*")


class Worth(NamedTuple):
    """Of a state: its rows, and the claims that led to each."""

    slots: Mapping[str, int]  # of variables, registers and counters
    rows: np.ndarray  # [V + 1, L], the outcome last
    odds: np.ndarray  # [V + 1]: of the rows, when they were written
    claims: tuple[Claims, ...]
    count: int = 0  # of the claims so far
    whole: float = 0.0  # log-probability of all of them

    @classmethod
    def seen(cls, slots: Mapping[str, int], rows: np.ndarray) -> "Worth":
        return cls(slots, rows, np.zeros(len(rows)), (NONE,) * len(rows))

    def run(self, text: str, rows: np.ndarray, odds: np.ndarray) -> "Worth":
        """After a part of a statement, which made these rows. A row that is another one now was
        made of all that the part reads, or is empty."""
        read = NONE.union(*(self.claims[slot] for slot in self.read(text)))
        kept = (rows == self.rows).all(-1)
        written = ~kept | (odds != self.odds)
        claims, whole = [], self.whole
        for slot, before in enumerate(self.claims):
            after = before if kept[slot] else read if rows[slot].any() else NONE
            if written[slot] and odds[slot] < CERTAIN:
                after |= {(self.count + slot, float(odds[slot]))}
                whole += float(odds[slot])
            claims.append(after)
        return Worth(self.slots, rows, odds, tuple(claims), self.count + len(rows), whole)

    def given(self, slot: int, row: np.ndarray) -> "Worth":
        """Where one row is set from outside."""
        rows, odds, claims = self.rows.copy(), self.odds.copy(), [*self.claims]
        rows[slot], odds[slot], claims[slot] = row, 0.0, NONE
        return self._replace(rows=rows, odds=odds, claims=tuple(claims))

    def read(self, text: str) -> list[int]:
        return [self.slots[name] for name in read_names(text) if name in self.slots]

    @property
    def log_probs(self) -> np.ndarray:
        """Of each row, [V + 1]."""
        return np.array([total(claims) for claims in self.claims])

    def together(self, slots: Iterable[int]) -> float:
        """The log-probability that all of these rows are right."""
        return total(NONE.union(*(self.claims[slot] for slot in slots)))


NOTHING = Worth({}, np.zeros((0, 0), int), np.zeros(0), ())


def total(claims: Claims) -> float:
    return sum(log_prob for _, log_prob in claims)


@lru_cache(maxsize=1 << 14)
def read_names(text: str) -> Sequence[str]:
    """The names that a statement reads; all that are in it, where that is not clear. A counter is
    read by the header of its loop."""
    reading = read_statement(text)
    if reading is None or isinstance(reading.node, ast.For | ast.AsyncFor):
        return tuple(dict.fromkeys(NAME.findall(text)))
    names = [each for each in ast.walk(reading.node) if isinstance(each, ast.Name)]
    found = [each.id for each in names if isinstance(each.ctx, ast.Load)]
    if isinstance(reading.node, ast.AugAssign) and isinstance(reading.node.target, ast.Name):
        found.append(reading.node.target.id)
    return tuple(dict.fromkeys(found))
