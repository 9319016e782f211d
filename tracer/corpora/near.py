"""Near copies of code: MinHash over shingles of normalised tokens.

The tokens of a program are the nodes of its syntax tree with their texts, in order; layout,
comments, docstrings and annotations are none. A shingle is SHINGLE tokens in a row, and the
similarity of two programs is the share of their shingles that both have (Jaccard; the second of two
equal shingles is another one), estimated from the least values of HASHES hash functions over them
(Broder 1997). There are two sketches of a program: one of its names as they are, and one of its
names numbered in the order of their first use. Two programs are as similar as their more similar
sketches: a copy with one more line keeps its names, and a copy with other names keeps their order.
"""

import ast
import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from tracer.corpora.syntax import parse

SHINGLE = 8  # tokens
HASHES = 128  # of each sketch; 16 bits are kept of each
NEIGHBOURS = 16  # programs of a band that each is compared with
THRESHOLD = 0.8

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_SKIPPED = {"ctx", "annotation", "returns", "type_comment", "kind", "type_params", "type_ignores"}
_NAMES = {"id", "arg", "name", "asname"}


def hash_of(text: str) -> int:
    """64 bits, the same on every machine."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


_FACTOR = np.array([hash_of(f"factor/{n}") | 1 for n in range(HASHES)], np.uint64)
_SHIFT = np.array([hash_of(f"shift/{n}") for n in range(HASHES)], np.uint64)
_POWERS = np.array([pow(0x9E3779B97F4A7C15, n, 1 << 64) for n in range(SHINGLE)], np.uint64)


class Sketch:
    """What is remembered of a piece of code."""

    def __init__(self, node: ast.AST):
        tokens = list(_tokens(node))
        self.digest = hash_of("\0".join(tokens))  # of the names as they are
        self.hashes = np.stack([_least(tokens), _least(_numbered(tokens))])


@lru_cache(maxsize=64)  # the inputs of one function come one after the other
def sketch(source: str) -> Sketch:
    """Of a whole program; of its text where it is no Python."""
    return Sketch(_tree(source))


@lru_cache(maxsize=64)
def functions(source: str) -> tuple[Sketch, ...]:
    """Of each function and class of a program; of all of it where it has none."""
    tree = _tree(source)
    body = tree.body if isinstance(tree, ast.Module) else []
    found = [node for node in body if isinstance(node, _DOCUMENTED)]
    return tuple(map(Sketch, found or [tree]))


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of sketches [..., 2, HASHES], by pairs."""
    return (a == b).mean(-1).max(-1)


def pairs(hashes: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Which of the sketches [N, 2, HASHES] are near copies of an earlier one, and how similar."""
    found: dict[tuple[int, int], float] = {}
    for band in _bands(hashes).T:
        order = np.argsort(band, kind="stable")
        ordered = band[order]
        for step in range(1, min(NEIGHBOURS, len(order) - 1) + 1):
            at = np.flatnonzero(ordered[step:] == ordered[:-step])
            if not len(at):
                break
            first, second = order[at], order[at + step]
            alike = similarity(hashes[first], hashes[second])
            for i, j, s in zip(first, second, alike, strict=True):
                if s >= THRESHOLD:
                    found[int(i), int(j)] = float(s)
    yield from ((i, j, s) for (i, j), s in sorted(found.items()))


def matches(ours: np.ndarray, theirs: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Which of our sketches are near copies of which of theirs, and how similar."""
    found: dict[tuple[int, int], float] = {}
    for band, other in zip(_bands(ours).T, _bands(theirs).T, strict=True):
        by_key: dict[int, list[int]] = defaultdict(list)
        for number, key in enumerate(other.tolist()):
            by_key[key].append(number)
        for i in np.flatnonzero(np.isin(band, other)).tolist():
            for j in by_key[int(band[i])]:
                if (i, j) not in found:
                    found[i, j] = float(similarity(ours[i], theirs[j]))
    yield from ((i, j, s) for (i, j), s in sorted(found.items()) if s >= THRESHOLD)


def _bands(hashes: np.ndarray) -> np.ndarray:
    """Four hashes as one number [N, bands]: programs that agree in a band are compared."""
    return hashes.reshape(len(hashes), -1).view(np.uint64)


def _tree(source: str) -> ast.AST:
    try:
        return parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Constant(source)


def _tokens(node: ast.AST) -> Iterator[str]:
    """Preorder; a name begins with a space, which nothing else does."""
    waiting: list[object] = [node]
    while waiting:
        at = waiting.pop()
        if isinstance(at, str):
            yield at
            continue
        yield type(at).__name__
        fields = vars(at)
        if isinstance(at, _DOCUMENTED) and ast.get_docstring(at, clean=False) is not None:
            fields = fields | {"body": at.body[1:]}
        inner: list[object] = []
        for name in at._fields if isinstance(at, ast.AST) else ():
            value = fields.get(name)
            if name in _SKIPPED or value is None and not isinstance(at, ast.Constant):
                continue
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST):
                    inner.append(each)
                elif each is not None or isinstance(at, ast.Constant):
                    inner.append(f" {each}" if name in _NAMES else f"={each!r}")
        waiting += reversed(inner)


def _numbered(tokens: list[str]) -> list[str]:
    numbers: dict[str, str] = {}
    return [
        numbers.setdefault(each, f" {len(numbers)}") if each[0] == " " else each for each in tokens
    ]


@lru_cache(maxsize=1 << 16)
def _code(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "surrogatepass"))


def _least(tokens: list[str]) -> np.ndarray:
    """The least value of each hash function over the shingles [HASHES]."""
    codes = np.array([_code(token) for token in tokens], np.uint64)
    codes = np.pad(codes, (0, max(0, SHINGLE - len(codes))))
    windows = np.lib.stride_tricks.sliding_window_view(codes, SHINGLE)
    shingles = (windows * _POWERS).sum(-1, dtype=np.uint64)
    shingles = np.sort(shingles)
    turn = np.arange(len(shingles)) - np.searchsorted(shingles, shingles)
    shingles = (shingles + turn.astype(np.uint64) * _POWERS[1]) * _POWERS[1]
    shingles ^= shingles >> np.uint64(31)
    hashed = shingles[:, None] * _FACTOR + _SHIFT
    return ((hashed >> np.uint64(20)).min(0) & np.uint64(0xFFFF)).astype(np.uint16)
