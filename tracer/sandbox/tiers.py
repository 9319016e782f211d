"""How strongly a program can be shut in on this machine, and the command that does it.

    A   namespaces by bubblewrap, Landlock, seccomp, limits
    B   Landlock, seccomp, limits; as another user where we are root
    C   namespaces and limits: Landlock or seccomp is missing
    D   limits alone: macOS, old kernels

A and B hold programs that nobody has read. C is for who says `allow_weaker`, C and D are for who
says `trusted_programs`. None is taken in the place of a stronger one without saying why.
"""

import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tracer.sandbox import kernel, landlock, seccomp
from tracer.sandbox.confine import Confinement
from tracer.sandbox.limits import FILES, MIB, Limits

NAMES = ("A", "B", "C", "D")
ROOT = Path(__file__).parents[2]
UIDS = 1_900_000_000  # from here on nobody is anybody; the supervisor's process number is added
NOBODY = 65534
SHELL_FOLDER = "/work"  # where a workspace is, for commands
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64")
_EVERYWHERE = ("/usr", *(f"/{name}" for name in _SYSTEM), "/etc/ld.so.cache", "/etc/localtime")


class SandboxError(OSError):
    """Programs cannot be shut in here as it was asked for."""


class Tier(NamedTuple):
    name: str  # one of NAMES
    form: str
    command: tuple[str, ...]  # that starts a worker
    confinement: Confinement
    folder: str | None  # in which programs get theirs; None: the supervisor makes one


def candidates(
    name: str | None, allow_weaker: bool, trusted_programs: bool, limits: Limits, shell: str | None
) -> tuple[list[Tier], dict[str, str]]:
    """The tiers that may be tried, the strongest first, and why the others are out."""
    if name is not None and name not in NAMES:
        raise SandboxError(f"unknown tier {name!r}; there are: {', '.join(NAMES)}")
    missing = lacks()
    found, out = [], {}
    for each in NAMES if name is None else (name,):
        if reason := _reason(each, missing, allow_weaker, trusted_programs, shell):
            out[each] = reason
        elif each in "AC":
            found += [_bubblewrap(each, form, limits, shell) for form in forms()]
        else:
            found.append(_plain(each))
    return found, out


def lacks() -> dict[str, str]:
    """What of the parts is not here, and why."""
    found = {}
    if not kernel.IS_LINUX:
        system = {"darwin": "macOS"}.get(sys.platform, sys.platform)
        return dict.fromkeys(("bubblewrap", "Landlock", "seccomp"), f"{system} has none")
    if shutil.which("bwrap") is None:
        found["bubblewrap"] = "it is not installed (apt-get install bubblewrap)"
    if not landlock.abi():
        found["Landlock"] = "this kernel has none, or it is not switched on"
    if not seccomp.is_here():
        found["seccomp"] = f"this kernel has none, or nobody knows the calls of {machine()}"
    return found


def machine() -> str:
    return platform.machine()


def _reason(
    name: str, missing: dict[str, str], allow_weaker: bool, trusted: bool, shell: str | None
) -> str | None:
    """Why a tier is out, if it is."""
    needs = {"A": ("bubblewrap", "Landlock", "seccomp"), "B": ("Landlock", "seccomp")}
    needs |= {"C": ("bubblewrap",), "D": ()}
    if lack := [f"{part}: {missing[part]}" for part in needs[name] if part in missing]:
        return "; ".join(lack)
    if shell is not None and name in "BD":
        return "commands need process namespaces"
    if name == "C" and not allow_weaker and not trusted:
        return "weaker: sandbox.allow_weaker=true allows it"
    if name == "D" and not trusted:
        return "weaker: sandbox.trusted_programs=true allows it"
    return None


def forms() -> tuple[str, ...]:
    return ("root", "user namespace") if os.geteuid() == 0 else ("user namespace",)


