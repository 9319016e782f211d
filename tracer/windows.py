"""Pieces of trajectories packed into fixed-length windows."""

from collections.abc import Iterable, Iterator

import numpy as np

from tracer.layout import Layout

OPEN = 32  # windows that are filled at the same time


class Window:
    """A window that is being filled."""

    def __init__(self, layout: Layout):
        self.layout, self.arrays = layout, layout.empty()
        self.steps = self.values = self.statements = 0
        self.arrays["references"][:] = layout.rows

    def fits(self, piece: dict[str, np.ndarray]) -> bool:
        """Whether there is room; the unbound value, row 0, is shared by all pieces."""
        return (
            self.steps + len(piece["slots"]) <= self.layout.steps
            and max(1, self.values) + len(piece["values"]) - 1 <= self.layout.values
            and self.statements + len(piece["statements"]) <= self.layout.statements
        )

    def add(self, piece: dict[str, np.ndarray]) -> None:
        first, last = self.steps, self.steps + len(piece["slots"])
        shift = max(1, self.values) - 1
        slots = piece["slots"]
        rows = {
            "slots": np.where(slots > 0, slots + shift, 0),
            "kind": piece["kind"],
            "depth": piece["depth"],
            "branch": piece["branch"],
            "statement": piece["statement"] + self.statements,
            "references": piece["references"],
            "reset": np.arange(last - first) == 0,
            "mask": True,
        }
        for name, row in rows.items():
            self.arrays[name][first:last] = row
        values = piece["values"][1:]
        self.arrays["values"][shift + 1 : shift + 1 + len(values)] = values
        stop = self.statements + len(piece["statements"])
        self.arrays["statements"][self.statements : stop] = piece["statements"]
        self.steps, self.values, self.statements = last, shift + 1 + len(values), stop


def pack(pieces: Iterable[dict[str, np.ndarray]], layout: Layout) -> Iterator[dict]:
    """First fit over a fixed number of open windows; steps beyond the last piece are masked."""
    windows: list[Window] = []
    for piece in pieces:
        window = next((w for w in windows if w.fits(piece)), None)
        if window is None:
            if len(windows) == OPEN:
                fullest = max(range(OPEN), key=lambda number: windows[number].steps)
                yield finish(windows.pop(fullest))
            window = Window(layout)
            windows.append(window)
        window.add(piece)
    yield from map(finish, windows)


def finish(window: Window) -> dict[str, np.ndarray]:
    window.arrays["reset"][window.steps :] = True  # padding is not a trajectory's future
    return window.arrays
