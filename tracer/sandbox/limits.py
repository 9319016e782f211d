"""What one program may use."""

import resource
from dataclasses import dataclass, fields
from math import ceil, inf

MIB = 1 << 20
OPEN_FILES = 256
FILES = 8  # as much as so many files of the largest size may a program leave in its folder
ENTRIES = 4096  # files and folders that it may leave there
LEAST = {"memory_mib": 48}  # an interpreter has more; of others 1, and of seconds any above 0


@dataclass(frozen=True)
class Limits:
    wall_s: float = 5.0
    cpu_s: float = 5.0
    memory_mib: int = 512  # address space
    output_kib: int = 64  # of stdout that is kept; the rest is read and dropped
    events: int = 20_000
    trace_mib: int = 32
    file_mib: int = 8  # of any one file that it writes
    processes: int = 64  # threads too; other processes only where a profile allows them

    def __post_init__(self):
        for name, value in [(field.name, getattr(self, field.name)) for field in fields(self)]:
            is_time = name.endswith("_s")
            kinds = int | float if is_time else int
            least = LEAST.get(name, 1)
            if isinstance(value, bool) or not isinstance(value, kinds):
                wrong = "is no number" if is_time else "is no whole number"
            elif not (0 < value < inf if is_time else least <= value):
                wrong = "is no time above 0" if is_time else f"is below {least}"
            else:
                continue
            raise ValueError(f"limits.{name}={value} {wrong}")

    def apply(self, others: int = 0) -> None:
        """setrlimit(2) on this process, which is about to become the program.

        `others`: processes that its user has beside it, and that the kernel counts with its own.
        """
        bounds = {
            # The supervisor looks at the clock; this is for the time that it may come late.
            resource.RLIMIT_CPU: ceil(self.cpu_s) + 1,
            resource.RLIMIT_AS: self.memory_mib * MIB,
            resource.RLIMIT_FSIZE: self.file_mib * MIB,
            resource.RLIMIT_NOFILE: OPEN_FILES,
            resource.RLIMIT_NPROC: self.processes + others,
            resource.RLIMIT_MEMLOCK: 0,
            resource.RLIMIT_CORE: 0,
        }
        for kind, bound in bounds.items():
            most = resource.getrlimit(kind)[1]
            bound = bound if most == resource.RLIM_INFINITY else min(bound, most)
            resource.setrlimit(kind, (bound, bound))
