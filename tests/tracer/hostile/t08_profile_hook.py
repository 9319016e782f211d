# T8 ok: a profiler that raises
import sys


def refuse(frame, event, argument):
    raise ValueError(event)


try:
    sys.setprofile(refuse)
    len([])
except ValueError:
    pass
x = 1
