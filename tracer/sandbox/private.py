"""Builtins of the tracer's own: what a program puts in their places, the tracer does not meet.

A function finds its builtins in the module that defined it, under `__builtins__`. Modules of the
tracer that are imported after `install` get a copy there, which no program has a name for.
"""

import builtins
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_COPY = dict(vars(builtins))


class Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _COPY
        super().exec_module(module)


class Finder(PathFinder):
    @classmethod
    def find_spec(cls, fullname, path=None, target=None) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "tracer":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


def install() -> None:
    sys.meta_path.insert(0, Finder)


def uninstall() -> None:
    """The tracer's modules are here, and none that a program can import."""
    sys.meta_path.remove(Finder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tracer"]:
        del sys.modules[name]
