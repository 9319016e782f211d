"""Fills the templates of the grammar: draws typed statements that a scope allows."""

import re
from collections.abc import Iterable, Set
from functools import lru_cache
from itertools import accumulate
from math import ceil
from random import Random
from textwrap import indent
from typing import Any

from tracer.corpora.synthetic.families import Grammar
from tracer.corpora.synthetic.literals import spell
from tracer.corpora.synthetic.scope import Scope
from tracer.corpora.synthetic.template import GAP, Template, is_loop

_WORD = re.compile(r"[a-z_]\w*")
_NOTHING = re.compile(r"(\w+) = \(?\1\)?")
LOCALS = 7  # of the 8 slots of the model
_MUST_VARY = ("int", "item", "float", "bool", "str")  # an expression of these reads a variable
_TURNS = (1, 5, 12)  # how often a statement may run, by the number of loops around it
_SCALARS = set("int item float bool str bytes pair row frozen window any maybe".split())


class Unsuitable(Exception):
    """The template does not fit here: a variable is missing, or a value might become too large."""


class Writer:
    """Draws the statements of one function."""

    def __init__(self, grammar: Grammar, rng: Random, focus: str, families: Set[str], level: int):
        self.grammar, self.rng, self.level = grammar, rng, level
        self.focus, self.families = focus, frozenset(families)
        self.used: set[str] = set()  # all names of the function

    def parameter(self, scope: Scope, kind: str) -> str:
        value = self.grammar.literals[kind](self.rng, self.level)
        if isinstance(value, int) and self.rng.random() < 0.2:
            value = -value
        scope.bind(self._new_name(scope, kind), kind, size_of(value))
        return repr(value)

    def result(self, scope: Scope) -> str:
        recent = list(scope.types)[-2:]
        chance = self.rng.random()
        if chance < 0.2:
            return f"return {', '.join(recent)}"
        if chance < 0.4:
            return f"return {self._expression(scope, scope.types[recent[-1]], 1)[0]}"
        return f"return {recent[-1]}"

    def statements(self, scope: Scope, left: int, most: int = 99) -> list[str]:
        """The lines of at most so many statements, in at most so many lines."""
        lines = []
        while left > 0 and most > 0:
            drawn = self._statement(scope, left)
            if not drawn:
                break
            lines += drawn
            left, most = left - len(drawn), most - 1
        return lines

    def _statement(self, scope: Scope, left: int) -> list[str]:
        """The lines of one statement; none where nothing fits."""
        for _ in range(60):
            used = set(self.used)
            try:
                return self._fill_statement(self._choose_statement(scope), scope, left)
            except Unsuitable:
                self.used &= used | scope.types.keys()
        return []

    def _fill_statement(self, template: Template, scope: Scope, left: int) -> list[str]:
        nested = "{body}" in template.text
        if template.text.count("\n") + 1 > left or (template.jumps and not scope.loops):
            raise Unsuitable
        if nested and scope.depth >= min(self.level, 2):
            raise Unsuitable
        if nested and scope.loops and is_loop(template.text) and self.rng.random() < 0.8:
            raise Unsuitable  # a loop in a loop makes most of the steps, and they repeat
        avoid = scope.tainted if template.grows else set()
        depth = 1 if self.level == 1 else self.rng.choice((1, 2, self.level))
        texts, sizes, targets = self._fill(template.text, scope, depth, avoid, whole=True)
        if _NOTHING.fullmatch("".join(texts)):
            raise Unsuitable
        size = _result_size(template, sizes)
        words = set(_WORD.findall("".join(texts)))
        inner = Scope(scope) if nested else scope
        grown = {name: self._grown(scope, name, kind, size) for name, kind in targets.items()}
        for name, kind in targets.items():
            inner.bind(name, kind, grown[name])
            if words & scope.tainted:
                inner.tainted.add(name)
        if nested:
            inner.fixed |= set(texts) & set(inner.types)
            self._fill_bodies(template, texts, scope, inner, left)
        return "".join(texts).split("\n")

    def _grown(self, scope: Scope, name: str, kind: str, size: int) -> int:
        """The size of a variable after all turns of the loops around, if each adds as much."""
        if name in scope.carried:
            turns = _TURNS[min(scope.loops, 2)]
            size += max(0, size - scope.sizes[name]) * (turns - 1)
        if size > self.grammar.limit(kind):
            raise Unsuitable
        return size

    def _fill_bodies(
        self, template: Template, texts: list[str], scope: Scope, inner: Scope, left: int
    ) -> None:
        inner.depth += 1
        if is_loop(template.text):
            inner.enter_loop(self.rng)
        left -= template.text.count("\n") + 1 - texts.count("{body}")
        bodies = []
        for i in [i for i, text in enumerate(texts) if text == "{body}"]:
            body = Scope(inner)
            lines = self.statements(body, left, self.rng.choice((1, 1, 2, 2, 3)))
            if not lines:
                raise Unsuitable
            left -= len(lines)
            texts[i] = indent("\n".join(lines), "    ")
            bodies.append(body)
        scope.leave(bodies, whole=_covers(template.text))

    def _fill(
        self, text: str, scope: Scope, depth: int, avoid: Set[str], whole: bool = False
    ) -> tuple[list[str], list[int], dict[str, str]]:
        """The text in pieces, the sizes of what it reads, and the types of the names it changes."""
        pieces: list[str] = []
        sizes: list[int] = []
        labels: dict[str, str] = {}
        bound: dict[str, str] = {}
        changed: dict[str, str] = {}
        for piece in GAP.split(text):
            if piece in labels:
                piece = labels[piece]
            elif piece in ("{{", "}}"):
                piece = piece[0]
            elif GAP.fullmatch(piece) and piece != "{body}":
                gap, (mode, kind, *_) = piece, [*piece[1:-1].split(" "), ""]
                if mode in ("new", "fresh"):
                    piece = self._new_name(scope, kind, bound, mode == "fresh")
                    bound[piece] = kind
                else:
                    piece, size = self._read(scope, mode, kind, depth, avoid, changed, whole)
                    sizes.append(size)
                if mode == "own":
                    changed[piece] = kind
                if gap[-3] == " ":  # ends in a letter
                    labels[gap] = piece
            pieces.append(piece)
        return pieces, sizes, bound or changed

    def _read(
        self,
        scope: Scope,
        mode: str,
        kind: str,
        depth: int,
        avoid: Set[str],
        changed: dict[str, str],
        whole: bool,
    ) -> tuple[str, int]:
        if mode in ("var", "own"):
            without = avoid | scope.fixed | set(changed) if mode == "own" else avoid
            return self._variable(scope, kind, without)
        if mode not in self.grammar.expressions and mode not in ("item", "any"):
            value = self.grammar.literals[mode](self.rng, self.level)
            return spell(value), size_of(value)
        # A list must not get a second name: a loop over one could then append to the other.
        alias = not whole or mode in _SCALARS
        composite = depth > 0 and self.rng.random() < (0.85 if whole else 0.35)
        if composite or not alias or (mode == "bool" and depth > -2):
            return self._expression(scope, mode, depth - 1, avoid, alias)
        return self._atom(scope, mode, avoid, alias)

    def _expression(
        self, scope: Scope, kind: str, depth: int, avoid: Set[str] = frozenset(), alias: bool = True
    ) -> tuple[str, int]:
        name = "int" if kind == "item" else kind
        if name not in self.grammar.expressions:
            return self._atom(scope, kind, avoid, alias)
        for _ in range(12):
            try:
                template = self._choose_expression(name)
                if depth < 0 and "{bool}" in template.text:
                    continue
                without = avoid | scope.tainted if template.grows else avoid
                pieces, sizes, _ = self._fill(template.text, scope, depth, without)
            except Unsuitable:
                continue
            text, size = "".join(pieces), _result_size(template, sizes)
            constant = scope.types.keys().isdisjoint(_WORD.findall(text))
            if size <= self.grammar.limit(kind) and not (constant and kind in _MUST_VARY):
                return f"({text})", size
        return self._atom(scope, kind, avoid, alias)

    def _atom(self, scope: Scope, kind: str, avoid: Set[str], alias: bool) -> tuple[str, int]:
        if alias and self.rng.random() < 0.75:
            try:
                return self._variable(scope, kind, avoid)
            except Unsuitable:
                pass
        if kind not in self.grammar.literals:
            raise Unsuitable
        value = self.grammar.literals[kind](self.rng, self.level)
        return f"({spell(value)})", size_of(value)

    def _variable(self, scope: Scope, kind: str, without: Set[str]) -> tuple[str, int]:
        names = scope.named("int" if kind == "item" else kind, without)
        names = [name for name in names if scope.sizes[name] <= self.grammar.limit(kind)]
        if not names:
            name = self._missing(scope, "int" if kind == "item" else kind, without)
        else:
            name = names[-1] if self.rng.random() < 0.4 else self.rng.choice(names)
        return name, scope.sizes[name]

    def _missing(self, scope: Scope, kind: str, without: Set[str]) -> str:
        """The name of a variable where the scope has none of this kind, save for `without`."""
        raise Unsuitable

    def _new_name(
        self, scope: Scope, kind: str, taken: Iterable[str] = (), fresh: bool = True
    ) -> str:
        """A name to bind: one that may change, one of another branch, or a new one."""
        old = [name for name in scope.named(kind, scope.fixed) if name not in taken]
        if old and not fresh and self.rng.random() < (0.7 if scope.loops else 0.45):
            return self.rng.choice(old)
        names = [
            name
            for name in self.grammar.names[kind]
            if name not in scope.types and name not in taken
        ]
        known = [name for name in names if name in self.used]
        if len(self.used) >= LOCALS:
            names = known or ([] if fresh else old)
        elif known and self.rng.random() < 0.5:
            names = known
        if not names:
            raise Unsuitable
        name = self.rng.choice(names)
        self.used.add(name)
        return name

    def _choose_statement(self, scope: Scope) -> Template:
        return self._choose("in loops" if scope.loops else "statement")

    def _choose_expression(self, kind: str) -> Template:
        return self._choose(kind)

    def _choose(self, name: str) -> Template:
        table = _table(self.grammar, name, self.focus, self.families, self.level)
        fit, weights = table
        if not fit:
            raise Unsuitable
        return self.rng.choices(fit, cum_weights=weights)[0]


@lru_cache(maxsize=4096)
def _table(
    grammar: Grammar, name: str, focus: str, families: frozenset[str], level: int
) -> tuple[list[Template], list[float]]:
    """The templates for an expression of a type, or a statement, and their summed weights."""
    templates = grammar.expressions.get(name, grammar.statements)
    fit = [t for t in templates if t.family in families and t.level <= level]
    factors = [_use_in_loops(t) if name == "in loops" else 1 for t in fit]
    weights = [
        t.weight * factor * (3 if t.family == focus else 1)
        for t, factor in zip(fit, factors, strict=True)
    ]
    return fit, list(accumulate(weights))


def _use_in_loops(template: Template) -> float:
    """A loop is there to change what was bound before it."""
    return 4 if "{own" in template.text else 0.2 if "{fresh" in template.text else 1


def _covers(text: str) -> bool:
    """Whether one of the bodies surely runs to its end."""
    return not is_loop(text) and ("else:" in text or "\nexcept" in text)


def size_of(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, int | float):
        return ceil(abs(value))
    return max(map(abs, value), default=0) if isinstance(value, tuple) else len(value)


def _result_size(template: Template, sizes: list[int]) -> int:
    return template.size if isinstance(template.size, int) else template.size(sizes)
