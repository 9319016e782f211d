# T8 ok or killed or exception: goes up to the tracer and breaks what it finds
import sys

frame = sys._getframe()
while frame is not None:
    frame.f_trace = None
    frame.f_trace_lines = False
    for name, value in list(frame.f_locals.items()):
        if hasattr(value, "__dict__") and name not in ("sys", "frame"):
            try:
                value.__dict__.clear()
            except Exception:
                pass
    frame = frame.f_back
x = 1
