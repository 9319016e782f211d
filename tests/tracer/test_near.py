"""Copies are found under other names, layouts and small edits; other programs are none."""

from itertools import combinations
from random import Random

import numpy as np
import pytest

from tracer.corpora import synthetic
from tracer.corpora.near import THRESHOLD, functions, matches, pairs, similarity, sketch

PLAIN = """\
def merge(left, right):
    found = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            found.append(left[i])
            i += 1
        else:
            found.append(right[j])
            j += 1
    return found + left[i:] + right[j:]
"""
COPIES = {
    "layout, comments and a docstring": "'Doc.'\n"
    + PLAIN.replace("found = []", "'Merge.'\n    found = []  # so far").replace("[i:]", "[i :]"),
    "annotations": PLAIN.replace("(left, right)", "(left: list[int], right: list) -> list"),
    "other names": PLAIN.replace("found", "out").replace("left", "a").replace("merge", "zip_up"),
    "one more line": PLAIN.replace("    found = []", "    count = 0\n    found = []"),
    "another constant": PLAIN.replace("i += 1", "i += 2"),
}
OTHER = """\
def merge(left, right):
    found = {}
    for key in left:
        if key in right and left[key] != right[key]:
            found[key] = (left[key], right[key])
    return sorted(found.items())
"""


def alike(one: str, other: str) -> float:
    return float(similarity(sketch(one).hashes, sketch(other).hashes))


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_near(kind):
    assert alike(PLAIN, COPIES[kind]) >= THRESHOLD


@pytest.mark.parametrize("kind", list(COPIES)[:2])
def test_what_says_the_same_is_exactly_the_same(kind):
    assert sketch(COPIES[kind]).digest == sketch(PLAIN).digest
    assert alike(PLAIN, COPIES[kind]) == 1.0


def test_other_names_are_a_copy_and_not_exactly_the_same():
    assert alike(PLAIN, COPIES["other names"]) == 1.0
    assert sketch(COPIES["other names"]).digest != sketch(PLAIN).digest


def test_another_program_is_not_near():
    assert alike(PLAIN, OTHER) < 0.3


@pytest.mark.parametrize("kept", [100, 200, 300])
def test_the_estimate_is_that_of_the_shingles(kept):
    """Lists of distinct constants share as many shingles as one counts."""
    rng, found = Random(0), []
    for _ in range(5):
        whole = rng.sample(range(10**6), 400)
        found.append(alike(f"x = {whole}", f"x = {whole[:kept]}"))
    assert sum(found) / len(found) == pytest.approx(kept / 400, abs=0.07)


def test_synthetic_programs_are_no_copies_of_each_other():
    hashes = np.stack([sketch(p.source).hashes for p in synthetic.programs(150)])
    assert list(pairs(hashes)) == []


def test_pairs_are_those_that_looking_at_all_of_them_finds():
    edits = [PLAIN, *COPIES.values(), OTHER, OTHER.replace("found", "out")]
    hashes = np.stack([sketch(text).hashes for text in edits])
    wanted = [
        (i, j)
        for i, j in combinations(range(len(edits)), 2)
        if similarity(hashes[i], hashes[j]) >= THRESHOLD
    ]
    assert [(i, j) for i, j, _ in pairs(hashes)] == wanted
    half = len(edits) // 2
    across = [(i, j - half) for i, j in wanted if i < half <= j]
    assert [(i, j) for i, j, _ in matches(hashes[:half], hashes[half:])] == across


def test_a_function_is_found_in_a_module_of_others():
    module = f"import math\n\n{OTHER.replace('merge', 'diff')}\n\n{PLAIN}\n\nclass A:\n    x = 1\n"
    digests = [each.digest for each in functions(module)]
    assert len(digests) == 3
    assert sketch(PLAIN).digest not in digests  # a module is not its function
    assert functions(PLAIN)[0].digest in digests


@pytest.mark.parametrize("text", ["def (", "", "x = '\udc80'", "1" + "+1" * 20_000])
def test_what_is_no_python_or_empty_is_like_itself_alone(text):
    assert alike(text, text) == 1.0
    assert alike(text, PLAIN) < 0.3


def test_sketches_are_the_same_on_every_machine():
    found = sketch(PLAIN)
    assert found.digest == 4670714724520039923
    assert found.hashes[:, :3].tolist() == [[36070, 49686, 6019], [27835, 54922, 36183]]
