"""The families put together, and which operations each of them can write."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from textwrap import dedent
from types import ModuleType

from tracer.corpora.synthetic import (
    basic,
    classes,
    endless,
    exceptions,
    flow,
    functions,
    mappings,
    numbers,
    sequences,
    sets,
    text,
)
from tracer.corpora.synthetic import literals as words
from tracer.corpora.synthetic.literals import Draw, spell
from tracer.corpora.synthetic.operations import operations
from tracer.corpora.synthetic.template import GAP, Definition, Template, blocks, lines

MODULES: dict[str, ModuleType] = {
    "numbers": numbers,
    "flow": flow,
    "text": text,
    "sequences": sequences,
    "mappings": mappings,
    "sets": sets,
    "functions": functions,
    "classes": classes,
    "exceptions": exceptions,
    "endless": endless,
}
BASIC = basic.FAMILIES
BALANCED = tuple(name for name in MODULES if name != "endless")
FAMILIES = (*BASIC, *MODULES)


@dataclass(frozen=True, eq=False)
class Grammar:
    """Templates, and what fills their gaps."""

    expressions: Mapping[str, Sequence[Template]]
    statements: Sequence[Template]
    literals: Mapping[str, Draw]
    names: Mapping[str, Sequence[str]]
    limits: Mapping[str, int]
    definitions: Sequence[Definition] = ()
    # By family: of each operation, the statements that hold it.
    wanted: Mapping[str, Sequence[Sequence[Template]]] = field(default_factory=dict)
    common: frozenset[str] = frozenset()  # all operations that statements hold
    # How many operations a family has, those of its definitions among them.
    breadth: Mapping[str, int] = field(default_factory=dict)

    def limit(self, kind: str) -> int:
        return self.limits.get(kind, 8)


LIMITS = {"int": 10**12, "item": 999, "float": 10**6, "bool": 1, "str": 20, "pair": 10**6}
LIMITS |= {"row": 10**6}
BASIC_GRAMMAR = Grammar(
    basic.EXPRESSIONS, basic.STATEMENTS, words.LITERALS, words.NAMES, basic.LIMITS
)


@cache
def full_grammar() -> Grammar:
    """The grammar of all families but the basic ones."""
    expressions: dict[str, list[Template]] = defaultdict(list)
    statements: list[Template] = []
    for name, module in MODULES.items():
        for kind, table in module.EXPRESSIONS.items():
            expressions[kind] += lines(name, kind, dedent(table))
        statements += blocks(name, module.STATEMENTS)
    holding: dict[str, dict[str, list[Template]]] = defaultdict(lambda: defaultdict(list))
    for template in [*statements, *used(expressions)]:
        for operation in operations(sample(template.text)):
            holding[template.family][operation].append(template)
    breadth: dict[str, set[str]] = {family: set(table) for family, table in holding.items()}
    definitions = [each for m in MODULES.values() for each in getattr(m, "DEFINITIONS", ())]
    for definition in definitions:
        breadth[definition.family] |= set(held_by(definition))
    return Grammar(
        expressions={kind: balanced(templates) for kind, templates in expressions.items()},
        statements=statements,
        literals=words.RANGES,
        names=words.MORE_NAMES,
        limits=LIMITS,
        definitions=definitions,
        wanted={family: list(table.values()) for family, table in holding.items()},
        common=frozenset().union(*holding.values()),
        breadth={family: len(names) for family, names in breadth.items()},
    )


def used(expressions: Mapping[str, Iterable[Template]]) -> list[Template]:
    """Each expression as a statement: its value is bound, or decides."""
    return [
        template._replace(
            text=f"if {template.text}:\n{{body}}"
            if kind == "bool"
            else f"{{new {kind}}} = {template.text}"
        )
        for kind, templates in expressions.items()
        for template in templates
    ]


def balanced(templates: Sequence[Template]) -> list[Template]:
    """Weights as if an operation were drawn first, and then a template that holds it."""
    held = [list(operations(sample(template.text))) for template in templates]
    number = defaultdict(int)
    for names in held:
        for name in names:
            number[name] += 1
    return [
        template._replace(weight=max(0.3, sum(1 / number[name] for name in names)))
        for template, names in zip(templates, held, strict=True)
    ]


def held_by(definition: Definition) -> Counter[str]:
    """The operations of a definition, and of what it offers."""
    parts = [definition.text, *definition.expressions.values(), definition.statements]
    return operations(sample("\n".join(parts).replace("$", "each")))


def sample(text: str) -> str:
    """A template with its gaps filled by one name or literal of each type."""
    rng, pieces = Random(0), []
    for piece in GAP.split(text):
        if piece in ("{{", "}}"):
            piece = piece[0]
        elif piece == "{body}":
            piece = "    pass"
        elif GAP.fullmatch(piece):
            mode, kind, *_ = [*piece[1:-1].split(" "), ""]
            kind = kind if mode in ("var", "own", "new", "fresh") else mode
            if kind in words.MORE_NAMES:
                piece = words.MORE_NAMES[kind][0]
            else:
                piece = spell(words.RANGES[kind](rng, 1))
        pieces.append(piece)
    return "".join(pieces)
