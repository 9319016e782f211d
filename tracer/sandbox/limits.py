"""What one program may use."""

import resource
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    wall_s: float = 5.0
    cpu_s: int = 5
    memory_mib: int = 512  # address space
    output_kib: int = 64  # of stdout that is kept; the rest is read and dropped
    events: int = 20_000
    trace_mib: int = 32
    file_mib: int = 8  # of any one file that it writes

    def apply(self) -> None:
        """Bind this process, which is about to become the program."""
        mib = 1 << 20
        bounds = {
            resource.RLIMIT_CPU: self.cpu_s,
            resource.RLIMIT_AS: self.memory_mib * mib,
            resource.RLIMIT_FSIZE: self.file_mib * mib,
            resource.RLIMIT_CORE: 0,
        }
        for kind, bound in bounds.items():
            hard = resource.getrlimit(kind)[1]
            bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
            resource.setrlimit(kind, (bound, bound))
