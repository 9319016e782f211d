"""Meta's CWM trace text: `write` a trace, `parse` a text, `resolve` its locals."""

from tracer.cwm.check import Check, check
from tracer.cwm.grammar import ACTION, ARG, FRAME, KINDS, Frame, unmarked
from tracer.cwm.prompt import as_main
from tracer.cwm.reader import BadText, Text, parse, resolve, scopes
from tracer.cwm.writer import Options, write

__all__ = [
    "ACTION",
    "ARG",
    "FRAME",
    "KINDS",
    "BadText",
    "Check",
    "Frame",
    "Options",
    "Text",
    "as_main",
    "check",
    "parse",
    "resolve",
    "scopes",
    "unmarked",
    "write",
]
