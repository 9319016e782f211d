"""The tables that synthetic programs are drawn from: expressions and statements with typed gaps.

A gap is `{type}` (an expression), `{literal}` (a row of LITERALS), or a mode and a type:

    {var ints}    a variable to read              {new int}     a name to bind, old or new
    {own ints}    a variable to change            {fresh int}   a name to bind, always new

A letter labels a gap, and the same label is the same text again. `{body}` is a nested block, in
which the names of its header keep their values: so every loop ends. Sizes keep values small: the
magnitude of a number, the length of anything else; `size` maps the sizes of the gaps, in order, to
the size of the value, or of what the statement binds, or else changes.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple

FAMILIES = ("arithmetic", "control", "strings", "lists", "dicts")
LIMITS = {"int": 9999, "item": 99, "float": 999, "bool": 1, "str": 12, "pair": 99}
LIMITS |= {"ints": 6, "strs": 5, "counts": 6}
ITEM = LIMITS["item"]

Size = int | Callable[[Sequence[int]], int]


class Template(NamedTuple):
    family: str
    text: str
    size: Size = 0
    level: int = 1  # lowest difficulty at which it is drawn
    weight: float = 1.0
    grows: bool = False  # may not read what a loop carries round: it would grow exponentially
    jumps: bool = False  # for loop bodies only


def first(sizes: Sequence[int]) -> int:
    return sizes[0]


def last(sizes: Sequence[int]) -> int:
    return sizes[-1]


def one_more(sizes: Sequence[int]) -> int:
    return sizes[0] + 1


_A, _C, _S, _L, _D = FAMILIES
T = Template

EXPRESSIONS: dict[str, tuple[Template, ...]] = {
    "int": (
        T(_A, "{int} + {int}", sum, weight=2),
        T(_A, "{int} - {int}", sum, weight=2),
        T(_A, "{int} * {factor}", prod, weight=1.5, grows=True),
        T(_A, "{int} * {int}", prod, grows=True),
        T(_A, "{int} // {divisor}", first),
        T(_A, "{int} % {modulus}", last),
        T(_A, "{int} * {factor} % {modulus}", last),
        T(_A, "({int} + {int}) % {modulus}", last),
        T(_A, "{item} ** {power}", lambda sizes: sizes[0] ** sizes[1], grows=True),
        T(_A, "pow({item}, {power}, {modulus})", last, level=3),
        T(_A, "-{int}", first, weight=0.5),
        T(_A, "abs({int} - {int})", sum),
        T(_A, "{int} & {mask}", last),
        T(_A, "{int} | {mask}", sum),
        T(_A, "{int} ^ {mask}", sum),
        T(_A, "{int} << {shift}", lambda sizes: sizes[0] << sizes[1], weight=0.7, grows=True),
        T(_A, "{int} >> {shift}", first, weight=0.7),
        T(_A, "~{int}", one_more, weight=0.4),
        T(_A, "int({float})", first, weight=0.6),
        T(_A, "{int} // {var int}", first, weight=0.5),
        T(_A, "{int} % {var int}", last, weight=0.5),
        T(_C, "min({int}, {int})", max),
        T(_C, "max({int}, {int})", max),
        T(_C, "{int} if {bool} else {int}", lambda sizes: max(sizes[0], sizes[-1]), weight=2),
        T(_C, "{var pair}[0]", first),
        T(_C, "{var pair}[1]", first),
        T(_C, "{int} + {bool}", one_more, level=3, weight=0.4),
        T(_S, "len({str})", first, weight=1.5),
        T(_S, "{var str}.count({letter})", first),
        T(_S, "{var str}.find({letter})", first),
        T(_S, "{var str}.index({letter})", first, weight=0.2),
        T(_S, "ord({var str}[{index}])", 122, weight=0.5),
        T(_S, "int(str({int})[0])", 9, level=2, weight=0.3),
        T(_L, "{var ints}[{index}]", ITEM, weight=0.5),
        T(_L, "{var ints a}[{int} % len({var ints a})]", ITEM),
        T(_L, "len({var ints})", first),
        T(_L, "sum({ints})", lambda sizes: ITEM * sizes[0]),
        T(_L, "min({var ints})", ITEM),
        T(_L, "max({var ints})", ITEM),
        T(_L, "{var ints}.count({item})", first, weight=0.6),
        T(_L, "{var ints}.index({item})", first, weight=0.15),
        T(_L, "sum({var ints a}[:{cut}])", lambda sizes: ITEM * sizes[1], level=2),
        T(_D, "{var counts}.get({key}, 0)", ITEM, weight=2),
        T(_D, "{var counts}[{key}]", ITEM, weight=0.15),
        T(_D, "len({var counts})", first),
        T(_D, "sum({var counts}.values())", lambda sizes: ITEM * sizes[0]),
        T(_D, "max({var counts}.values())", ITEM, weight=0.5),
    ),
    "float": (
        T(_A, "{float} + {float}", sum),
        T(_A, "{float} - {float}", sum),
        T(_A, "{float} + {item}", sum),
        T(_A, "{float} * {factor}", prod, grows=True),
        T(_A, "round({float} * {float}, 1)", prod, grows=True),
        T(_A, "{item} / {half}", first, weight=1.5),
        T(_A, "round({float} / {divisor}, {digits})", first),
        T(_A, "{float} // {half}", first, weight=0.6),
        T(_A, "{float} % {half}", 10, weight=0.6),
        T(_A, "round({item} / {var int}, 2)", first, weight=0.4),
        T(_A, "abs({float})", first, weight=0.5),
        T(_C, "max({float}, {float})", max),
        T(_C, "{float} if {bool} else {float}", 99),
    ),
    "bool": (
        T(_A, "{int} > {int}"),
        T(_A, "{int} < {int}"),
        T(_A, "{int} >= {int}"),
        T(_A, "{int} <= {int}"),
        T(_A, "{int} == {int}", weight=0.5),
        T(_A, "{int} != {int}", weight=0.5),
        T(_A, "{var int} % {divisor} == 0"),
        T(_A, "{var int} % 2 == 1"),
        T(_A, "{float} < {float}", weight=0.6),
        T(_A, "{float} >= {item}", weight=0.6),
        T(_C, "{bool} and {bool}", level=2),
        T(_C, "{bool} or {bool}", level=2),
        T(_C, "not {bool}", weight=0.6),
        T(_C, "{var int} > {small}"),
        T(_C, "{var int} != {small}", weight=0.5),
        T(_C, "{cut} <= {var int} < {dozen}"),
        T(_C, "{var int} in ({small}, {small}, {modulus})", weight=0.5),
        T(_S, "{letter} in {var str}", weight=1.5),
        T(_S, "{var str}.startswith({letter})"),
        T(_S, "{var str}.endswith({letter})", weight=0.7),
        T(_S, "{var str}.isdigit()", weight=0.4),
        T(_S, "{var str a} == {var str a}[::-1]", weight=0.7),
        T(_S, "{str} < {str}", weight=0.5),
        T(_S, "len({var str}) > {small}"),
        T(_S, "{var str} == {str}", weight=0.5),
        T(_L, "{item} in {var ints}"),
        T(_L, "len({var ints}) > {count}"),
        T(_L, "{var ints a}[0] < {var ints a}[-1]"),
        T(_L, "{var strs} == []", weight=0.3),
        T(_D, "{key} in {var counts}", weight=2),
        T(_D, "{key} not in {var counts}"),
        T(_D, "len({var counts}) > {twice}"),
    ),
    "str": (
        T(_S, "{str} + {str}", sum, weight=2, grows=True),
        T(_S, "{var str} + {letter}", sum),
        T(_S, "{str} * {twice}", prod, grows=True),
        T(_S, "{str}.upper()", first),
        T(_S, "{str}.lower()", first),
        T(_S, "{var str}.capitalize()", first, weight=0.6),
        T(_S, "{var str}.replace({letter}, {mark})", first),
        T(_S, "{var str}.replace({letter}, '')", first, weight=0.7),
        T(_S, "{var str}.strip()", first, weight=0.7),
        T(_S, "{var str}.strip({letter})", first, weight=0.5),
        T(_S, "{var str}[{index}]", 1),
        T(_S, "{var str}[{cut}:]", first),
        T(_S, "{var str}[:{cut}]", last),
        T(_S, "{var str}[{cut}:-1]", first, weight=0.6),
        T(_S, "{var str}[::-1]", first),
        T(_S, "{var str}[::2]", first, weight=0.6),
        T(_S, "{mark}.join({strs})", lambda sizes: 4 * sizes[1]),
        T(_S, "''.join(sorted({var str}))", first, level=2),
        T(_S, "str({item})", 2),
        T(_S, "f'{{{var int}}}{{{var str}}}'", lambda sizes: sizes[-1] + 4, grows=True),
        T(_S, "f'{{{var int}}}-{{{var int}}}'", 9),
        T(_S, "f'{{{var int}:03d}}'", 3, level=2, weight=0.5),
        T(_S, "{var str}.zfill({small})", 9, level=2, weight=0.5),
        T(_C, "{str} if {bool} else {str}", lambda sizes: max(sizes[0], sizes[-1])),
        T(_L, "{var strs}[{index}]", 6),
        T(_D, "min({var counts})", 3, weight=0.5),
        T(_D, "'-'.join({var counts})", lambda sizes: 4 * sizes[0], weight=0.5),
    ),
    "ints": (
        T(_L, "{ints} + [{item}]", one_more),
        T(_L, "[{item}, {item}]", 2),
        T(_L, "[{item}, {item}, {item}]", 3),
        T(_L, "{var ints}[{cut}:]", first),
        T(_L, "{var ints}[:{cut}]", last),
        T(_L, "{var ints}[::-1]", first),
        T(_L, "{var ints}[:]", first, weight=0.4),
        T(_L, "sorted({ints})", first),
        T(_L, "sorted({var ints}, reverse=True)", first, weight=0.7),
        T(_L, "[v + {small} for v in {var ints}]", first),
        T(_L, "[v % {divisor} for v in {var ints}]", first),
        T(_L, "[v for v in {var ints} if v > {item}]", first),
        T(_L, "[v for v in {var ints} if v % 2 == 0]", first, weight=0.7),
        T(_L, "list(range({count}))", first),
        T(_L, "[{item}] * {twice}", last),
        T(_S, "[len(w) for w in {var strs}]", first),
        T(_S, "[ord(ch) - 97 for ch in {var str}]", first, level=2, weight=0.5),
        T(_D, "list({var counts}.values())", first),
        T(_D, "sorted({var counts}.values())", first, weight=0.7),
        T(_C, "list({var pair})", 2, weight=0.5),
    ),
    "strs": (
        T(_S, "{var str}.split()", 3),
        T(_S, "{var str}.split({mark})", 3),
        T(_S, "list({var str})", first),
        T(_S, "[{str}, {str}]", 2),
        T(_S, "[w.upper() for w in {var strs}]", first),
        T(_S, "[w for w in {var strs} if {letter} in w]", first),
        T(_L, "sorted({var strs})", first),
        T(_L, "{var strs}[::-1]", first, weight=0.6),
        T(_L, "{var strs} + [{str}]", one_more),
        T(_D, "sorted({var counts})", first),
        T(_D, "list({var counts}.keys())", first, weight=0.6),
    ),
    "counts": (
        T(_D, "{{{key}: {item}}}", 1),
        T(_D, "{{{key}: {item}, {other}: {item}}}", 2),
        T(_D, "dict({var counts})", first, weight=0.6),
        T(_D, "{{k: v + {small} for k, v in {var counts}.items()}}", first),
        T(_D, "{{k: v for k, v in {var counts}.items() if v > {item}}}", first),
        T(_D, "{{w: len(w) for w in {var strs}}}", first),
        T(_D, "{{ch: {var str a}.count(ch) for ch in {var str a}}}", first, level=2),
    ),
    "pair": (
        T(_C, "({item}, {item})", ITEM),
        T(_C, "({var pair a}[1], {var pair a}[0])", first),
        T(_C, "divmod({item}, {divisor})", ITEM),
        T(_L, "(min({var ints a}), max({var ints a}))", ITEM),
    ),
}

_TRY, _EXCEPT = "try:\n", "\nexcept ZeroDivisionError:\n    {own int a} = 1"

STATEMENTS: tuple[Template, ...] = (
    T(_A, "{new int} = {int}", last, weight=3),
    T(_A, "{new float} = {float}", last, weight=1.2),
    T(_A, "{new bool} = {bool}", last, weight=0.8),
    T(_A, "{own int} += {int}", sum),
    T(_A, "{own int} -= {int}", sum),
    T(_A, "{own int} *= {twice}", prod, weight=0.7, grows=True),
    T(_A, "{own int} //= {divisor}", first, weight=0.8),
    T(_A, "{own int} %= {modulus}", first, weight=0.8),
    T(_A, "{own int} ^= {mask}", sum, weight=0.4),
    T(_A, "{own float} += {float}", sum, weight=0.7),
    T(_C, "{fresh int} = 0", 0, weight=0.7),
    T(_C, "{new pair} = {pair}", last),
    T(_C, "{new int a}, {new int b} = {var pair}", last),
    T(_C, "{own int a}, {own int b} = ({own int b}, {own int a})", max, weight=1.5),
    T(_C, "{own int a}, {own int b} = ({own int b}, {own int a} + {small})", sum),
    T(_C, "if {bool}:\n{body}", weight=2),
    T(_C, "if {bool}:\n{body}\nelse:\n{body}", weight=2),
    T(_C, "if {bool}:\n{body}\nelif {bool}:\n{body}\nelse:\n{body}"),
    T(_C, "if {bool}:\n    {own int a} = -{own int a}", first, weight=0.5),
    T(_C, "for {new int} in range({count}):\n{body}", last, weight=2),
    T(_C, "for {new int} in range({small}, {dozen}, {twice}):\n{body}", 12, weight=0.5),
    T(_C, "for {new int} in range({count}, 0, -1):\n{body}", last, weight=0.7),
    T(_C, "{fresh int a} = {count}\nwhile {fresh int a}:\n    {fresh int a} -= 1\n{body}", last),
    # The counter moves first, so that a `continue` cannot skip it.
    T(_C, "{fresh int a} = 0\nwhile {fresh int a} < {count}:\n    {fresh int a} += 1\n{body}", 6),
    T(_C, "while {own int a} > {small}:\n    {own int a} //= 2\n{body}", first, weight=0.7),
    T(_C, "if {bool}:\n    break", jumps=True),
    T(_C, "if {bool}:\n    continue", jumps=True),
    T(_C, "if {bool}:\n    return {var int}", weight=0.4),
    T(_C, _TRY + "    {own int a} = {int} % {own int a}" + _EXCEPT, first, level=2),
    T(_S, "{new str} = {str}", last, weight=4),
    T(_S, "{new int} = {int}", last),
    T(_S, "{new strs} = {strs}", last),
    T(_S, "{own str} += {letter}", sum),
    T(_S, "{own str} += {var str}", sum, grows=True),
    T(_S, "{fresh str} = ''", 0, weight=0.7),
    T(_S, "for {new str} in {var str}:\n{body}", 1, weight=1.5),
    T(_S, "for {new str} in {var strs}:\n{body}", 6),
    T(_S, "for {new int}, {new str} in enumerate({var str}):\n{body}", 6, weight=0.7),
    T(_S, "if {bool}:\n{body}\nelse:\n{body}"),
    T(_L, "{new ints} = {ints}", last, weight=2.5),
    T(_L, "{new int} = {int}", last, weight=1.5),
    T(_L, "{fresh ints} = []", 0, weight=0.7),
    T(_L, "{own ints}.append({item})", one_more, weight=2),
    T(_L, "{own ints}.insert({index}, {item})", one_more),
    T(_L, "{own ints}.extend([{item}, {item}])", lambda sizes: sizes[0] + 2),
    T(_L, "{own ints} += [{item}]", one_more, weight=0.6),
    T(_L, "{own ints}[{index}] = {item}", first, weight=0.5),
    T(_L, "{own ints a}[{int} % len({own ints a})] = {item}", first),
    T(_L, "{own ints}[0] += {small}", first, weight=0.6),
    T(_L, "{own ints a}[0], {own ints a}[-1] = ({own ints a}[-1], {own ints a}[0])", first),
    T(_L, "{own ints}.sort()", first),
    T(_L, "{own ints}.sort(reverse=True)", first, weight=0.5),
    T(_L, "{own ints}.reverse()", first),
    T(_L, "{new int} = {own ints}.pop()", ITEM, weight=0.7),
    T(_L, "if {own ints a}:\n    {own ints a}.pop(0)", first, weight=0.7),
    T(_L, "if {item} in {own ints a}:\n    {own ints a}.remove({item})", first, weight=0.2),
    T(_L, "del {own ints}[{index}]", first, weight=0.3),
    T(_L, "for {new int} in {var ints}:\n{body}", ITEM, weight=2),
    T(_L, "for {new int a}, {new int b} in enumerate({var ints}):\n{body}", ITEM),
    T(_L, "for {new int a} in range(len({var ints b})):\n{body}", last, weight=0.7),
    T(_L, "for {new int a}, {new int b} in zip({var ints}, {ints}):\n{body}", ITEM, weight=0.6),
    T(_L, "while len({own ints a}) > {twice}:\n    {own ints a}.pop()\n{body}", first, weight=0.6),
    T(_L, "{own strs}.append({str})", one_more),
    T(_D, "{new counts} = {counts}", last, weight=1.5),
    T(_D, "{new int} = {int}", last, weight=1.5),
    T(_D, "{fresh counts} = {{}}", 0, weight=0.7),
    T(_D, "{own counts}[{key}] = {item}", one_more, weight=2),
    T(_D, "{own counts a}[{key k}] = {own counts a}.get({key k}, 0) + {small}", one_more, weight=2),
    T(_D, "{own counts}[{key}] += {small}", first, weight=0.15),
    T(_D, "if {key k} in {own counts a}:\n    {own counts a}[{key k}] += {small}", first),
    T(_D, "if {key k} in {own counts a}:\n    del {own counts a}[{key k}]", first, weight=0.7),
    T(_D, "{own counts}.pop({key}, None)", first),
    T(_D, "{own counts}.update({counts})", sum, grows=True),
    T(_D, "{own counts}.setdefault({key}, {item})", one_more, weight=0.6),
    T(_D, "{own counts a}[{var str k}] = {own counts a}.get({var str k}, 0) + 1", one_more),
    T(_D, "for {new str} in {var counts}:\n{body}", 3),
    T(_D, "for {new str}, {new int} in {var counts}.items():\n{body}", ITEM, weight=1.5),
    T(_D, "for {new int} in {var counts}.values():\n{body}", ITEM),
    T(_D, "for {new str} in sorted({var counts}):\n{body}", 3, weight=0.6),
)
