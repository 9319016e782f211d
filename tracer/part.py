"""DIR.part: where a dataset is made, by one process at a time, until it gets its name.

An interrupted run leaves it behind, and the same command goes on in it.
"""

import errno
import fcntl
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracer.shards import Damaged, read_manifest, sync

SETTINGS = "settings.json"  # of the run that began it
LOCK = ".lock"


class Part:
    """The folder, held until `close`."""

    def __init__(self, folder: Path, settings: dict[str, Any], mend: bool = False):
        """`mend`: the dataset is there, made with these settings, and has lost files."""
        self.folder = folder
        self.path = folder.with_name(f"{folder.name}.part")
        self.lock = self._hold()
        try:
            if folder.exists() and not mend:
                with suppress(OSError):  # there may be an interrupted run in it
                    (self.path / LOCK).unlink()
                    self.path.rmdir()
                said = f"{folder} already exists; choose another folder or remove it"
                raise FileExistsError(said)
            if folder.exists():
                self._take_back(settings)
            self._begin(settings)
        except BaseException:
            self.close()
            raise

    def finish(self) -> None:
        """Everything in it is on the disk: give it its name."""
        self.path.rename(self.folder)
        sync(self.folder.parent)
        (self.folder / SETTINGS).unlink()
        (self.folder / LOCK).unlink()
        self.close()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self.close()

    def close(self) -> None:
        os.close(self.lock)  # and with it the lock

    def _hold(self) -> int:
        """A lock that ends with its process, however that ends."""
        self.path.mkdir(parents=True, exist_ok=True)
        while True:
            path = self.path / LOCK
            fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.exists() and os.path.samestat(os.fstat(fd), path.stat()):
                    return fd
            except BlockingIOError as error:
                os.close(fd)
                raise OSError(f"{self.folder} is being made by another process") from error
            except OSError as error:
                os.close(fd)
                said = f"{path} cannot be locked: {os.strerror(error.errno or errno.EIO)}"
                raise OSError(said) from error
            os.close(fd)

    def _take_back(self, settings: dict[str, Any]) -> None:
        """A dataset is mended where datasets are made."""
        (self.path / LOCK).unlink()
        try:
            self.path.rmdir()  # nothing is in it
        except OSError as error:
            said = f"there are both {self.folder} and {self.path}; remove one of them"
            raise FileExistsError(said) from error
        _write(self.folder / SETTINGS, settings)
        self.folder.rename(self.path)
        os.close(self.lock)
        self.lock = self._hold()

    def _begin(self, settings: dict[str, Any]) -> None:
        path = self.path / SETTINGS
        if not path.exists() and read_manifest(self.path):
            raise Damaged(f"{self.path} has no {SETTINGS}; remove the folder to begin anew")
        if path.exists():
            begun = json.loads(path.read_text())
            if begun != settings:
                said = difference(begun, settings)
                raise FileExistsError(
                    f"{self.path} was begun with another config ({said}); choose another folder, "
                    "remove it, or give the config that it was begun with"
                )
        _write(path, settings)
        (self.path / "manifest.json").unlink(missing_ok=True)


def _write(path: Path, settings: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(settings) + "\n")
    sync(temporary)
    temporary.rename(path)
    sync(path.parent)


def difference(old: Any, new: Any, name: str = "") -> str:
    """The first thing in which two settings differ: `limits.events: 200, now 300`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                return difference(old.get(key), new.get(key), f"{name}.{key}".lstrip("."))
    return f"{name}: {old!r}, now {new!r}"
