"""LiveCodeBench, code execution: functions with one call each. For evaluation, never training."""

from collections.abc import Iterator
from os import PathLike

from tracer.corpora.jsonl import read_jsonl
from tracer.schema import Program

HOME = "test.jsonl in huggingface.co/datasets/livecodebench/execution-v2"
FIELDS: dict[str, type] = {"code": str, "input": str}

# Solutions were written for a judge that has these at hand.
IMPORTS = """\
from collections import *
from functools import *
from heapq import *
from itertools import *
from math import *
from typing import *
"""


def programs(path: str | PathLike[str]) -> Iterator[Program]:
    """The input is a call, `f(x = 3)`, and the code may use names that it does not import."""
    for number, problem in enumerate(read_jsonl(path, FIELDS, HOME)):
        name = problem.get("id", problem.get("question_id", number))
        yield Program(f"{IMPORTS}{problem['code']}", problem["input"], f"livecodebench/{name}")
