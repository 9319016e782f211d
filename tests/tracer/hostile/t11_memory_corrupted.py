# T11 killed, trace_incomplete: writes over the interpreter
import ctypes

ctypes.memset(id(int), 0xFF, 4096)
x = 1 + 1
y = int('3')
