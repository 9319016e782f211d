"""A program that is an episode: what its name says is done, in a sandbox of its own.

`Program("path/of/toolz-1.0.0", "mutate_and_fix(7)", "agent/toolz")` is number 7 of that policy's
episodes in that project.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tracer.agent.episode import Episode
from tracer.agent.policies import POLICIES
from tracer.agent.subject import Subject, prepare
from tracer.agent.workspace import workspace
from tracer.sandbox import Limits, Outcome, SandboxError
from tracer.sandbox.shell import Shell
from tracer.schema import Program, Trace

ORIGIN = "agent/"


def is_episode(found: Program | Trace) -> bool:
    return found.origin.startswith(ORIGIN)


def play(program: Program, limits: Limits, **asked: Any) -> Outcome:
    """`asked` is what a Shell is asked for beside its limits."""
    policy = (program.call or "").partition("(")[0]
    subject = prepared(program.source, limits, **asked)
    with workspace(subject.folder) as folder, Shell(limits, folder, **asked) as shell:
        episode = Episode(shell)
        try:
            POLICIES[policy](episode, subject, Random(f"{program.origin}/{program.call}"))
        except SandboxError:  # its commands have ended it
            if episode.state.status is not None:
                raise
    trace = episode.trace(policy, program.origin, program.call)
    return Outcome(trace.outcome, trace.flags, trace.stdout, trace)


@cache
def prepared(project: str, limits: Limits, **asked: Any) -> Subject:
    """Of this process, which keeps its copy until it ends."""
    place = tempfile.mkdtemp(prefix="subject-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return prepare(Path(project), Path(place) / "work", limits, **asked)
