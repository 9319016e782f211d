"""Writes whole programs of the balanced families: definitions, a function, and its arguments.

Most statements are drawn operation first, and then a template that holds it, so that no
operation is rare. A variable that a template needs and that is not there becomes a parameter.
"""

import ast
import re
from collections import Counter
from collections.abc import Set
from functools import cache
from random import Random
from textwrap import indent
from typing import NamedTuple

from tracer.corpora.synthetic.families import MODULES, Grammar, full_grammar, held_by, used
from tracer.corpora.synthetic.literals import FUNCTIONS, MORE_ANNOTATIONS, spell
from tracer.corpora.synthetic.scope import Scope
from tracer.corpora.synthetic.template import (
    GAP,
    TYPICAL,
    Definition,
    Template,
    blocks,
    expression,
)
from tracer.corpora.synthetic.writer import LOCALS, Unsuitable, Writer

PARAMETERS = 4  # at most
BALANCE = 0.8  # the share of the statements that are drawn for what they hold
OF_FOCUS = 8  # operations of the program's family, to one of another
TRIES = 8  # to write an operation that was drawn
HIDDEN = ("object", "func", "stream")  # kinds whose values are not returned


class Draft(NamedTuple):
    """A program without its call: the kinds of its parameters say what to call it with."""

    source: str
    name: str
    kinds: tuple[str, ...]

    def call(self, grammar: Grammar, rng: Random, level: int) -> str:
        """A call with new arguments; sometimes two of one kind are equal."""
        literals, given, arguments = grammar.literals, {}, []
        for kind in self.kinds:
            value = literals[kind](rng, level)
            if kind in given and rng.random() < 0.15:
                value = given[kind]
            given[kind] = value
            arguments.append(spell(value))
        return f"{self.name}({', '.join(arguments)})"


class BalancedWriter(Writer):
    """Draws the statements of one function of a program that may have several."""

    def __init__(
        self,
        grammar: Grammar,
        rng: Random,
        focus: str,
        families: Set[str],
        level: int,
        balance: float = BALANCE,
    ):
        super().__init__(grammar, rng, focus, families, level)
        self.balance = balance
        self.parameters: dict[str, str] = {}
        self.may_demand = True
        self.around = sorted(families)
        wanted = grammar.wanted
        self.weights = [len(wanted[f]) * (OF_FOCUS if f == focus else 1) for f in self.around]
        # What the definitions of this program offer.
        self.offered: list[Template] = []
        self.offered_expressions: dict[str, list[Template]] = {}

    def add_parameter(self, scope: Scope, kind: str) -> str:
        name = self._new_name(scope, kind)
        self.parameters[name] = kind
        scope.bind_at_the_start(name, kind, TYPICAL.get(kind, 3))
        return name

    def write(self, scope: Scope, template: Template, left: int = 99) -> list[str]:
        """The lines of this very statement; none where it does not fit."""
        used = set(self.used)
        try:
            return self._fill_statement(template, scope, left)
        except Unsuitable:
            self.used &= used | scope.types.keys()
            return []

    def define(self, definition: Definition) -> tuple[str, str]:
        """The name and text of a definition; what it offers is drawn from then on."""
        name = self.rng.choice(definition.names.split())
        own = (self.grammar, self.rng, self.focus, self.families, self.level, self.balance)
        inner = BalancedWriter(*own)
        inner.may_demand, inner.used = False, set(definition.reads)
        scope = Scope()
        for variable, kind in definition.reads.items():
            scope.bind(variable, kind, TYPICAL.get(kind, 3))
        head, *rest = definition.text.replace("$", name).split("{body}\n")
        text = inner.fill(head, scope)
        for part in rest:
            lines = inner.statements(scope, self.rng.randint(1, 2 + self.level)) or ["pass"]
            text += indent("\n".join(lines), "    ") + "\n" + inner.fill(part, scope)
        for kind, table in definition.expressions.items():
            lines = table.replace("$", name).split("\n")
            templates = [expression(definition.family, kind, line) for line in lines]
            self.offered_expressions.setdefault(kind, []).extend(templates)
            self.offered += used({kind: templates})
        if definition.statements:
            self.offered += blocks(definition.family, definition.statements.replace("$", name))
        return name, text

    def result(self, scope: Scope) -> str:
        shown = Scope(scope)
        for name in [name for name, kind in scope.types.items() if kind in HIDDEN]:
            del shown.types[name]
        return super().result(shown)

    def fill(self, text: str, scope: Scope) -> str:
        """The text of a part of a definition, which has to fit."""
        for _ in range(99):
            try:
                return "".join(self._fill(text, scope, 1, set())[0])
            except Unsuitable:
                pass
        raise AssertionError(f"nothing fits into {text!r}")

    def _fill(
        self, text: str, scope: Scope, depth: int, avoid: Set[str], whole: bool = False
    ) -> tuple[list[str], list[int], dict[str, str]]:
        """As before, but hardly ever with the same variable twice: `n - n` says little."""
        filled = super()._fill(text, scope, depth, avoid, whole)
        pairs = zip(GAP.split(text), filled[0], strict=True)
        names = [piece for gap, piece in pairs if gap != piece and gap[-3:-2] != " "]
        names = [name for name in names if name in scope.types]
        if len(set(names)) < len(names) and self.rng.random() < 0.8:
            raise Unsuitable
        return filled

    def _missing(self, scope: Scope, kind: str, without: Set[str]) -> str:
        if scope.loops and without >= scope.tainted:
            raise Unsuitable  # the loop would carry it, and the template makes it grow
        full = len(self.parameters) >= PARAMETERS or len(self.used) >= LOCALS - 1
        if not self.may_demand or full or kind not in self.grammar.literals:
            raise Unsuitable
        return self.add_parameter(scope, kind)

    def _statement(self, scope: Scope, left: int) -> list[str]:
        """One that uses a definition, one that holds an operation, or just any."""
        chance, templates = self.rng.random(), ()
        if self.offered and chance < 0.35:
            templates = self.offered
        elif chance < self.balance:
            family = self.rng.choices(self.around, self.weights)[0]
            templates = self.rng.choice(self.grammar.wanted[family])
        for _ in range(TRIES if templates else 0):
            if lines := self.write(scope, self.rng.choice(templates), left + 6):
                return lines
        return super()._statement(scope, left)

    def _choose_expression(self, kind: str) -> Template:
        offered = self.offered_expressions.get(kind)
        if offered and self.rng.random() < 0.3:
            return self.rng.choice(offered)
        return super()._choose_expression(kind)


