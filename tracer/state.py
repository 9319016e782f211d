"""The variables of a running frame as typed values, read only where they can have changed."""

from collections.abc import Callable
from types import FrameType
from typing import Any

from tracer.bytecode import Code, is_variable
from tracer.values import ATOMS, READ_ATOM, Budget, Value, bindings
from tracer.witness import Witness, look, unchanged

_UNBOUND: Any = object()
_LIVE: Any = object()


class State:
    """What a frame's variables hold, and which of it is news.

    Looked at are the names that the lines since the last look can bind (cells among them), and
    those that hold a mutable value; of a module or a class, whose names any code can bind, all.

    Before Python 3.13 the interpreter itself keeps a variable's last value until the next event of
    its frame: what dies by being rebound dies then, and what its finaliser does is not traced.
    """

    def __init__(self, code: Code, budget: Budget, frame: FrameType):
        self.code, self.budget = code, budget
        # Of a module or class, asked for once: while an inlined comprehension runs in it, newer
        # Pythons add the comprehension's variables to it, or show nothing but them.
        self.namespace = None if code.is_function else frame.f_locals
        self.is_plain = code.is_function and not code.declared
        self.pending = code.names  # what may have been bound since the last look
        self.kept: dict[str, Any] = {}  # what a variable holds; _LIVE where any code may change it
        self.live: tuple[tuple[str, Witness], ...] = ()  # what such a value was
        self.values: dict[str, Value | None] = {}  # None is unbound
        self.changed: dict[str, Value | None] = {}  # since the last row

    def update(self, frame: FrameType, names: tuple[str, ...]) -> None:
        """Look at these names, and at what else may have changed."""
        if self.pending:
            names, self.pending = self.pending + names, ()
        if not self.is_plain:
            get, names = self._elsewhere(frame, names)
        elif names or self.live:
            get = frame.f_locals.get
        else:
            return
        for name, witness in self.live:
            value = get(name, _UNBOUND)
            if not unchanged(value, witness):
                self._see(name, value)
        for name in names:
            value, old = get(name, _UNBOUND), self.kept.get(name, _UNBOUND)
            if value is not old and old is not _LIVE:
                self._see(name, value)

    def _see(self, name: str, value: Any) -> None:
        """A variable holds another object, or a mutable one that may have changed, or none."""
        kind, witness = id(type(value)), None
        if kind in ATOMS:
            read = READ_ATOM[kind](value, self.budget)
        elif value is _UNBOUND:
            read = None
        else:
            read, witness = look(value, self.budget)
        kept = self.kept
        if witness is not None or kept.get(name) is _LIVE:
            others = [pair for pair in self.live if pair[0] != name]
            self.live = (*others, (name, witness)) if witness else tuple(others)
        kept[name] = value if witness is None else _LIVE
        if self.values.get(name) != read:
            self.values[name] = self.changed[name] = read

    def update_inside(self, frame: FrameType, names: tuple[str, ...]) -> None:
        """Within a statement, where an inlined comprehension may still hold variables of ours."""
        pending, lent = self.pending + names, self.code.lent
        hidden = tuple([pair for pair in self.live if pair[0] in lent])
        self.live = tuple([pair for pair in self.live if pair[0] not in lent])
        self.pending = ()
        self.update(frame, tuple([name for name in pending if name not in lent]))
        self.live += hidden
        self.pending = pending

    def _elsewhere(
        self, frame: FrameType, names: tuple[str, ...]
    ) -> tuple[Callable[[str, Any], Any], tuple[str, ...]]:
        """How to get what, where not all variables are those of a function.

        Never by asking a namespace for a name: it may have keys that compare in their own way.
        """
        declared, hidden = self.code.declared, self.code.hidden
        if self.namespace is None:
            own = frame.f_locals
            names = (*names, *(name for name, _ in self.live))
            found = {name: own[name] for name in names if name in own}
        else:  # any code may write to it
            own = bindings(self.namespace)
            found = {n: v for n, v in own if is_variable(n) and n not in hidden}
            names = tuple(self.values)
        if declared:
            found.update((n, v) for n, v in bindings(frame.f_globals) if n in declared)
        return found.get, tuple(dict.fromkeys((*names, *declared, *found)))
