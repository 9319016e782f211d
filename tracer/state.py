"""The variables of a running frame as typed values, read only where they can have changed."""

from collections.abc import Callable
from types import FrameType
from typing import Any

from tracer.atoms import atoms
from tracer.bytecode import Code, is_variable
from tracer.values import DATA, Budget, Value, bindings
from tracer.witness import Witness, look, unchanged

_UNBOUND: Any = object()
_LIVE: Any = object()


class State:
    """What a frame's variables hold, and which of it is news.

    Looked at are the names that the lines since the last look can bind (cells among them), and
    those that hold a mutable value; of a module or a class, whose names any code can bind, all. Of
    the globals, those that the code writes, and those that it reads and that hold data when the
    frame begins: no functions, classes, modules or other objects.

    Before Python 3.13 the interpreter itself keeps a variable's last value until the next event of
    its frame: what dies by being rebound dies then, and what its finaliser does is not traced.
    """

    def __init__(self, code: Code, budget: Budget, frame: FrameType):
        self.code, self.budget, self.atoms = code, budget, atoms(budget)
        # Of a module or class, asked for once: while an inlined comprehension runs in it, newer
        # Pythons add the comprehension's variables to it, or show nothing but them.
        self.namespace = None if code.is_function else frame.f_locals
        self.globals = (*code.declared, *self._read_globals(frame))
        self.is_plain = code.is_function and not self.globals
        self.pending = code.names  # what may have been bound since the last look
        # What a variable holds; _LIVE where any code may change it.
        self.kept: dict[str, Any] = dict.fromkeys(code.names, _UNBOUND)
        self.live: dict[str, Witness] = {}  # what such a value was
        self.values: dict[str, Value | None] = dict.fromkeys(code.names)  # None is unbound
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
        for name, witness in self.live.items():
            value = get(name, _UNBOUND)
            if not unchanged(value, witness):
                self._see(name, value)
        kept = self.kept
        for name in names:
            value, old = get(name, _UNBOUND), kept[name]
            if value is old or old is _LIVE:
                continue
            atom = self.atoms.get(id(type(value)))
            if atom is None:
                self._see(name, value)
                continue
            kept[name], read = value, atom(value)
            if self.values[name] != read:
                self.values[name] = self.changed[name] = read

    def _see(self, name: str, value: Any) -> None:
        """A variable holds another object, or a mutable one that may have changed, or none."""
        atom, witness = self.atoms.get(id(type(value))), None
        if atom is not None:
            read = atom(value)
        elif value is _UNBOUND:
            read = None
        else:
            read, witness = look(value, self.budget, self.atoms)
        if witness is not None:
            self.kept[name] = _LIVE
            if name in self.live:
                self.live[name] = witness
            else:  # a new one, as `update` may be going through the old
                self.live = {**self.live, name: witness}
        else:
            self.kept[name] = value
            if name in self.live:
                self.live = {n: seen for n, seen in self.live.items() if n != name}
        if self.values[name] != read:
            self.values[name] = self.changed[name] = read

    def update_inside(self, frame: FrameType, names: tuple[str, ...]) -> None:
        """Within a statement, where an inlined comprehension may still hold variables of ours."""
        pending, lent = self.pending + names, self.code.lent
        hidden = {name: self.live.pop(name) for name in [*self.live] if name in lent}
        self.pending = ()
        self.update(frame, tuple([name for name in pending if name not in lent]))
        self.live |= hidden
        self.pending = pending

    def _read_globals(self, frame: FrameType) -> list[str]:
        if not self.code.is_function or not self.code.consulted:
            return []
        asked = self.code.consulted
        pairs = bindings(frame.f_globals)
        return [name for name, value in pairs if name in asked and id(type(value)) in DATA]

    def _elsewhere(
        self, frame: FrameType, names: tuple[str, ...]
    ) -> tuple[Callable[[str, Any], Any], tuple[str, ...]]:
        """How to get what, where not all variables are those of a function.

        Never by asking a namespace for a name: it may have keys that compare in their own way.
        """
        outside, hidden = self.globals, self.code.hidden
        if self.namespace is None:
            own = frame.f_locals
            names = (*names, *self.live)
            found = {name: own[name] for name in names if name in own}
        else:  # any code may write to it
            own = bindings(self.namespace)
            found = {n: v for n, v in own if is_variable(n) and n not in hidden}
            names = tuple(self.values)
        if outside:
            found.update((n, v) for n, v in bindings(frame.f_globals) if n in outside)
        names = tuple(dict.fromkeys((*names, *outside, *found)))
        for name in names:
            self.kept.setdefault(name, _UNBOUND)
            self.values.setdefault(name)
        return found.get, names
