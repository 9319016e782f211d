"""The shape of a window: which arrays there are, and what each of them is.

A window is a fixed number of steps, with pieces of several trajectories behind one another and a
reset flag where one begins. Values and statements repeat from step to step, so each window holds
its distinct ones once, in tables, and the steps hold row numbers: what is encoded once need not be
computed twice.
"""

import hashlib
import json
from typing import NamedTuple

import numpy as np

from tracer.cells import CELLS
from tracer.flow import BRANCHES
from tracer.schema import KINDS, TELLING
from tracer.tokens import TOKENS
from tracer.vocab import REFERENCES, SYMBOLS, VALUE_SYMBOLS

VERSION = "windows-v2"
DEPTHS = 8  # deeper calls count as the deepest


class Field(NamedTuple):
    """One array of a window.

    role: "table" (rows that other fields point to), "observation", "action", "address" (of slots),
    "reset" or "mask". `size` is the number of classes; `table` names what row numbers refer to.
    """

    name: str
    role: str
    dtype: str
    shape: tuple[int, ...]
    size: int
    table: str | None = None


class Layout(NamedTuple):
    """The sizes of a window."""

    steps: int = 64
    values: int = 64  # distinct values of a window, the unbound one included
    statements: int = 48  # distinct statements of a window
    slots: int = 8  # variables of a frame; those beyond are counted, not kept
    registers: int = 0  # values between the operations of a statement; see tracer.lowering
    counters: int = 0  # of the loops of a frame, one in the other; where there are no iterators
    iterators: int = 0  # what is left of those of these loops
    cells: int = CELLS
    tokens: int = TOKENS
    references: int = REFERENCES

    @property
    def working(self) -> int:
        """Slots that no trace shows: in which something is kept, behind those of the variables."""
        return self.registers + self.counters + self.iterators

    @property
    def rows(self) -> int:
        """Slots that hold values; the last one is for what was returned or raised."""
        return self.slots + self.working + 1

    def fields(self) -> list[Field]:
        steps, slots = self.steps, self.rows
        values, cells = self.values, self.cells
        statements, tokens = self.statements, self.tokens
        return [
            Field("values", "table", _dtype(VALUE_SYMBOLS), (values, cells), VALUE_SYMBOLS),
            Field("statements", "table", _dtype(len(SYMBOLS)), (statements, tokens), len(SYMBOLS)),
            Field("slots", "observation", _dtype(values), (steps, slots), values, "values"),
            Field("kind", "observation", "uint8", (steps,), len(KINDS)),
            Field("depth", "observation", "uint8", (steps,), DEPTHS),
            Field("branch", "observation", "uint8", (steps,), len(BRANCHES)),
            Field("statement", "action", _dtype(statements), (steps,), statements, "statements"),
            Field("references", "address", "uint8", (steps, self.references), slots + 1),
            Field("reset", "reset", "bool", (steps,), 2),
            Field("mask", "mask", "bool", (steps,), 2),
        ]

    def schema(self) -> dict:
        """What `schema.json` holds; events that are `telling` have something in the last row."""
        symbols = hashlib.sha256(json.dumps(SYMBOLS).encode()).hexdigest()[:16]
        fields = [field._asdict() for field in self.fields()]
        found = {"version": VERSION, "symbols": symbols, "layout": self._asdict(), "fields": fields}
        return found | {"telling": [KINDS.index(kind) for kind in TELLING]}

    def empty(self) -> dict[str, np.ndarray]:
        return {f.name: np.zeros(f.shape, f.dtype) for f in self.fields()}


def _dtype(size: int) -> str:
    return "uint8" if size <= 256 else "uint16"


def check_schema(found: dict, path: object) -> Layout:
    """The layout of a dataset, or one line on why this program cannot read it. A size that its
    schema does not have is the default, and so are the events that are `telling`."""
    if found.get("version") != VERSION:
        raise ValueError(
            f"{path} has schema version {found.get('version')!r}; this program reads {VERSION!r}"
        )
    layout = Layout(**found["layout"])
    wanted = layout.schema()
    found = {"telling": wanted["telling"]} | found | {"layout": layout._asdict()}
    if json.dumps(wanted, sort_keys=True) != json.dumps(found, sort_keys=True):
        raise ValueError(f"{path} was written with other symbols or fields than this program's")
    return layout
