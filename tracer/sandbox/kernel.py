"""What Linux offers and Python has no function for: prctl(2), mount(2) and bare system calls."""

import ctypes
import os
import sys

IS_LINUX = sys.platform == "linux"
NEW_MOUNTS, NEW_USERS = 0x00020000, 0x10000000  # CLONE_NEWNS, CLONE_NEWUSER of unshare(2)
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000  # MS_* of mount(2)
_DEATH_SIGNAL, _DUMPABLE, _DROP_CAPABILITY, _NO_NEW_PRIVS = 1, 4, 24, 38  # PR_* of prctl(2)
_SEIZE = 0x4206  # PTRACE_SEIZE of ptrace(2)

_capabilities = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3 of capget(2)
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def syscall(number: int, *arguments: object) -> int:
    """syscall(2); an integer goes as a long, anything else as ctypes has it."""
    longs = [ctypes.c_long(each) if type(each) is int else each for each in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *longs))


def prctl(option: int, *arguments: object) -> int:
    longs = [ctypes.c_ulong(each) if type(each) is int else each for each in arguments]
    return _checked(_libc.prctl(option, *longs))


def no_new_privileges() -> None:
    """From here on, executing a file gives nothing that this process has not."""
    prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)


def die_with_parent() -> None:
    prctl(_DEATH_SIGNAL, 9, 0, 0, 0)


def hide_memory() -> None:
    """No other process of this user may attach to this one or read its memory."""
    prctl(_DUMPABLE, 0, 0, 0, 0)


def drop_to(uid: int) -> None:
    """Stop being root, for good: no capabilities, no groups, no way back."""
    try:
        for capability in range(64):
            prctl(_DROP_CAPABILITY, capability, 0, 0, 0)
    except OSError:
        pass  # the first number that this kernel does not know
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _checked(_libc.capset(_capabilities, (ctypes.c_uint32 * 6)()))


def has_capabilities() -> bool:
    """Whether any is effective or could be made so."""
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; lower and upper half
    _checked(_libc.capget(_capabilities, sets))
    return any(sets)


def attach(pid: int) -> None:
    """ptrace(2), without stopping the other."""
    _checked(_libc.ptrace(_SEIZE, pid, None, None))


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    texts = [text.encode() for text in (source, target, kind)]
    _checked(_libc.mount(*texts, ctypes.c_ulong(flags), options.encode()))


def _checked(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
