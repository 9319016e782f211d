"""As much room as a step needs: most statements touch few symbols, and make fewer."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from rssm.interpreter import Interpreter, Operands, Room, Written, likeliest
from rssm.types import Array, Int, PRNGKeyArray


def symbols_read(operands: Operands, labels: int) -> Int[Array, " N"]:
    """The least source from which nothing is left out."""
    held = (operands.cells[:, :-1] > 0) & operands.touched[:, :-1, None]
    return (operands.tokens > 0).sum(-1) + held.sum((-2, -1)) + labels


def room_of(cells: int, source: int, results: Sequence[int], share: float = 1.0) -> Room:
    """From a config; `share` is of the steps that it is trained on."""
    return Room(source, tuple(min(size, cells) for size in results))


def too_small(
    rooms: Sequence[Room], operands: Operands, after: Int[Array, "N I L"], labels: int
) -> Int[Array, " N"]:
    """How many of the rooms, the last left out, have no place for what is read or made."""
    read, before = symbols_read(operands, labels), operands.cells[:, :-1]
    moved = (before[:, None] == after[:, :, None]).all(-1).any(-1)
    made = jnp.where(moved, 0, (after > 0).sum(-1)).max(-1)
    small = [(read > room.source) | (made >= room.results[0]) for room in rooms[:-1]]
    return sum(small, jnp.zeros_like(read))


def written(
    interpreter: Interpreter,
    operands: Operands,
    rooms: Sequence[Room],
    key: PRNGKeyArray | None = None,
) -> Written:
    """What `likeliest` says in the last and largest of the rooms, computed in the first from which
    all steps can be read; where a row does not end there, in the last."""
    before = operands.cells[:, :-1]
    if key is not None:  # a row that is drawn is drawn once
        rooms = [room._replace(results=rooms[-1].results) for room in rooms]

    def within(room: Room) -> Callable[[], Written]:
        return lambda: likeliest(interpreter(operands, room), room, before, key)

    most = symbols_read(operands, interpreter.labels).max()
    first = sum(most > room.source for room in rooms[:-1])
    found = jax.lax.switch(first, [within(room) for room in rooms])
    if key is not None or len(rooms) == 1:
        return found
    goes_on = (found.cut & operands.touched[:, :-1]).any()
    again = goes_on & (first < len(rooms) - 1)
    return jax.lax.cond(again, within(rooms[-1]), lambda: found)