def compose(
    rng: Random, focus: str, families: Set[str], level: int, balance: float = BALANCE
) -> Draft:
    """One program, drawn at random; whether it ends, and how, is not known yet."""
    grammar = full_grammar()
    writer, scope = BalancedWriter(grammar, rng, focus, families, level, balance), Scope()
    parts, lines = [], []
    for kind in rng.sample(MODULES[focus].PARAMETERS, rng.choice((1, 1, 2))):
        writer.add_parameter(scope, kind)
    for definition in _definitions(rng, focus, families):
        defined, text = writer.define(definition)
        parts.append(text)
        if definition.setup:
            for template in blocks(definition.family, definition.setup.replace("$", defined)):
                lines += writer.write(scope, template)
    lines += writer.statements(scope, rng.randint(3 + level, 5 + 3 * level))
    lines.append(writer.result(scope))
    body = "\n".join(lines)
    kinds = {name: kind for name, kind in writer.parameters.items() if _reads(body, name)}
    header = list(kinds)
    if rng.random() < 0.3:
        header = [f"{name}: {MORE_ANNOTATIONS.get(kind, kind)}" for name, kind in kinds.items()]
    name = rng.choice(FUNCTIONS)
    parts.append(f"def {name}({', '.join(header)}):\n" + indent(body, "    "))
    source = ast.unparse(ast.parse("\n\n".join(parts))) + "\n"
    return Draft(source, name, tuple(kinds.values()))


def _definitions(rng: Random, focus: str, families: Set[str]) -> list[Definition]:
    """Which definitions a program begins with: at least one where its family is about them."""
    own = _table(focus)
    if focus in ("functions", "classes"):
        count = 2 if focus == "functions" and rng.random() < 0.4 else 1
    else:
        own = own or _table("functions" if "functions" in families else focus)
        count = int(bool(own) and rng.random() < (0.5 if own[0][0].family == focus else 0.15))
    found = []
    for _ in range(count):
        definition = rng.choices([d for d, _ in own], [weight for _, weight in own])[0]
        if definition not in found:
            found.append(definition)
    return found


@cache
def _table(family: str) -> list[tuple[Definition, float]]:
    """The definitions of a family, as if an operation were drawn first that others lack."""
    definitions = [each for each in full_grammar().definitions if each.family == family]
    held = [held_by(each).keys() - full_grammar().common for each in definitions]
    number = Counter(name for names in held for name in names)
    return [
        (definition, max(0.2, sum(1 / number[name] for name in sorted(names))))
        for definition, names in zip(definitions, held, strict=True)
    ]


def _reads(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None
