"""Several corpora as one."""

from collections.abc import Iterable, Iterator

from tracer.schema import Program


def programs(**corpora: Iterable[Program]) -> Iterator[Program]:
    """One after the other; the keywords only name them, so that a command line can change one."""
    for corpus in corpora.values():
        yield from corpus
