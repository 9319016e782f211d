"""MBPP: each call that a problem's asserts make of its functions is a program."""

import ast
from collections.abc import Iterator
from os import PathLike

from tracer.corpora.calls import calls_in, functions_of
from tracer.corpora.jsonl import read_jsonl
from tracer.corpora.syntax import parse
from tracer.schema import Program

HOME = "mbpp/mbpp.jsonl in github.com/google-research/google-research"
FIELDS: dict[str, type] = {"task_id": int, "code": str, "test_list": list}


def programs(path: str | PathLike[str]) -> Iterator[Program]:
    for problem in read_jsonl(path, FIELDS, HOME):
        code = _unix(problem["code"])
        setup = _unix(problem.get("test_setup_code") or "")
        # After the code, whose classes it uses.
        source = f"{code.rstrip()}\n\n{setup}" if setup.strip() else code
        for test in problem["test_list"] or [None]:
            for call in _calls(code, _unix(test)) if test else [None]:
                yield Program(source, call, f"mbpp/{problem['task_id']}")


def _calls(code: str, test: str) -> list[str]:
    """The calls in an assert, or all of it where it makes none that we know."""
    try:
        calls = calls_in(parse(test), functions_of(parse(code)))
    except SyntaxError:
        return [test]
    return [ast.unparse(call) for call in calls] or [test]


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