def _plain(name: str) -> Tier:
    is_root = os.geteuid() == 0
    to = Confinement(
        readable=(*_EVERYWHERE, *library()),
        landlock=name == "B",
        seccomp=name == "B",
        owner=not is_root,
        uid=spare_uid() if is_root and name == "B" else None,
        packages=packages(),
    )
    environment = [f"{key}={value}" for key, value in variables(str(ROOT)).items()]
    command = ("/usr/bin/env", "-i", *environment, *python(str(ROOT)))
    return Tier(name, "no namespaces", command, to, None)


def _bubblewrap(name: str, form: str, limits: Limits, shell: str | None) -> Tier:
    uid = spare_uid() if form == "root" else None
    folder = SHELL_FOLDER if shell else "/tmp"
    to = Confinement(
        readable=(*_EVERYWHERE, *library(), *(("/proc",) if shell else ())),
        landlock=landlock.abi() > 0 and "Landlock" not in lacks(),
        seccomp=seccomp.is_here(),
        commands=shell is not None,
        uid=uid,
        namespace=True,
        packages=packages(),
    )
    return Tier(name, f"bubblewrap, {form}", bwrap(form, limits, shell), to, folder)


def bwrap(form: str, limits: Limits, shell: str | None) -> tuple[str, ...]:
    """bwrap(1): nothing is seen but the interpreter, the tracer and an empty /tmp."""
    command = ["bwrap", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if form == "root":
        command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        command += ["--unshare-cgroup-try"]
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):  # to become another user
            command += ["--cap-add", capability]
    else:
        command += ["--unshare-all", "--unshare-user", "--disable-userns"]
        if os.geteuid() == 0:  # it stays the kernel's root, but cannot say so
            command += ["--uid", str(NOBODY), "--gid", str(NOBODY)]
    command += ["--ro-bind", "/usr", "/usr", *_system_folders()]
    # Before the library, which may be in it.
    command += ["--perms", "1777", "--size", str(FILES * limits.file_mib * MIB), "--tmpfs", "/tmp"]
    for folder in library():
        for above in reversed(Path(folder).parents[:-1]):  # bwrap would close them to others
            command += ["--perms", "0755", "--dir", str(above)]
        command += ["--ro-bind", folder, folder]
    command += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"]
    command += ["--ro-bind", str(ROOT / "tracer"), "/lab/tracer"]
    if shell is not None:
        command += ["--bind", shell, SHELL_FOLDER]
    command += ["--chdir", "/tmp", "--hostname", "sandbox", "--clearenv"]
    for key, value in variables("/lab").items():
        command += ["--setenv", key, value]
    return (*command, "--", *python("/lab"))


def _system_folders() -> Iterator[str]:
    """The folders of the root that are part of /usr on most systems."""
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))


def python(root: str) -> tuple[str, ...]:
    """The interpreter itself, not what a version manager puts before it."""
    flags = ("-s", "-P", "-S", "-X", "utf8")
    return (os.path.realpath(sys.executable), *flags, f"{root}/tracer/sandbox/worker.py")


def variables(root: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONPATH": root}


def library() -> tuple[str, ...]:
    """Where the interpreter, its library and installed packages are, beside /usr."""
    found = {os.path.realpath(path) for path in (sys.base_prefix, sys.base_exec_prefix)}
    found |= set(packages())
    outer = [Path("/usr"), *map(Path, found)]
    return tuple(sorted(p for p in found if not any(o in Path(p).parents for o in outer)))


def packages() -> tuple[str, ...]:
    """Where packages are installed, for the interpreter that we run in."""
    found = {os.path.realpath(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    return tuple(sorted(path for path in found if os.path.isdir(path)))


def spare_uid() -> int:
    """A user that nobody else is, where our user namespace has so many."""
    uid = UIDS + os.getpid()
    with open("/proc/self/uid_map") as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    return uid if any(first <= uid < first + count for first, _, count in ranges) else NOBODY
