"""Training programs that are copies of what a model will be tested on.

Copies are looked for function by function: a module that holds a function of an evaluation set
leaks it, whatever else it holds. Exact is the same normalised source, near a similarity of at least
THRESHOLD; see `tracer.corpora.near`.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from tracer.corpora import cruxeval, humaneval, livecodebench, mbpp
from tracer.corpora.near import THRESHOLD, Sketch, functions, matches
from tracer.schema import Program

READERS = {
    "cruxeval": cruxeval.programs,
    "humaneval": humaneval.programs,
    "mbpp": mbpp.programs,
    "livecodebench": livecodebench.programs,
}

Set = Callable[
    [], tuple[Iterable[Program], dict[str, Any]]
]  # its programs, and where they are from


class Code(NamedTuple):
    """The pieces of a program that are compared."""

    origin: str
    group: int  # that decides its side
    sketches: Sequence[Sketch]


class Evaluation(NamedTuple):
    """What a model will be tested on."""

    name: str
    codes: list[Code]
    about: dict[str, Any]  # where it comes from


class Leak(NamedTuple):
    of: str  # origin in the evaluation set
    train: str  # origin of a training program
    group: int  # of that program
    similarity: float
    is_exact: bool


def read_evaluation(text: str, others: Mapping[str, Set] = MappingProxyType({})) -> Evaluation:
    """The set that `NAME:FILE` means, or the NAME of one of the others."""
    name, _, path = text.partition(":")
    if text in others:
        return evaluation(name, *others[name]())
    if name not in READERS or not path:
        said = "give one of " + ", ".join([*(f"{each}:FILE" for each in READERS), *others])
        raise ValueError(f"no evaluation set {text!r}; {said}")
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return evaluation(name, READERS[name](path), {"path": path, "sha256": digest})


def evaluation(name: str, programs: Iterable[Program], about: dict[str, Any]) -> Evaluation:
    sources = {program.source: program.origin for program in programs}
    codes = [Code(origin, 0, functions(source)) for source, origin in sources.items()]
    return Evaluation(name, codes, about)


def leaks(train: Iterable[Code], evaluation: Evaluation) -> list[Leak]:
    """One for each pair of a function of a set and a training program."""
    ours = [(code, sketch) for code in train for sketch in code.sketches]
    theirs = [(code, sketch) for code in evaluation.codes for sketch in code.sketches]
    if not ours or not theirs:
        return []
    stacks = [np.stack([sketch.hashes for _, sketch in each]) for each in (ours, theirs)]
    found: dict[tuple[str, str], Leak] = {}
    for i, j, similarity in matches(*stacks):
        (code, a), (other, b) = ours[i], theirs[j]
        leak = Leak(other.origin, code.origin, code.group, similarity, a.digest == b.digest)
        at = other.origin, code.origin
        if at not in found or leak[3:] > found[at][3:]:
            found[at] = leak
    return list(found.values())


def report(evaluation: Evaluation, found: list[Leak]) -> dict[str, Any]:
    """For the manifest: how many leak, and which are copies of which."""
    kinds = {"exact": [], "near": []}
    for leak in found:
        kinds["exact" if leak.is_exact else "near"].append(leak)
    count = Counter(len(code.sketches) > 0 for code in evaluation.codes)[True]
    about: dict[str, Any] = evaluation.about | {"programs": count, "threshold": THRESHOLD}
    for kind, each in kinds.items():
        about[kind] = {
            "programs": len({leak.of for leak in each}),
            "ids": [[leak.of, leak.train, round(leak.similarity, 3)] for leak in each],
        }
    return about
