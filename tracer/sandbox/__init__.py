"""One program that nobody has read, run apart from us, always with an outcome.

What it may reach is its interpreter, its own folder and its output: namespaces, Landlock and
seccomp hold it, limits bound it, and a supervisor that never compiles it writes its record. What no
sandbox can exclude is that a program changes the interpreter it runs in, and so its own trace from
there on.
"""

from tracer.sandbox.limits import Limits
from tracer.sandbox.supervisor import Outcome, Sandbox
from tracer.sandbox.tiers import SandboxError

__all__ = ["Limits", "Outcome", "Sandbox", "SandboxError"]
