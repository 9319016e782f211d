"""How a child ended, as its worker saw it."""

from typing import Any, NamedTuple

REASONS = (None, "wall", "cpu", "folder")


class Seen(NamedTuple):
    reason: str | None  # why the worker ended it; None: it ended by itself
    signal: int  # that ended it, or 0
    code: int  # with which it exited, or less than 0: the signal
    cpu_s: float
    output_cut: bool  # there was more output than is kept

    @classmethod
    def of(cls, message: Any) -> "Seen":
        """What a worker sent. Raises ValueError where it is not that."""
        kinds = (str | None, int, int, float, bool)
        if type(message) is not list or len(message) != len(kinds):
            raise ValueError(f"no word on how a child ended: {message!r:.80}")
        seen = cls._make(message)
        if seen.reason not in REASONS or not all(map(isinstance, seen, kinds)):
            raise ValueError(f"no word on how a child ended: {message!r:.80}")
        return seen
