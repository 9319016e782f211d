"""Memory in large pages, which are kept when they are freed: a training step makes and frees
hundreds of arrays, and takes half as long again in pages of the usual size.

The C library reads what it is to do with memory from the environment, when a process begins.
"""

import os
import platform
import sys
from collections.abc import Mapping, Sequence

COMMANDS = ("ablate", "budget", "evaluate", "tokens", "train")  # whose time goes into arrays
VARIABLE = "GLIBC_TUNABLES"
SETTINGS = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in {
        "hugetlb": 1,
        "mmap_threshold": 1 << 32,
        "trim_threshold": 1 << 34,
        "top_pad": 1 << 28,
    }.items()
)


def wanted(argv: Sequence[str], environment: Mapping[str, str], libc: str) -> bool:
    """Whether the process so called is one of these commands, and its pages nobody's choice yet."""
    module = argv[argv.index("-m") + 1] if "-m" in argv[:-1] else ""
    package, _, name = module.partition(".")
    ours = package == "experiments" and name in COMMANDS
    return ours and libc == "glibc" and VARIABLE not in environment


def use_large_pages() -> None:
    """Begin this process anew, with them; before it has done anything."""
    if wanted(sys.orig_argv, os.environ, platform.libc_ver()[0]):
        os.execve(sys.executable, sys.orig_argv, {**os.environ, VARIABLE: SETTINGS})
