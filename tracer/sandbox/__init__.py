"""One program, run apart from us, always with an outcome.

This is protection against accidents: time, memory, output and file size are bounded, and a program
cannot take the tracer down with it. It is not a boundary against a hostile program.
"""

from tracer.sandbox.limits import Limits
from tracer.sandbox.supervisor import Outcome, Sandbox

__all__ = ["Limits", "Outcome", "Sandbox"]
