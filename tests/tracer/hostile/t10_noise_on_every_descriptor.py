# T10 killed, trace_incomplete: what is written there is no frame
import os

for fd in range(3, 256):
    try:
        os.write(fd, b"\xff" * 64)
    except OSError:
        pass
