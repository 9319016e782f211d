"""Which programs a dataset is made of, in which order and on which sides, before any of them runs.

Exact repetitions of code and call are left out. A program is on the side that the digest of its
code decides; a near copy of an earlier program goes where that one is. Training programs that are
copies of programs of evaluation sets are left out too, unless they shall only be reported.
"""

import json
from array import array
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tracer.corpora.near import THRESHOLD, Sketch, functions, hash_of, pairs, sketch
from tracer.corpora.split import group, normalised, split
from tracer.leaks import Code, Evaluation, leaks, report
from tracer.pool import Launch
from tracer.schema import Program
from tracer.store import SPLITS

CHUNK = 64  # programs of a message
TRAIN, LEFT_OUT = 0, len(SPLITS)


class Planned(NamedTuple):
    number: int  # of the program in the plan
    program: Program
    split: str


class Look(NamedTuple):
    """What is to be known of a program."""

    program: Program
    digest: int  # of code and call
    group: str
    whole: Sketch
    functions: tuple[Sketch, ...]


class Plan(NamedTuple):
    path: Path  # a program a line
    digests: array  # of code and call, of each program
    sides: bytearray  # of each program: a number of SPLITS, or LEFT_OUT
    about: dict[str, Any]  # for the manifest

    def count(self) -> int:
        return len(self.sides) - self.sides.count(LEFT_OUT)

    def programs(self) -> Iterator[Planned]:
        with self.path.open("rb") as lines:
            for number, (line, side) in enumerate(zip(lines, self.sides, strict=True)):
                if side != LEFT_OUT:
                    yield Planned(number, Program(*json.loads(line)), SPLITS[side])

    def digest(self, numbers: Iterable[int]) -> int:
        """Of some of the programs, and where they are."""
        return hash_of(" ".join(f"{self.digests[n]}/{self.sides[n]}" for n in numbers))


def make_plan(
    programs: Iterable[Program], path: Path, launch: Launch, against: list[Evaluation], drop: bool
) -> Plan:
    """The plan of a corpus, its programs written to `path`."""
    digests, groups = array("Q"), array("Q")  # of each program
    leaders: dict[int, tuple[Code, Code, str]] = {}  # of each code: whole, by function, group
    seen: set[int] = set()
    origins: set[int] = set()
    repeated = 0
    look_at = partial(looks, by_function=bool(against))
    with path.open("wb") as file:
        for look in (each for chunk in launch(look_at, chunks(programs)) for each in chunk):
            if look.digest in seen:
                repeated += 1
                continue
            seen.add(look.digest)
            digests.append(look.digest)
            groups.append(key := hash_of(look.group))
            origin = look.program.origin
            origins.add(hash_of(origin))
            if key ^ look.whole.digest not in leaders:
                pieces = Code(origin, key, look.functions)
                whole = Code(origin, key, [look.whole])
                leaders[key ^ look.whole.digest] = (whole, pieces, look.group)
            file.write(json.dumps(look.program).encode() + b"\n")
    sides, moved = sides_of([(code, name) for code, _, name in leaders.values()])
    own: list[list[Code]] = [[] for _ in SPLITS]
    for code, _, _ in leaders.values():
        own[sides[code.group]].append(code)
    train = [pieces for _, pieces, _ in leaders.values() if sides[pieces.group] == TRAIN]
    found, leaking = {}, set()
    for name, codes in zip(SPLITS[1:], own[1:], strict=True):
        evaluation = Evaluation(name, codes, {})
        found[name] = leaks(own[TRAIN], evaluation), evaluation
    for evaluation in against:
        found[evaluation.name] = leaks(train, evaluation), evaluation
    leaking = {leak.group for each, _ in found.values() for leak in each} if drop else set()
    of_program = bytearray(
        LEFT_OUT if each in leaking and sides[each] == TRAIN else sides[each] for each in groups
    )
    about = {
        "programs": len(groups),
        "origins": len(origins),  # functions, or tasks of a set
        "repetitions_left_out": repeated,
        "near_copies_moved": moved,  # codes that are on the side of what they are like
        "leaks": {
            "threshold": THRESHOLD,
            "programs_left_out": of_program.count(LEFT_OUT),
            "against": {name: report(each, leak) for name, (leak, each) in found.items()},
        },
    }
    return Plan(path, digests, of_program, about)


def chunks(programs: Iterable[Program]) -> Iterator[tuple[Program, ...]]:
    rest = iter(programs)
    return iter(lambda: tuple(islice(rest, CHUNK)), ())


def looks(programs: tuple[Program, ...], by_function: bool) -> list[Look]:
    return [
        Look(
            program,
            hash_of(f"{normalised(program.source)}\0{program.call}"),
            group(program),
            sketch(program.source),
            functions(program.source) if by_function else (),
        )
        for program in programs
    ]


def sides_of(codes: list[tuple[Code, str]]) -> tuple[dict[int, int], int]:
    """The side of each group, and how many are not on that of their own digest."""
    leader = {code.group: code.group for code, _ in codes}
    order = {group: number for number, group in enumerate(leader)}

    def find(group: int) -> int:
        while leader[group] != group:
            leader[group] = group = leader[leader[group]]
        return group

    hashes = np.stack([code.sketches[0].hashes for code, _ in codes]) if codes else None
    for i, j, _ in pairs(hashes) if hashes is not None else ():
        first, second = (find(codes[at][0].group) for at in (i, j))
        if order[first] > order[second]:
            first, second = second, first
        leader[second] = first
    own = {code.group: SPLITS.index(split(name)) for code, name in codes}
    sides = {group: own[find(group)] for group in leader}
    return sides, sum(sides[group] != own[group] for group in sides)
