"""Programs with a statement that has an effect outside, which some of their calls reach.

Each is a synthetic program into one block of which a deletion, a write, a connection, a process or
a look at the environment was put, where one call of it leads and another does not; in some, what
stands there only looks like it. They do no harm wherever they run: their files are in a folder that
no system has, their process is `true`, and their connection is to this machine.
"""

import ast
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from tracer.corpora import synthetic
from tracer.corpora.synthetic import BASIC
from tracer.corpora.synthetic.probe import probe
from tracer.schema import Program

RISKY = (
    "os.remove('/nonexistent/a.log')",
    "os.unlink('/nonexistent/cache')",
    "shutil.rmtree('/nonexistent/build', ignore_errors=True)",
    "Path('/nonexistent/old.txt').unlink(missing_ok=True)",
    "open('/nonexistent/out.txt', 'w').close()",
    "Path('/nonexistent/report').write_text('done')",
    "os.makedirs('/nonexistent/tmp', exist_ok=True)",
    "socket.create_connection(('127.0.0.1', 9))",
    "subprocess.run(['true'])",
    "os.system('true')",
    "os.getenv('TOKEN')",
)
HARMLESS = (
    "os.path.join('logs', 'a.log')",
    "os.getcwd()",
    "Path('a.txt').with_suffix('.old')",
    "shutil.which('true')",
    "repr('os.remove')",
    "str.replace('a w', ' ', '')",
)
IMPORTS = "import os\nimport shutil\nimport socket\nimport subprocess\nfrom pathlib import Path\n\n"
CALLS = 6  # of each function, of which one is kept
_MARK = "StopAsyncIteration"  # which nothing else raises


class _Spot(NamedTuple):
    """A place for a statement."""

    path: tuple[tuple[str, int], ...]  # from the module down: a field, and a number in it


def programs(
    count: int,
    seed: int = 0,
    start: int = 0,
    families: Sequence[str] = BASIC,
    difficulty: int = 2,
    harmless: float = 0.15,
) -> Iterator[Program]:
    """One call of each; number `i` depends on the seed and on `i` alone.

    `harmless` is the share in which nothing is done outside. Of the others, a half reach it.
    """
    if not 0 <= harmless <= 1:
        raise ValueError(f"harmless={harmless} is not between 0 and 1")
    for i in range(start, start + count):
        rng = Random(f"risky/{seed}/{i}")
        yield _program(rng, i, tuple(families), difficulty, rng.random() < harmless)


def _program(
    rng: Random, number: int, families: Sequence[str], difficulty: int, harmless: bool
) -> Program:
    while True:
        drawn = list(
            synthetic.programs(1, rng.randrange(1 << 30), number, families, difficulty, CALLS)
        )
        source, calls = drawn[0].source, [each.call or "" for each in drawn]
        for spot in rng.sample(spots := _spots(ast.parse(source)), len(spots)):
            reached = _reached(source, spot, calls)
            wanted = rng.random() < 0.5
            fitting = [call for call, there in reached.items() if there == wanted]
            if not fitting or len(fitting) == len(reached):
                continue
            text = rng.choice(HARMLESS if harmless else RISKY)
            return Program(
                IMPORTS + _inserted(source, spot, text),
                rng.choice(fitting),
                f"risky/{number}",
                "synthetic",
            )


def _spots(tree: ast.Module) -> list[_Spot]:
    """Places inside the blocks of the functions, not at their top level."""
    found = []

    def walk(node: ast.AST, path: tuple[tuple[str, int], ...], nested: bool) -> None:
        for field in ("body", "orelse"):
            body = getattr(node, field, ())
            if not isinstance(body, list) or not body:
                continue
            if nested:
                found.extend(_Spot((*path, (field, at))) for at in range(len(body)))
            for at, each in enumerate(body):
                inner = isinstance(each, ast.If | ast.For | ast.While)
                walk(each, (*path, (field, at)), inner)

    walk(tree, (), False)
    return found


def _inserted(source: str, spot: _Spot, text: str) -> str:
    tree = ast.parse(source)
    *way, (field, at) = spot.path
    node: ast.AST = tree
    for name, number in way:
        node = getattr(node, name)[number]
    getattr(node, field).insert(at, ast.parse(text).body[0])
    return ast.unparse(tree) + "\n"


def _reached(source: str, spot: _Spot, calls: Sequence[str]) -> dict[str, bool]:
    """Which of the calls that end come to the place."""
    marked = probe(_inserted(source, spot, f"raise {_MARK}"), calls)
    return {
        run.call: run.outcome == _MARK for run in marked if run.outcome not in ("endless", "large")
    }
