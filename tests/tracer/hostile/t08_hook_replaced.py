# T8 ok, tracer_removed: by one of its own
import sys

sys.settrace(lambda *_: None)
x = 2
