"""Functions of the standard library as programs: the examples of its docstrings, and drawn inputs.

The programs are those of the running Python: another version has other modules.
"""

import ast
import re
from collections.abc import Iterator
from random import Random

from tracer.corpora.examples import examples, sessions
from tracer.corpora.excerpt import excerpt
from tracer.corpora.inputs import INPUTS, ODD, draw
from tracer.corpora.pure import pure_source, top_level
from tracer.corpora.signatures import SIGNATURES
from tracer.schema import Program

DOCTESTED = tuple(
    "textwrap statistics fractions difflib collections ipaddress enum datetime".split()
)
DOCTESTED += ("json.encoder", "http.cookies", "heapq")

# Modules whose text is read anew for each program, and takes a second: a docstring is one program.
LARGE = ("decimal",)

# Modules whose examples are programs of their own: tutorials of the language.
TUTORIALS = tuple(
    f"test.test_{name}"
    for name in "generators genexps listcomps setcomps unpack unpack_ex extcall".split()
)
TUTORIALS += ("test.test_descrtut", "test.test_metaclass", "test.test_deque")

# Thousands of steps for one example: they would be most of the corpus.
_LONG = {f"stdlib/{name}" for name in ("difflib.Differ", "difflib.ndiff", "statistics._sum")}

# A module that its own imports import must not stand in for itself while it is being executed.
_NAMES = {"html": "html.pure", "json.decoder": "json.decoder.pure"}
_KIND = re.compile(rf"(?<![.$\w])({'|'.join(INPUTS)})(?![\w(=])")
_ODD_SHARE = 0.05


def programs(
    inputs: int = 20, seed: int = 0, doctests: bool = True, tutorials: bool = True
) -> Iterator[Program]:
    """Up to so many inputs for each signature, and before them the examples of the docstrings, of
    large modules and of the language's tutorials too where these are wanted."""
    for module in (*DOCTESTED, *(LARGE if tutorials else ())) if doctests else ():
        read = sessions if module in LARGE else examples
        for example in read(pure_source(module)):
            call = f"import {module}\n" * (f"{module}." in example.call) + example.call
            program = _program(module, call, example.owner)
            if program.origin not in _LONG:
                yield program
    if doctests and tutorials:
        yield from _tutorials()
    for module, signatures in SIGNATURES.items():
        for signature in signatures:
            for call in _calls(signature, inputs, f"{seed}/{module}/{signature}"):
                yield _program(module, call, "")


def _tutorials() -> Iterator[Program]:
    for module in TUTORIALS:
        try:
            found = examples(pure_source(module))
        except ValueError:  # some installations come without the tests
            continue
        for example in found:
            if _compiles(example.call):  # others show a SyntaxError
                origin = f"stdlib/{module}.{example.owner or '__doc__'}"
                helpers = excerpt(pure_source(module), example.call).lstrip()
                yield Program(f"{helpers}{example.call}\n", None, origin, "__main__")


def _compiles(text: str) -> bool:
    try:
        return bool(compile(text, "<example>", "exec", dont_inherit=True))
    except (SyntaxError, ValueError):
        return False


def _calls(signature: str, inputs: int, seed: str) -> Iterator[str]:
    seen = set()
    for i in range(2 * inputs):
        rng = Random(f"{seed}/{i}")
        call = _fill(signature, rng)
        if call not in seen and len(seen) < inputs:
            seen.add(call)
            yield call


def _fill(signature: str, rng: Random) -> str:
    kinds = _KIND.findall(signature)
    odd = rng.randrange(len(kinds)) if kinds and rng.random() < _ODD_SHARE else -1
    arguments = [draw(kind, rng) for kind in kinds]
    if odd >= 0:
        arguments[odd] = f"({rng.choice(ODD)!r})"
    call = _KIND.sub(lambda match: arguments.pop(0), signature)
    return ast.unparse(ast.parse(call))  # without the parentheses, where they are not needed


def _program(module: str, call: str, owner: str) -> Program:
    source = pure_source(module)
    subject = _subject(call, top_level(source)) or owner or call.split("(")[0]
    origin, name = f"stdlib/{module}.{subject}", _NAMES.get(module, module)
    return Program(excerpt(source, call), call, origin, name)


def _subject(call: str, names: frozenset[str]) -> str:
    """The first function or class of the module in the text of the call."""
    return next((word for word in re.findall(r"\w+", call) if word in names), "")
