"""Trajectories as arrays, and arrays as trajectories again.

A trajectory is what one call does: the events of its frame, in order. A nested call is one step of
it (its effect shows at the frame's next event) and a trajectory of its own.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from tracer.cells import Unreadable, decode, encode, exception_class
from tracer.flow import Ways, branch
from tracer.iterating import Going, going
from tracer.layout import DEPTHS, Layout
from tracer.lowering import Lowering, working_names
from tracer.schema import KINDS, Event
from tracer.tokens import encode_statement
from tracer.values import Value
from tracer.working import Unknown, computed, counted

UNREADABLE = "<unreadable>"  # in the place of what cells do not spell


class Table:
    """Distinct rows in the order of their first use."""

    def __init__(self, *rows: Hashable):
        self.numbers: dict[Hashable, int] = {row: number for number, row in enumerate(rows)}

    def number(self, row: Hashable) -> int:
        return self.numbers.setdefault(row, len(self.numbers))

    def __len__(self) -> int:
        return len(self.numbers)

    def array(self, width: int) -> np.ndarray:
        return np.array(list(self.numbers)).reshape(len(self.numbers), width)


class Trajectory(NamedTuple):
    """One call as rows: slots x cells per step, tokens and references per statement."""

    names: tuple[str, ...]  # of the slots, in the order of first binding
    states: list[tuple[tuple[int, ...], ...]]  # per step: a row of cells per slot, outcome last
    kinds: list[int]
    depths: list[int]
    branches: list[int]  # which way the statement before each step took
    actions: list[tuple[tuple[int, ...], tuple[int, ...]]]  # per step: tokens, references
    exact: list[tuple[bool, ...]]  # per step and slot: the row holds the value exactly
    lost: int  # names for which there was no slot
    at: list[int]  # the step of each event; those between are parts of its statement
    texts: list[str]  # per step: what runs

    def __len__(self) -> int:
        return len(self.states)


def encode_trajectory(
    events: list[Event],
    layout: Layout,
    flow: Mapping[int, Ways] = MappingProxyType({}),
    lowering: Lowering | None = None,
    told: bool = True,
) -> Trajectory:
    """`flow` are the ways of the source; without them no branch is told. With a `lowering` each
    part of a statement is a step; `told` says whether registers, counters and iterators hold what
    they hold in truth, or nothing."""
    found = list(dict.fromkeys(name for event in events for name in event.locals))
    names, lost = tuple(found[: layout.slots]), max(0, len(found) - layout.slots)
    slots = slot_numbers(names, layout)
    nothing: list[dict[str, Value]] = [{}] * len(events)
    counts = counted(events, lowering) if lowering and told else nothing
    turns = going(events, lowering, told) if lowering else [Going()] * len(events)
    ways = [0, *(taken(flow, *pair) for pair in pairwise(events))]
    texts: dict[str, tuple] = {}
    made = Trajectory(names, [], [], [], [], [], [], lost, [], [])
    afters = [*events[1:], None]
    for event, after, way, counters, turn in zip(events, afters, ways, counts, turns, strict=True):
        made.at.append(len(made))
        for part in parts_of(event, after, names, lowering, told, turn):
            held: list[Value | None] = [None] * layout.rows
            for name, value in (event.locals | counters | {**turn.left} | part.registers).items():
                if name in slots:
                    held[slots[name]] = value
            held[-1] = part.arg
            rows, whole = zip(*(encode(value, layout.cells) for value in held), strict=True)
            if part.text not in texts:
                action = encode_statement(part.text, slots, layout.tokens, layout.references)
                texts[part.text] = action[:2]
            made.states.append(rows)
            made.exact.append(whole)
            made.kinds.append(KINDS.index(part.kind))
            made.depths.append(min(event.depth, DEPTHS - 1))
            made.branches.append(way)
            made.actions.append(texts[part.text])
            made.texts.append(part.text)
            way = 0
    return made


class Part(NamedTuple):
    """Of the statement that is about to run, and what holds before it."""

    text: str
    registers: dict[str, Value]
    kind: str  # the event's; behind a part that raises, "exception"
    arg: Value | None


def parts_of(
    event: Event,
    after: Event | None,
    names: Sequence[str],
    lowering: Lowering | None,
    told: bool,
    turn: Going,
) -> Iterator[Part]:
    """Where it cannot be told what comes of the operations, they are not taken out."""
    texts, kept = (event.statement,), None
    lowering = lowering if event.kind == "line" else None
    if lowering:
        kept = lowering.iterates(event.lineno)
        texts = lowering.parts(event.lineno, event.statement, names, turn.again)
    try:
        held, raises = computed(texts[:-1] if kept else texts, event.locals, told)
    except Unknown:
        if lowering:
            texts = lowering.whole(event.lineno, event.statement, turn.again)
        held, raises = [{}], None
    raised = after if after and after.kind == "exception" else event
    if kept and len(texts) > 1:
        if told and raises is None and raised is after and not turn.again:
            raises = len(texts) - 2  # it cannot be iterated
        held = [*held, {kept: turn.now} if turn.now and raises is None else {}]
    last = len(texts) if raises is None else raises  # part that runs
    for number, (text, registers) in enumerate(zip(texts, held, strict=True)):
        now = event if number <= last else raised
        yield Part(text, registers, now.kind, now.arg)


def slot_numbers(names: Sequence[str], layout: Layout) -> dict[str, int]:
    """Of variables, and of what is kept beside them."""
    working = working_names(layout)
    found = {name: layout.slots + number for number, name in enumerate(working)}
    return found | {name: number for number, name in enumerate(names)}


def taken(flow: Mapping[int, Ways], event: Event, after: Event) -> int:
    """The number in BRANCHES of the way from one event of a frame to the next."""
    ways = flow.get(event.lineno)
    if ways is None or (event.kind, after.kind) != ("line", "line"):
        return 0
    return branch(ways, after.lineno)


def pieces(trajectory: Trajectory, layout: Layout) -> Iterator[dict[str, np.ndarray]]:
    """The trajectory cut so that each piece fits a window; the cuts share a step, so that every
    transition is inside a piece."""
    start = 0
    while start < len(trajectory) - 1:
        piece, stop = _piece(trajectory, start, layout)
        yield piece
        if stop == start + 1:  # a single step fills the tables: nothing to learn from it
            start = stop
        else:
            start = stop - 1 if stop < len(trajectory) else stop


def _piece(trajectory: Trajectory, start: int, layout: Layout) -> tuple[dict, int]:
    unbound = (0,) * layout.cells
    values, statements = Table(unbound), Table()
    slots, actions = [], []
    stop = start
    while stop < min(len(trajectory), start + layout.steps):
        rows, (tokens, references) = trajectory.states[stop], trajectory.actions[stop]
        new = {row for row in rows if row not in values.numbers}
        full = len(values) + len(new) > layout.values
        if stop > start and (full or len(statements) == layout.statements):
            break
        slots.append([values.number(row) for row in rows])
        spare = [layout.rows] * (layout.references - len(references))
        actions.append((statements.number(tokens), [*references, *spare]))
        stop += 1
    piece = {
        "values": values.array(layout.cells),
        "statements": statements.array(layout.tokens),
        "slots": np.array(slots),
        "kind": np.array(trajectory.kinds[start:stop]),
        "depth": np.array(trajectory.depths[start:stop]),
        "branch": np.array(trajectory.branches[start:stop]),
        "statement": np.array([number for number, _ in actions]),
        "references": np.array([references for _, references in actions]),
    }
    return piece, stop


def decode_state(
    names: tuple[str, ...], rows: np.ndarray
) -> tuple[dict[str, Value | str], Value | str | None]:
    """The locals and the outcome that rows of cells [V+1, L] spell.

    What is not the spelling of a value comes back as a text that no repr equals.
    """
    values = [decode_row(tuple(row)) for row in rows.tolist()]
    held = zip(names, values, strict=False)
    return {name: value for name, value in held if value is not None}, values[-1]


def decode_row(row: tuple[int, ...]) -> Value | str | None:
    """Of an exception, the class at least."""
    try:
        return decode(row)
    except Unreadable:
        name = exception_class(row)
        return f"{name}({UNREADABLE})" if name else UNREADABLE
