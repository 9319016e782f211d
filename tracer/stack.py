"""The stack that a traced program has: as deep as without a tracer, and with the same ending.

The interpreter counts the tracer's frames below the program with the program's own, and calls the
hook within the same limit: a program that comes to it would lose the hook. So the interpreter's
limit is higher, and what the program knows as the limit is kept here. A frame beyond it is left
at once, by an exception in the hook. For that the interpreter takes the hook away and then forgets
the frame's own trace function, which puts the hook back as it dies.

On Python 3.11 C functions count too, but those alone have `ROOM` levels more than without a tracer.
From 3.12 on they have a limit that nothing moves; a program that comes to that one, by constructors
or a cache of calls, loses the hook.
"""

import sys
from _thread import _count as _count_threads
from _thread import get_ident as _thread
from collections.abc import Callable
from math import inf
from operator import index
from types import FrameType, TracebackType
from typing import Any

ROOM = 150  # levels for the hook, above those of the program
MOST = (1 << 31) - 1  # of a limit
SAFE = 4  # levels that one call may take, with the C functions between
EXCEEDED = "maximum recursion depth exceeded"

C_COUNTS = sys.version_info < (3, 12)  # a call of a C function is a level
_get, _set = sys.getrecursionlimit, sys.setrecursionlimit  # a program may put others there
_settrace = sys.settrace
leaving: set[FrameType] = set()  # for which the interpreter takes the hook away


def depth() -> int:
    """Levels of the caller and of all below: the interpreter tells where it refuses a limit."""
    try:
        _set(1)
    except RecursionError as error:
        return int(str(error).split(" depth ")[1].split(":")[0]) - 1 - C_COUNTS
    raise AssertionError("a limit of 1 was possible")


class Back:
    """A trace function that is never called, and puts a hook back where it is forgotten."""

    def __init__(self, hook: Callable):
        self.hook = hook

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None: ...

    def __del__(self) -> None:
        leaving.clear()
        _settrace(self.hook)


class Stack:
    """Without `with`, the interpreter's own."""

    def __init__(self):
        self.limit, self.below, self.room = _get(), 0, 0
        self.thread = 0  # the one that `below` is of; others have nothing below the program
        self.spare: float = inf  # calls that there may be before `enter` has to look
        self.hook: Callable | None = None
        self.thrown = False  # an exception whose traceback has too many frames

    def __enter__(self) -> "Stack":
        self.before = self.limit, sys.getrecursionlimit, sys.setrecursionlimit

        def getrecursionlimit() -> int:
            return self.limit

        def setrecursionlimit(limit: int, /) -> None:
            self.change(limit, depth() - 1)

        sys.getrecursionlimit, sys.setrecursionlimit = getrecursionlimit, setrecursionlimit
        return self

    def __exit__(self, *_: object) -> None:
        limit, sys.getrecursionlimit, sys.setrecursionlimit = self.before
        self.spare = inf
        _set(limit)

    def begin(self, hook: Callable | None = None) -> None:
        """The caller's next call, of `exec`, is the program's first frame."""
        self.below, self.thread, self.hook = depth() - 1 + C_COUNTS, _thread(), hook
        self.room, self.spare = (ROOM, 0) if hook else (0, inf)
        self._apply()

    def _apply(self) -> None:
        _set(min(self.limit + self.below + self.room, MOST))

    def _of_program(self, levels: int) -> int:
        return levels - self.below if _thread() == self.thread else levels

    def change(self, limit: int, levels: int) -> None:
        """sys.setrecursionlimit, called at that depth."""
        limit, deep = index(limit), self._of_program(levels) + C_COUNTS
        if not 0 < limit <= MOST:
            _set(limit)  # which raises
        if deep >= limit:
            where = f"to {limit} at the recursion depth {deep}"
            raise RecursionError(f"cannot set the recursion limit {where}: the limit is too low")
        self.limit, self.spare = limit, min(self.spare, 0)
        self._apply()

    def enter(self, frame: FrameType) -> None:
        """From a hook of a new frame: leave it again where it is one too many."""
        left = self.limit - self._of_program(depth() - 2)
        if left < 0 and frame.f_code.co_filename != __file__:
            leaving.add(frame)
            frame.f_trace = Back(self.hook) if self.hook else None
            self.thrown = True
            in_c = " while calling a Python object" if left < -1 else ""
            raise RecursionError(EXCEEDED + in_c)
        self.spare = 0 if _count_threads() else max(0, left // SAFE)

    def tidy(self, place: TracebackType) -> None:
        """Of an exception that `enter` raised: without the frame that was left, and the hook."""
        while place.tb_next is not None:
            inner = place.tb_next.tb_next
            if inner is not None and inner.tb_frame.f_code.co_name == "_on_call":
                place.tb_next, self.thrown = None, False
                return
            place = place.tb_next
