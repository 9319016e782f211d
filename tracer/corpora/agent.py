"""Episodes of built-in agents in real projects: each is a program that a policy writes as it goes.

A project is an unpacked source distribution with tests for pytest, such as
`pip download --no-deps --no-binary :all: toolz==1.0.0` brings. All of its episodes are on one side
of a split.
"""

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path

from tracer.agent.play import ORIGIN
from tracer.agent.policies import POLICIES
from tracer.agent.subject import name_of
from tracer.schema import Program


def programs(
    projects: Sequence[str | PathLike[str]],
    episodes: int,
    policies: Mapping[str, int],
    seed: int = 0,
) -> Iterator[Program]:
    """`policies` says how many episodes of each there are for one another, {"shell": 1}.

    They go round the projects, so that a part of them has seen all.
    """
    unknown = policies.keys() - POLICIES
    if unknown:
        raise ValueError(f"unknown policy {min(unknown)!r}; there are: {', '.join(POLICIES)}")
    turn = [name for name, count in policies.items() for _ in range(count)]
    folders = {name_of(Path(each)): Path(each) for each in projects}
    if not turn or not folders or len(folders) < len(projects):
        raise ValueError(f"projects={list(projects)}: one folder of each of one or more projects")
    for folder in folders.values():
        if not folder.is_dir():
            raise FileNotFoundError(f"no folder {folder} of a project")
    for number in range(episodes):
        name = list(folders)[number % len(folders)]
        policy = turn[number // len(folders) % len(turn)]
        call = f"{policy}({number}, seed={seed})"
        yield Program(str(folders[name].resolve()), call, f"{ORIGIN}{name}")
