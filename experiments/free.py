"""Free runs: from a first state and the source alone, the model chooses what runs next too."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.command import user_errors
from experiments.control import ENDS, TINY, choose, of_all, turns, weighed
from experiments.model import by_device
from experiments.worth import NOTHING, Worth
from rssm.model import Belief
from rssm.step import Trainer
from tracer.cells import encode
from tracer.detours import Detours
from tracer.encode import slot_numbers
from tracer.layout import DEPTHS, Layout
from tracer.lowering import Lowering, Site
from tracer.schema import KINDS, Event
from tracer.script import Script, read_script
from tracer.tokens import encode_statement
from tracer.values import Value

LANES = (1, 4, 16), (1, 16, 256)  # runs that are imagined together, on a CPU and elsewhere
STATEMENTS = (16, 64, 256)  # of a frame, at most; a run that comes to one beyond ends


class Step(NamedTuple):
    """An event that was imagined, and the state that it shows."""

    kind: str
    line: int
    rows: np.ndarray  # [V + 1, L], the outcome last
    log_prob: float  # of that this came next
    odds: np.ndarray  # [V + 1], log-probabilities of the rows
    raises: float = 0.0  # chance that an exception came in its place
    worth: Worth = NOTHING  # how likely the rows are, with what they were made of


class Run(NamedTuple):
    names: tuple[str, ...]  # of the slots
    script: Script
    steps: list[Step]  # the first is given
    ended: bool  # else it came to the limit of steps, or
    cut: bool = False  # to a statement for which the window has no room

    @property
    def raises(self) -> float:
        """The chance that an exception is raised on the way."""
        chances = [min(step.raises, 1 - TINY) for step in self.steps]
        return 1 - math.exp(sum(math.log1p(-chance) for chance in chances))


class Start(NamedTuple):
    source: str
    event: Event  # a frame's first statement, and the variables before it
    limit: int  # of steps


def free_runs(
    trainer: Trainer,
    params: Any,
    starts: Sequence[Start],
    layout: Layout,
    shuffled: bool = False,
    drawn: int | None = None,
) -> Iterator[Run]:
    """In the order of the starts. `shuffled`: each statement does what another one would; `drawn`
    is the seed of runs that draw what comes next, all but the first."""
    sizes = by_device(*LANES)
    together = next((size for size in sizes if size >= len(starts)), sizes[-1])
    for at in range(0, len(starts), together):
        lanes = [
            Lane(start, layout, None if drawn is None or not number else [drawn, number])
            for number, start in enumerate(starts[at : at + together], at)
        ]
        yield from imagine(trainer, params, lanes, together, shuffled)


class Running(NamedTuple):
    """A statement that is being run, part by part."""

    worth: Worth
    kinds: tuple[np.ndarray, ...] = ()  # what was said of the kind of event after each

    def ran(self, text: str, belief: Belief, number: int) -> "Running":
        """One part more, from one row of a batch of beliefs."""
        rows, odds = belief.rows[number, 0], belief.log_prob[number, 0]
        kind = np.asarray(belief.labels["kind"][number, 0])
        worth = self.worth.run(text, np.asarray(rows), np.asarray(odds))
        return Running(worth, (*self.kinds, kind))


class Lane:
    """A run on its way."""

    def __init__(self, start: Start, layout: Layout, seed: list[int] | None):
        self.draw = None if seed is None else np.random.default_rng(seed)
        self.start, self.layout = start, layout
        with user_errors(ValueError):
            self.script = read_script(start.source, start.event.lineno)
        given = dict.fromkeys((*start.event.locals, *self.script.names))
        self.names = tuple(given)[: layout.slots]
        self.lowering = Lowering(start.source, layout)
        self.texts, self.parts = numbered(self.lowering.table(self.script.statements, self.names))
        self.loops = frozenset[int]()  # the lines of those that go on
        self.detours = self.script.detours
        self.left: list[int] = []  # parts of the statement that is being run
        self.text = ""  # of the last of them that was
        self.rows = np.array([encode(value, layout.cells)[0] for value in self.first()])
        worth = Worth.seen(slot_numbers(self.names, layout), self.rows)
        self.running = Running(worth)
        event = start.event
        self.steps = [Step(event.kind, event.lineno, self.rows, 0.0, worth.odds, worth=worth)]

    def first(self) -> list[Value | None]:
        held = [self.start.event.locals.get(name) for name in self.names]
        return [*held, *[None] * (self.layout.rows - len(held))]

    def on(self, statements: int) -> bool:
        """Whether there is a statement to be run."""
        last = self.steps[-1]
        known = last.line in self.script and self.parts[self.site].stop <= statements
        return last.kind not in ENDS and known and len(self.steps) <= self.start.limit

    @property
    def site(self) -> Site:
        return self.lowering.site(self.steps[-1].line, self.loops)

    def next(self) -> int:
        """The number of the text that is run."""
        self.left = self.left or [*self.parts[self.site]]
        number = self.left.pop(0)
        self.text = self.texts[number]
        return number

    def take(self, belief: Belief, number: int) -> None:
        self.running = self.running.ran(self.text, belief, number)
        if not self.left:
            last = self.steps[-1]
            step = follow(self.script, self.detours, last, belief, number, self.running, self.draw)
            self.detours = self.detours.on(last[:2], step[:2])
            runs = last.kind == step.kind == "line"
            self.loops = self.lowering.on(self.loops, last.line, step.line, runs)
            self.steps.append(step)
            self.running = Running(self.running.worth)

    def run(self) -> Run:
        ended = self.steps[-1].kind in ENDS
        cut = not ended and len(self.steps) <= self.start.limit
        return Run(self.names, self.script, self.steps, ended, cut)

    def batch(self, statements: int) -> dict[str, np.ndarray]:
        return window(
            self.layout, self.names, self.texts, self.rows, self.start.event.kind, statements
        )


def follow(
    script: Script,
    detours: Detours,
    last: Step,
    belief: Belief,
    number: int,
    ran: Running,
    draw: np.random.Generator | None = None,
) -> Step:
    """What comes after an event, from one row of a batch of beliefs, where the last part of its
    statement ran."""
    said = {name: np.asarray(label[number, 0]) for name, label in belief.labels.items()}
    said["kind"] = of_all(ran.kinds)
    text, here = script.statements[last.line], detours.open(last.line)
    found = weighed(turns(last.kind, last.line, text, here, said))
    turn = choose(found, draw)
    raises = sum(math.exp(each.log_prob) for each in found if each.kind == "exception")
    worth = ran.worth
    return Step(turn.kind, turn.line, worth.rows, turn.log_prob, worth.odds, raises, worth)


def numbered(table: Mapping[Site, Sequence[str]]) -> tuple[list[str], dict[Site, range]]:
    """The parts of all statements in a row, and the numbers of those at each site."""
    ends = zip(table.items(), accumulate(map(len, table.values())), strict=True)
    numbers = {site: range(end - len(parts), end) for (site, parts), end in ends}
    return [text for parts in table.values() for text in parts], numbers


def window(
    layout: Layout,
    names: Sequence[str],
    texts: Sequence[str],
    rows: np.ndarray,
    kind: str,
    statements: int,
    depth: int = 0,
) -> dict[str, np.ndarray]:
    """The window of one step that `WorldModel.begin` takes: an event of a frame with the state
    `rows`, and the texts that it may choose from."""
    table = np.zeros((statements, layout.tokens), np.int32)
    refs = np.full((statements, layout.references), layout.rows, np.int32)
    slots = slot_numbers(names, layout)
    for number, text in enumerate(texts[:statements]):
        tokens, named, _ = encode_statement(text, slots, layout.tokens, layout.references)
        table[number], refs[number, : len(named)] = tokens, named
    return {
        "values": np.stack([np.zeros_like(rows[0]), *rows]),
        "slots": np.arange(1, len(rows) + 1)[None],
        "kind": np.array([KINDS.index(kind)]),
        "depth": np.array([min(depth, DEPTHS - 1)]),
        "branch": np.array([0]),
        "statements": table,
        "statement": np.arange(statements),
        "references": refs,
        "reset": np.array([True]),
        "mask": np.array([True]),
    }


def room_for(statements: int) -> int:
    """How many statements a window has that is to hold so many: few shapes, few compilations."""
    return next((each for each in STATEMENTS if each >= statements), STATEMENTS[-1])


def imagine(
    trainer: Trainer,
    params: Any,
    lanes: Sequence[Lane],
    together: int,
    shuffled: bool,
) -> Iterator[Run]:
    size = room_for(max(len(lane.texts) for lane in lanes))
    filled = [*lanes, *[lanes[0]] * (together - len(lanes))]  # one shape, one compilation
    windows = [lane.batch(size) for lane in filled]
    batch = {name: np.stack([window[name] for window in windows]) for name in windows[0]}
    at = trainer.begin(params, batch)
    while any(going := [lane.on(size) for lane in lanes]):
        chosen = np.zeros(together, np.int32)
        for number, lane in enumerate(lanes):
            if going[number]:
                there = min(len(lane.texts), size)
                chosen[number] = (lane.next() + shuffled) % there
        at, belief = trainer.advance(params, at, chosen)
        belief = jax.device_get(belief)
        for number, lane in enumerate(lanes):
            if going[number]:
                lane.take(belief, number)
    yield from (lane.run() for lane in lanes)
