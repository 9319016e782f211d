"""Landlock: what of the file system, the network and other processes a process may still reach.

landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2), from Linux 5.13 on. The
rules bind this process and all that it starts, and cannot be taken back. What a kernel does not
know yet is left out; `abi()` says how much it knows.
"""

import ctypes
import os
import stat
from collections.abc import Iterable

from tracer.sandbox import kernel

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1  # LANDLOCK_RULE_PATH_BENEATH

# LANDLOCK_ACCESS_FS_*, by bit
_NAMES = (
    "execute write_file read_file read_dir remove_dir remove_file make_char make_dir make_reg "
    "make_sock make_fifo make_block make_sym refer truncate ioctl_dev"
).split()
_BIT = {name: 1 << at for at, name in enumerate(_NAMES)}
_HANDLED = {1: 13, 2: 14, 3: 15, 4: 15}  # how many of them a version knows; later ones all 16
_READ = _BIT["read_file"] | _BIT["read_dir"]
_NEVER = _BIT["execute"] | _BIT["make_char"] | _BIT["make_block"] | _BIT["ioctl_dev"]
_OF_FILES = sum(_BIT[n] for n in ("execute", "write_file", "read_file", "truncate", "ioctl_dev"))
_BIND_AND_CONNECT = 3  # LANDLOCK_ACCESS_NET_BIND_TCP, _CONNECT_TCP; from version 4 on
_SOCKETS, _SIGNALS = 1, 2  # LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, _SIGNAL; from version 6 on


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scoped")]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def abi() -> int:
    """The version that this kernel has, or 0."""
    try:
        return kernel.syscall(_CREATE, None, 0, _VERSION) if kernel.IS_LINUX else 0
    except OSError:
        return 0


def restrict(read: Iterable[str], write: Iterable[str], commands: bool = False) -> None:
    """Reach nothing but these files and folders from here on; what is not there is left out.

    `commands`: what can be read can also be run, and others can be signalled, which one command
    does to what another left running. Needs no_new_privs, and raises OSError.
    """
    version = abi()
    known = (1 << _HANDLED.get(version, len(_NAMES))) - 1
    rules = _Ruleset(known, _BIND_AND_CONNECT, _SOCKETS if commands else _SOCKETS | _SIGNALS)
    size = 8 if version < 4 else 16 if version < 6 else 24
    fd = kernel.syscall(_CREATE, ctypes.byref(rules), size, 0)
    also = _BIT["execute"] if commands else 0
    try:
        for path in read:
            _allow(fd, path, (_READ | also) & known)
        for path in write:
            _allow(fd, path, ((known & ~_NEVER) | also) & known)
        kernel.syscall(_RESTRICT, fd, 0)
    finally:
        os.close(fd)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _OF_FILES
        kernel.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(_Beneath(rights, fd)), 0)
    finally:
        os.close(fd)
