# T10 killed, trace_incomplete: a length that nobody should believe
import os
import struct

for fd in range(3, 64):
    try:
        os.write(fd, struct.pack("<II", 0x7FFFFFFF, 0) + b"[" * 1000)
    except OSError:
        pass
