"""What an instance holds, found by its class, and without running any of the class's code."""

from collections import deque
from collections.abc import Callable, Iterator
from enum import EnumMeta
from threading import Thread
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, NamedTuple
from weakref import ref

from tracer.foreign import is_foreign

_BUILTIN = (int, float, complex, str, bytes, bytearray)
_BUILTIN += (list, tuple, set, frozenset, deque, dict)
_MOST = 1024  # classes that are known

_MRO = type.__dict__["__mro__"].__get__
_NAME = type.__dict__["__name__"].__get__
_DICT = type.__dict__["__dict__"].__get__

Attributes = list[tuple[str, Any]]


class Shape(NamedTuple):
    """How to read the instances of a class."""

    alive: Callable[[], type | None]  # the class: it is not kept alive
    name: str
    said: Any  # its name, as it has it itself
    order: int  # id of its mro
    family: str  # "exception", "type", "enum", "thread", "foreign" or "": a plain one
    bases: tuple[type, ...]  # the built-in types that it is made from
    slots: tuple[tuple[str, Callable[[Any], Any]], ...]
    namespace: Callable[[Any], dict] | None  # of the instance

    def attributes(self, value: Any) -> Attributes:
        found: Attributes = []
        for name, get in self.slots:
            try:
                found.append((name, get(value)))
            except AttributeError:
                pass  # unbound
        if self.namespace is not None:
            items = [*dict.items(self.namespace(value))]
            found += [pair for pair in items if type(pair[0]) is str]
        if self.family == "enum":  # what else there is differs from Python to Python
            return [pair for pair in found if pair[0] in ("_name_", "_value_")]
        if self.family == "thread":  # its numbers and locks are the interpreter's
            return [pair for pair in found if not pair[0].startswith("_")]
        return found


_shapes: dict[int, Shape] = {}  # by id of the class


def shape_of(kind: type) -> Shape:
    shape = _shapes.get(id(kind))
    if shape is not None and shape.alive() is kind and shape.order == id(_MRO(kind)):
        said = _NAME(kind)
        if said is shape.said or type(said) is str is type(shape.said) and said == shape.said:
            return shape
    if len(_shapes) >= _MOST:
        _shapes.clear()
    shape = _shapes[id(kind)] = _read(kind)
    return shape


def type_name(kind: type) -> str:
    return str.__str__(_NAME(kind))  # a name may be of a subclass of str


def _read(kind: type) -> Shape:
    mro, family = _MRO(kind), ""
    if _inherits(mro, BaseException):
        family = "exception"
    elif _inherits(mro, type):
        family = "type"
    elif _inherits(_MRO(type(kind)), EnumMeta):
        family = "enum"
    elif _inherits(mro, Thread):
        family = "thread"
    elif is_foreign(kind, mro):
        family = "foreign"
    return Shape(
        alive=ref(kind),
        name=type_name(kind),
        said=_NAME(kind),
        order=id(mro),
        family=family,
        bases=tuple([base for base in mro if _inherits(_BUILTIN, base)]),
        slots=tuple(_slots(mro)),
        namespace=_namespace(mro),
    )


def _inherits(mro: tuple[type, ...], base: type) -> bool:
    return any(each is base for each in mro)  # `in` would ask a metaclass for `__eq__`


def _slots(mro: tuple[type, ...]) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """What a class written in Python keeps beside the dictionary, or in its stead."""
    for base in reversed(mro):
        names = _names(base)
        if "__slots__" in names:
            for name, descriptor in names.items():
                if type(descriptor) is MemberDescriptorType and descriptor.__objclass__ is base:
                    yield name, descriptor.__get__


def _namespace(mro: tuple[type, ...]) -> Callable[[Any], dict] | None:
    """The instance dictionary, when it is the interpreter's own and not something a class made."""
    for base in mro:
        descriptor = _names(base).get("__dict__")
        if type(descriptor) is GetSetDescriptorType and descriptor.__objclass__ is base:
            return descriptor.__get__
        if descriptor is not None:
            break
    return None


def _names(kind: type) -> dict[str, Any]:
    """What a class has, but for names that may compare in their own way."""
    return {name: each for name, each in [*_DICT(kind).items()] if type(name) is str}
