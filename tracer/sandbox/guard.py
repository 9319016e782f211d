"""Notices when something else than the tracer calls sys.settrace(3), even if it puts ours back.

An audit hook (PEP 578), which nobody can remove from a process.
"""

import sys
import threading
from types import CodeType

from tracer import monitor, stack

# Who calls it for us: the recorder, its stack, and each thread when it starts.
_OURS = (monitor.__file__, stack.__file__, threading.__file__)
_frame_at = sys._getframe
_file_of = vars(CodeType)["co_filename"].__get__


class Guard:
    def __init__(self):
        self.noticed = False

    def install(self) -> None:
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, _: tuple) -> None:
        if event == "sys.settrace":
            frame = _frame_at(1)
            ours = _file_of(frame.f_code) in _OURS or frame in stack.leaving
            self.noticed = self.noticed or not ours
