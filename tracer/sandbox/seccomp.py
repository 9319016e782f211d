"""seccomp(2): which system calls a process may still make, as a small program for the kernel.

A filter refuses what a profile names, refuses calls that are newer than itself as unknown, and lets
the rest pass. It is an assembly of classic BPF over `struct seccomp_data` (call, architecture,
arguments), bound by prctl(PR_SET_SECCOMP); it cannot be taken back, and all children inherit it.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable
from typing import NamedTuple

from tracer.sandbox import kernel
from tracer.sandbox.syscalls import NEWEST, NUMBERS

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH_*, column
_LOAD, _AND, _EQUAL, _AT_LEAST, _JUMP, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x05, 0x06
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000  # SECCOMP_RET_*
_SET_SECCOMP, _GET_SECCOMP, _FILTER = 22, 21, 2  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
_CALL, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

_THREAD, _NEW_NAMESPACES = 0x00010000, 0x7E020000  # CLONE_THREAD, CLONE_NEW* of clone(2)

Instruction = tuple[int, int, int, int]  # operation, jump if true, jump if false, number


class Argument(NamedTuple):
    """Whether an argument of a call, under a mask, is one of some numbers."""

    index: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    high: bool = False  # the upper half of its 64 bits


class Rule(NamedTuple):
    """A call that is refused: unless all these hold, or where this one does."""

    call: str
    unless: tuple[Argument, ...] = ()
    where: Argument | None = None
    error: int = errno.EPERM


def never(calls: str) -> list[Rule]:
    return [Rule(call) for call in calls.split()]


def null(index: int) -> tuple[Argument, Argument]:
    return Argument(index, (0,)), Argument(index, (0,), high=True)


# What computing does not need: the kernel's large and privileged sides, and what outlives us.
KERNEL = [
    *never("ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp"),
    *never("pidfd_open pidfd_send_signal pidfd_getfd migrate_pages move_pages"),
    *never("shmget shmat shmctl semget semop msgget msgsnd mq_open mq_unlink"),
    *never("memfd_create memfd_secret add_key request_key keyctl"),
    *never("unshare setns mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig"),
    *never("fsmount fspick mount_setattr quotactl quotactl_fd swapon swapoff acct reboot"),
    *never("kexec_load kexec_file_load init_module finit_module delete_module syslog vhangup"),
    *never("sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex"),
    *never("iopl ioperm bpf perf_event_open userfaultfd io_uring_setup io_uring_enter"),
    *never("io_uring_register io_setup fanotify_init fanotify_mark name_to_handle_at"),
    *never("open_by_handle_at lookup_dcookie modify_ldt personality uselib mbind set_mempolicy"),
    *never("set_mempolicy_home_node seccomp"),
    Rule("clone3", error=errno.ENOSYS),  # its flags are out of our sight; libc falls back to clone
]

# A pair of connected stream sockets, which event loops use, reaches nobody else.
NETWORK = [
    *never("socket connect bind listen accept accept4"),
    Rule("socketpair", unless=(Argument(0, (1,)), Argument(1, (1,), mask=0xF))),
    Rule("sendto", unless=null(4)),
]

# No other process: none is made, none is signalled, none is bound or renamed.
ALONE = [
    *never("fork vfork execve execveat tkill setpgid"),
    Rule("clone", unless=(Argument(0, (_THREAD,), mask=_THREAD | _NEW_NAMESPACES),)),
    *(
        Rule(call, unless=(Argument(0, (0,)),))
        for call in ("sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
    ),
    *(Rule(call, unless=(Argument(1, (0,)),)) for call in ("setpriority", "ioprio_set")),
    Rule("prlimit64", unless=null(2)),
    # TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP; F_SETOWN, F_SETSIG, F_SETOWN_EX
    Rule("ioctl", where=Argument(1, (0x5412, 0x541C, 0x8901, 0x8902))),
    Rule("fcntl", where=Argument(1, (8, 10, 15))),
]

# For commands that start others, in a process namespace of their own.
TOGETHER = [
    Rule("clone", unless=(Argument(0, (0,), mask=_NEW_NAMESPACES),)),
    Rule("ioctl", where=Argument(1, (0x5412, 0x541C))),
]

# Landlock knows nothing of these. To change modes one must own a file; to touch it, or to give it
# an attribute, it is enough that one might have written to it.
MODES = never("chmod fchmod fchmodat chown fchown lchown fchownat")
TOUCHES = never(
    "utime utimes futimesat utimensat setxattr lsetxattr fsetxattr "
    "removexattr lremovexattr fremovexattr"
)


def signals(pid: int) -> list[Rule]:
    """Signals go to oneself, or to one's own process group, which has nobody else in it."""
    itself = (Argument(0, (pid,)),)
    calls = ("tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
    return [Rule("kill", unless=(Argument(0, (0, pid)),)), *(Rule(c, itself) for c in calls)]


def is_here() -> bool:
    """Whether this kernel filters, and we know the numbers of its calls."""
    if not kernel.IS_LINUX or platform.machine() not in _ARCHITECTURES:
        return False
    try:
        return kernel.prctl(_GET_SECCOMP, 0, 0, 0, 0) in (0, _FILTER)
    except OSError:
        return False


def restrict(rules: Iterable[Rule]) -> None:
    """Bind this process. Needs no_new_privs, and raises OSError."""
    code = assemble(rules, platform.machine())
    text = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a length, then a pointer at its own alignment
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(text))
    kernel.prctl(_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(program, len(program)), 0, 0)


def assemble(rules: Iterable[Rule], machine: str) -> bytes:
    """The filter as an array of `struct sock_filter`."""
    architecture, column = _ARCHITECTURES[machine]
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _CALL),
        (_AT_LEAST, 0, 1, NEWEST + 1),  # of x86-64, also the calls of its 32-bit variant
        _refuse(errno.ENOSYS),
    ]
    for rule in rules:
        number = NUMBERS[rule.call][column]
        if number is not None:
            body = _body(rule)
            code += [(_EQUAL, 0, len(body), number), *body]
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _body(rule: Rule) -> list[Instruction]:
    """What happens once the call is the rule's."""
    refuse = _refuse(rule.error)
    if rule.where is not None:
        # One of the values jumps over the jump that leads past the refusal.
        return [*_load(rule.where), *_compare(rule.where, 1), (_JUMP, 0, 0, 1), refuse, _allow()]
    if not rule.unless:
        return [refuse]
    body: list[Instruction] = []
    for test in rule.unless:
        body += [*_load(test), *_compare(test, 1), refuse]
    return [*body, _allow()]


def _load(test: Argument) -> list[Instruction]:
    at = _ARGUMENTS + 8 * test.index + 4 * test.high  # both machines put the lower half first
    return [(_LOAD, 0, 0, at), (_AND, 0, 0, test.mask)]


def _compare(test: Argument, skip: int) -> list[Instruction]:
    """Jump over `skip` instructions, counted from the end of these, on any of the values."""
    last = len(test.values) - 1
    return [(_EQUAL, last - n + skip, 0, value) for n, value in enumerate(test.values)]


def _refuse(error: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | error)


def _allow() -> Instruction:
    return (_RETURN, 0, 0, _ALLOW)
