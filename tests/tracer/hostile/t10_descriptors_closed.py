# T10 killed, trace_incomplete: all of them
import os

os.closerange(3, 1024)
x = 1
