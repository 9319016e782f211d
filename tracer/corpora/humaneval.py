"""HumanEval: each call in a problem's `check(candidate)` is a program."""

import ast
from collections.abc import Iterator
from os import PathLike

from tracer.corpora.calls import bound_in, calls_in, names_in
from tracer.corpora.jsonl import read_jsonl
from tracer.corpora.syntax import parse
from tracer.schema import Program

HOME = "data/HumanEval.jsonl.gz in github.com/openai/human-eval"
FIELDS: dict[str, type] = {
    name: str for name in ("task_id", "prompt", "entry_point", "canonical_solution", "test")
}


def programs(path: str | PathLike[str]) -> Iterator[Program]:
    for problem in read_jsonl(path, FIELDS, HOME):
        source = problem["prompt"] + problem["canonical_solution"]
        for call in _calls(problem["test"], problem["entry_point"]):
            yield Program(source, call, f"humaneval/{problem['task_id']}")


def _calls(test: str, entry_point: str) -> list[str]:
    """The calls that stand for themselves, and all of the test where one does not."""
    whole = f"{test.strip()}\n\ncheck({entry_point})"
    try:
        tree = parse(test)
    except SyntaxError:
        return [whole]
    bound, calls, is_whole_needed = bound_in(tree), [], False
    for call in calls_in(tree, {"candidate"}):
        if names_in(call) & bound:  # made in a loop, or from what the test computed before
            is_whole_needed = True
        else:
            call.func = ast.Name(entry_point, ast.Load())
            calls.append(ast.unparse(call))
    return [*calls, whole] if is_whole_needed or not calls else calls
