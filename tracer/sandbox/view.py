"""Folders that another user could not reach, for a worker that is about to become that user.

An interpreter in /root/.pyenv is behind a folder that only root may pass. In a mount namespace of
our own, an empty folder that all may pass takes that one's place, with the interpreter in it.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from tracer.sandbox import kernel


def open_to_all(folders: Iterable[str]) -> None:
    """See these folders, under their names, as anybody could. Needs to be root; raises OSError."""
    behind: dict[Path, list[Path]] = {}
    for folder in map(Path, folders):
        if door := closed_door(folder):
            behind.setdefault(door, []).append(folder)
    if not behind:
        return
    try:
        kernel.unshare(kernel.NEW_MOUNTS)
        kernel.mount("none", "/", "", kernel.RECURSIVE | kernel.PRIVATE)
        for door, inside in behind.items():
            _replace(door, inside)
    except OSError as error:
        door, inside = next(iter(behind.items()))
        raise OSError(
            f"{inside[0]} cannot be read by another user than root, as programs are run: {door} is "
            f"closed to others, and mounting around it failed ({error.strerror})"
        ) from error


def closed_door(folder: Path) -> Path | None:
    """The first folder on the way that others than its owner cannot pass."""
    way = [*reversed(folder.parents), folder]
    return next((at for at in way if not _stat(at) & stat.S_IXOTH), None)


def _stat(path: Path) -> int:
    return path.stat().st_mode


def _replace(door: Path, inside: list[Path]) -> None:
    with ExitStack() as stack:
        held = []
        for folder in inside:
            held.append(os.open(folder, os.O_PATH | os.O_DIRECTORY))
            stack.callback(os.close, held[-1])
        kernel.mount("tmpfs", str(door), "tmpfs", 0, "mode=0755,size=1m")
        for folder, fd in zip(inside, held, strict=True):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            kernel.mount(f"/proc/self/fd/{fd}", str(folder), "", kernel.BIND)
