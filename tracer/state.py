"""The variables of a running frame as typed values, read only where they can have changed."""

from collections.abc import Callable
from types import FrameType
from typing import Any

from tracer.bytecode import Code, is_variable
from tracer.values import Budget, Value, bindings
from tracer.witness import Witness, look, unchanged

_UNBOUND: Any = object()


class State:
    """What a frame's variables hold. `values` is never changed, but replaced: events keep it.

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
        self.kept: dict[str, Any] = {}  # what tells whether a variable is still the same
        self.live: tuple[str, ...] = ()  # names of values that any code may change
        self.joined: dict[tuple[str, ...], tuple[str, ...]] = {}  # names, and those that live
        self.values: dict[str, Value] = {}

    def update(self, frame: FrameType, names: tuple[str, ...]) -> None:
        """Look at these names, and at what else may have changed."""
        if self.pending:
            names, self.pending = self.pending + names, ()
        if self.live:
            names = self.joined.get(names) or self._join(names)
        if not self.is_plain:
            get, names = self._elsewhere(frame, names)
        elif names:
            get = frame.f_locals.get
        else:
            return
        kept, values = self.kept, self.values
        for name in names:
            value, old = get(name, _UNBOUND), kept.get(name, _UNBOUND)
            if value is old or (type(old) is Witness and unchanged(value, old)):
                continue
            read, new = None, _UNBOUND
            if value is not _UNBOUND:
                read, new = look(value, self.budget)
            kept[name] = new
            if type(new) is Witness or type(old) is Witness:
                self._watch(name, type(new) is Witness)
            if values.get(name) != read:
                if values is self.values:
                    values = values.copy()
                if read is None:
                    del values[name]
                else:
                    values[name] = read
        self.values = values

    def update_inside(self, frame: FrameType, names: tuple[str, ...]) -> None:
        """Within a statement, where an inlined comprehension may still hold variables of ours."""
        pending, lent = self.pending + names, self.code.lent
        self.pending = ()
        self.update(frame, tuple([name for name in pending if name not in lent]))
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
            found = {name: own[name] for name in names if name in own}
        else:  # any code may write to it
            own = bindings(self.namespace)
            found = {n: v for n, v in own if is_variable(n) and n not in hidden}
            names = tuple(self.values)
        if declared:
            found.update((n, v) for n, v in bindings(frame.f_globals) if n in declared)
        return found.get, tuple(dict.fromkeys((*names, *declared, *found)))

    def _watch(self, name: str, watched: bool) -> None:
        if watched != (name in self.live):
            others = tuple([n for n in self.live if n != name])
            self.live = (*others, name) if watched else others
            self.joined = {}

    def _join(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return self.joined.setdefault(names, tuple(dict.fromkeys(names + self.live)))
