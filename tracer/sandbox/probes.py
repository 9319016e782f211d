"""What a sandbox must refuse and what it must allow, tried from the inside before any program runs.

Each probe tries one way out, bound as a program is. One that succeeds is a hole, and the sandbox
does not start; neither does it where a program could not import, or not write to its own folder.
"""

import importlib
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from tracer.sandbox import kernel

About = dict[str, Any]  # a "file" that is outside and open to all, a "socket" beside it, a "module"


def run(about: About, commands: bool = False) -> dict[str, str]:
    """What came of each: "refused" is right for a probe, and "works" for a need."""
    found = {}
    for name, probe in PROBES.items():
        if commands and name in OF_COMMANDS:
            continue
        try:
            found[name] = "refused" if probe(about) is False else HOLE
        except OSError:
            found[name] = "refused"
    for name, need in NEEDS.items():
        try:
            need(about)
            found[name] = "works"
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


HOLE = "got through"


def holes(found: dict[str, str]) -> list[str]:
    return [name for name, came in found.items() if came == HOLE]


def failures(found: dict[str, str]) -> list[str]:
    return [f"{name}: {found.get(name)}" for name in NEEDS if found.get(name) != "works"]


def _fork(_: About) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _execute(_: About) -> bool:
    try:
        os.execv("/nowhere", ["nowhere"])
    except FileNotFoundError:  # it would have, had the file been there
        return True


def _open(path: str, flags: int) -> None:
    os.close(os.open(path, flags))


def _connect(about: About) -> None:
    with socket.socket(socket.AF_UNIX) as here:
        here.connect(about["socket"])


def _write_folder(_: About) -> None:
    with open("probe", "w") as file:
        file.write("x")
    os.mkdir("probes")
    os.rename("probe", "probes/probe")


def _thread(_: About) -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


PROBES: dict[str, Callable[[About], object]] = {
    "fork": _fork,
    "execute": _execute,
    "open a network socket": lambda _: socket.socket(socket.AF_INET).close(),
    "connect to a local socket": _connect,
    "read a file outside": lambda about: _open(about["file"], os.O_RDONLY),
    "write a file outside": lambda about: _open(about["file"], os.O_WRONLY),
    "make a folder outside": lambda about: os.mkdir(about["file"] + ".made"),
    "change a file's mode outside": lambda about: os.chmod(about["file"], 0o600),
    "read the worker's environment": lambda _: _open(f"/proc/{os.getppid()}/environ", 0),
    "open the kernel's settings": lambda _: _open("/proc/sys/kernel/core_pattern", os.O_WRONLY),
    "signal the worker": lambda _: os.kill(os.getppid(), 0),
    "attach to the worker": lambda _: kernel.attach(os.getppid()),
    "make a namespace": lambda _: kernel.unshare(kernel.NEW_USERS),
    "keep capabilities": lambda _: kernel.has_capabilities(),
}
OF_COMMANDS = ("fork", "execute", "signal the worker")  # which a shell has to be able to do
NEEDS: dict[str, Callable[[About], object]] = {
    "import": lambda about: importlib.import_module(about["module"]),
    "write to the own folder": _write_folder,
    "start a thread": _thread,
}
