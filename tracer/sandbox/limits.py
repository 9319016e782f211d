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
            # At the hard bound the kernel kills without a word; at the soft one it says SIGXCPU.
            resource.RLIMIT_CPU: (self.cpu_s, self.cpu_s + 1),
            resource.RLIMIT_AS: (self.memory_mib * mib,) * 2,
            resource.RLIMIT_FSIZE: (self.file_mib * mib,) * 2,
            resource.RLIMIT_CORE: (0, 0),
        }
        for kind, (soft, hard) in bounds.items():
            most = resource.getrlimit(kind)[1]
            if most != resource.RLIM_INFINITY:
                soft, hard = min(soft, most), min(hard, most)
            resource.setrlimit(kind, (soft, hard))
