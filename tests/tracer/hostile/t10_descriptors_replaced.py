# T10 killed, trace_incomplete: the trace goes nowhere
import os

null = os.open(os.devnull, os.O_WRONLY)
for fd in range(3, 64):
    if fd != null:
        os.dup2(null, fd)
x = 1
