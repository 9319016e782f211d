# T8 ok, tracer_removed: of one frame, which then runs unseen
import sys


def unseen():
    sys._getframe().f_trace = None
    x = 1
    return x


x = unseen()
x = 2
