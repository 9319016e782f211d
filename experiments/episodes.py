"""Followed calls for the imagination player: which ones, and each step as rows to show."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SHOWN = 12  # calls of a suite
STEPS = 400  # of one call
CHARACTERS = 600  # of one value
LIKED = 12  # steps: long enough to go wrong, short enough to look at
LAST = (True, True, float("inf"))  # a rank


class Mode(NamedTuple):
    """One call as one mode follows it: step i is the state before statement i.

    A row is (name, value) where model and program agree, else (name, true, imagined), with None
    where the name is not bound.
    """

    lines: list[int]
    kinds: list[str]
    statements: list[str]
    steps: list[list[tuple]]
    right: list[bool]
    output: tuple[str | None, str | None]  # true, imagined
    cut: int  # steps that are not shown


class Episode(NamedTuple):
    title: str
    modes: dict[str, Mode]


def choose(path: Path) -> list[Episode]:
    """Short calls with right and wrong steps first; the file is read twice, and never held."""
    if not path.is_file():
        return []
    places: dict[tuple, list[int]] = {}
    ranks: dict[tuple, tuple] = {}
    for at, record in records(path):
        call = str(record.get("id")), str(record.get("scope"))
        places.setdefault(call, []).append(at)
        ranks[call] = min(ranks.get(call, LAST), rank(record))
    chosen = sorted(ranks, key=lambda call: ranks[call])[:SHOWN]
    return [episode([read_at(path, at) for at in places[call]]) for call in chosen]


def records(path: Path) -> Iterator[tuple[int, dict]]:
    with path.open("rb") as file:
        at = 0
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if isinstance(record, dict) and frames(record):
                yield at, record
            at += len(line)


def read_at(path: Path, at: int) -> dict:
    with path.open("rb") as file:
        file.seek(at)
        return json.loads(file.readline())


def rank(record: dict) -> tuple[bool, bool, float]:
    """Low for what is worth looking at; a mistake is seen best where it has consequences."""
    right = [true == imagined for true, imagined in frames(record)[1:]]
    mixed = any(right) and not all(right)
    return not mixed, record.get("mode") == "filter", abs(len(right) - LIKED)


def frames(record: dict) -> list[tuple[dict, dict]]:
    """(true, imagined) per step, as far as both go."""
    pairs = zip(items(record, "true"), items(record, "predicted"), strict=False)
    return [(t, p) for t, p in pairs if isinstance(t, dict) and isinstance(p, dict)]


def items(record: dict, key: str) -> list:
    return record[key] if isinstance(record.get(key), list) else []


def episode(found: list[dict]) -> Episode:
    first = found[0]
    name = first.get("input") or first.get("entry") or "?"
    origin = first.get("origin") or first.get("id")
    title = f"{shorten(name, 60)} ({shorten(origin, 60)})"
    return Episode(title, {visible(record.get("mode")): followed(record) for record in found})


def followed(record: dict) -> Mode:
    pairs = frames(record)
    shown = pairs[:STEPS]
    count = len(shown)
    return Mode(
        [line if isinstance(line, int) else 0 for line in filled(record, "lines", count, 0)],
        [shorten(kind, 40) for kind in filled(record, "kinds", count, "")],
        [shorten(text, CHARACTERS) for text in filled(record, "statements", count, "")],
        [rows(true, imagined) for true, imagined in shown],
        [true == imagined for true, imagined in shown],
        (text_or_none(record.get("true_output")), text_or_none(record.get("predicted_output"))),
        len(pairs) - count,
    )


def filled(record: dict, key: str, count: int, spare: Any) -> list:
    found = items(record, key)[:count]
    return found + [spare] * (count - len(found))


def rows(true: dict, imagined: dict) -> list[tuple]:
    found: list[tuple] = []
    for name in true | imagined:
        one, other = true.get(name), imagined.get(name)
        held = (text_or_none(one),) if one == other else (text_or_none(one), text_or_none(other))
        found.append((shorten(name, 80), *held))
    return found


def text_or_none(x: Any) -> str | None:
    return None if x is None else shorten(x, CHARACTERS)


def shorten(x: Any, limit: int) -> str:
    text = visible(x)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def visible(x: Any) -> str:
    """Control characters, and those that reorder or hide text, as signs that one can see."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"⟨U+{ord(c):04X}⟩" for c in str(x))
