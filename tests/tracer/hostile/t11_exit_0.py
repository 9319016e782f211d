# T11 killed, trace_incomplete: as if all were well
import os

x = 1
os._exit(0)
