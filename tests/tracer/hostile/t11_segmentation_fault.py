# T11 killed, trace_incomplete: reads where nothing is
import ctypes

ctypes.string_at(0)
