"""CRUXEval: functions called `f`, each with one input. For evaluation, never for training."""

from collections.abc import Iterator
from os import PathLike

from tracer.corpora.jsonl import read_jsonl
from tracer.schema import Program

HOME = "data/cruxeval.jsonl in github.com/facebookresearch/cruxeval"
FIELDS: dict[str, type] = {"code": str, "input": str, "id": str}


def programs(path: str | PathLike[str]) -> Iterator[Program]:
    for problem in read_jsonl(path, FIELDS, HOME):
        yield Program(problem["code"], f"f({problem['input']})", f"cruxeval/{problem['id']}")
