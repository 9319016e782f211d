"""The programs of tests/tracer/hostile: what each expects, and what none may touch.

The first line of a program says its row of the threat table, its outcome (or outcomes) and flags:

    # T8 ok, tracer_removed: the hook is taken away
"""

import os
import re
import socket
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("hostile")
SECRET = "canary-4f1c8a92"
_HEAD = re.compile(r"# (T\d+) ([a-z ]+?)((?:, \w+)*): .+")


class Hostile(NamedTuple):
    name: str
    row: str
    outcomes: tuple[str, ...]
    flags: frozenset[str]
    source: bytes


def load(path: Path) -> Hostile:
    source = path.read_bytes()
    head = _HEAD.fullmatch(source.partition(b"\n")[0].decode())
    assert head, f"{path.name}: its first line says not what to expect"
    row, outcomes, flags = head.groups()
    names = frozenset(filter(None, flags.split(", ")))
    return Hostile(path.stem, row, tuple(outcomes.split(" or ")), names, source)


PROGRAMS = [load(path) for path in sorted(FOLDER.glob("*.py"))]


class Canary:
    """A file, two listening sockets and a variable outside: open to all, and to be left alone."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="canary-"))
        self.folder.chmod(0o777)
        self.file = self.folder / "file"
        self.file.write_text(SECRET)
        self.file.chmod(0o666)
        self.abstract = self.folder.name
        local = str(self.folder / "socket")
        self.sockets = []
        for family, address in (
            (socket.AF_INET, ("127.0.0.1", 0)),
            (socket.AF_UNIX, local),
            (socket.AF_UNIX, f"\0{self.abstract}"),
        ):
            server = socket.socket(family)
            server.bind(address)
            server.listen()
            server.setblocking(False)
            self.sockets.append(server)
        os.chmod(local, 0o777)
        os.environ["CANARY"] = SECRET
        self.before = self.state()

    def fill(self, source: bytes) -> bytes:
        names = {
            "FOLDER": self.folder,
            "FILE": self.file,
            "PORT": self.sockets[0].getsockname()[1],
            "SOCKET": self.folder / "socket",
            "ABSTRACT": self.abstract,
        }
        for name, value in names.items():
            source = source.replace(f"@{name}@".encode(), str(value).encode())
        return source

    def state(self) -> list:
        found = [(path, os.lstat(path)) for path in (self.folder, *sorted(self.folder.iterdir()))]
        shown = [(str(p), s.st_mode, s.st_uid, s.st_nlink, s.st_mtime_ns) for p, s in found]
        return [*shown, self.file.read_text()]

    def is_untouched(self) -> bool:
        for server in self.sockets:
            try:
                server.accept()
                return False
            except BlockingIOError:
                continue
        return self.state() == self.before

    def close(self) -> None:
        del os.environ["CANARY"]
        for server in self.sockets:
            server.close()
        for path in self.folder.iterdir():
            assert not stat.S_ISDIR(path.lstat().st_mode)
            path.unlink()
        self.folder.rmdir()


def processes_below(pid: int) -> list[int]:
    """All that are descended from a process, of /proc."""
    parents = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            text = Path("/proc", name, "stat").read_text()
        except OSError:
            continue
        state, parent = text.rpartition(")")[2].split()[:2]
        if state not in "ZX":
            parents[int(name)] = int(parent)
    found, last = [], [pid]
    while last:
        last = [child for child, parent in parents.items() if parent in last]
        found += last
    return found
