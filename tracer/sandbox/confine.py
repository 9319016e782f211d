"""What a process gives up before it becomes a program, in the order in which it can be given up."""

import os
from typing import NamedTuple

from tracer.sandbox import kernel, landlock, seccomp

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/random")


class Confinement(NamedTuple):
    """What a tier takes away; the supervisor decides, the worker's children obey."""

    readable: tuple[str, ...] = ()  # files and folders, beside the devices
    landlock: bool = False
    seccomp: bool = False
    owner: bool = False  # the program runs as the owner of files that it can see
    commands: bool = False  # it may start others: the profile of a shell
    uid: int | None = None  # to run as, where the supervisor is root
    namespace: bool = False  # it sees only processes and files of its own; they end with the worker
    packages: tuple[str, ...] = ()  # folders to import from, beside the standard library


def confine(to: Confinement, writable: tuple[str, ...]) -> None:
    """Bind this process and all that it starts. It stands in one of the writable folders."""
    if kernel.IS_LINUX:
        kernel.no_new_privileges()
    if to.landlock:
        devices = [device for device in DEVICES if os.path.exists(device)]
        landlock.restrict(to.readable, [*writable, *devices], to.commands)
    if to.seccomp:
        seccomp.restrict(rules(to, os.getpid()))


def rules(to: Confinement, pid: int) -> list[seccomp.Rule]:
    found = [*seccomp.KERNEL, *seccomp.NETWORK]
    found += seccomp.TOGETHER if to.commands else [*seccomp.ALONE, *seccomp.signals(pid)]
    found += seccomp.MODES if to.owner else []
    return found + ([] if to.namespace else seccomp.TOUCHES)


def close_files(keep: tuple[int, ...]) -> None:
    """Leave the program its three streams and these; nobody else's pipes."""
    last = 2
    for fd in sorted(keep):
        os.closerange(last + 1, fd)
        last = fd
    os.closerange(last + 1, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))
