"""What is known of the variables at a place of a synthetic program, and which may change."""

from collections.abc import Set
from random import Random


class Scope:
    """The variables that are surely bound, in the order in which they were changed last."""

    def __init__(self, parent: "Scope | None" = None):
        self.parent = parent
        self.types: dict[str, str] = dict(parent.types) if parent else {}
        self.sizes: dict[str, int] = dict(parent.sizes) if parent else {}
        self.fixed: set[str] = set(parent.fixed) if parent else set()
        self.carried: set[str] = set(parent.carried) if parent else set()  # from turn to turn
        self.tainted: set[str] = set(parent.tainted) if parent else set()  # computed from these
        self.depth = parent.depth if parent else 0
        self.loops = parent.loops if parent else 0

    def bind(self, name: str, kind: str, size: int) -> None:
        self.types.pop(name, None)
        self.types[name], self.sizes[name] = kind, size

    def bind_at_the_start(self, name: str, kind: str, size: int) -> None:
        """A variable that the function has from its beginning, so that loops carry it too."""
        scope: Scope | None = self
        while scope:
            scope.bind(name, kind, size)
            if scope.loops:
                scope.carried.add(name)
                scope.tainted.add(name)
            scope = scope.parent

    def named(self, kind: str, without: Set[str]) -> list[str]:
        return [name for name, each in self.types.items() if each == kind and name not in without]

    def enter_loop(self, rng: Random) -> None:
        """Choose what the loop may change; the rest keeps its size, whatever the loop does."""
        free = [name for name in self.types if name not in self.fixed]
        self.carried = set(rng.sample(free, min(3, len(free))))
        self.tainted |= self.carried
        self.fixed |= set(free) - self.carried
        self.loops += 1

    def leave(self, bodies: list["Scope"], whole: bool) -> None:
        """Take over the larger sizes, and what all bodies bound if one of them surely ran."""
        if whole:
            for name, kind in bodies[0].types.items():
                if name not in self.types and all(name in body.types for body in bodies):
                    self.bind(name, kind, 0)
        for name in self.types:
            self.sizes[name] = max(scope.sizes.get(name, 0) for scope in [self, *bodies])
