"""The folder that an episode works in: made, looked at from outside, and removed.

Its commands may have put anything there while it is looked at, so no link is followed.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracer.sandbox.folder import remove

LARGEST = 1 << 20  # bytes of a file that are looked at
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_UNSEEN = ("__pycache__",)  # and what is hidden


@contextmanager
def workspace(template: Path) -> Iterator[Path]:
    """A copy of a folder, with the times of its files, so that their bytecode stays valid."""
    place = Path(tempfile.mkdtemp(prefix="episode-"))
    try:
        shutil.copytree(template, place / "work", symlinks=True)
        yield place / "work"
    finally:
        remove(str(place))


class Files:
    """What the files of a folder hold, as digests; only those are read that look new."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.read: dict[tuple[int, ...], bytes] = {}  # by inode, size and time
        self.first = self.now()

    def changed(self) -> int:
        """How many are not what they were at first: other, new or gone."""
        now = self.now()
        return sum(now.get(path) != self.first.get(path) for path in now | self.first)

    def now(self) -> dict[str, bytes]:
        found = {}
        for path, folders, names, at in os.fwalk(self.folder):
            folders[:] = [name for name in folders if _is_seen(name)]
            for name in filter(_is_seen, names):
                try:
                    found[os.path.join(path, name)] = self._digest(name, at)
                except OSError:  # it is gone, or closed
                    continue
        return found

    def _digest(self, name: str, at: int) -> bytes:
        state = os.stat(name, dir_fd=at, follow_symlinks=False)
        if not stat.S_ISREG(state.st_mode):
            return stat.filemode(state.st_mode).encode()
        key = (state.st_ino, state.st_size, state.st_mtime_ns)
        if key not in self.read:
            with open(os.open(name, _READ, dir_fd=at), "rb") as file:
                self.read[key] = hashlib.blake2b(file.read(LARGEST)).digest()
        return self.read[key]


def _is_seen(name: str) -> bool:
    return not name.startswith(".") and name not in _UNSEEN
