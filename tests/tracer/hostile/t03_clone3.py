# T3 ok: the newest way to fork
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)
parent = os.getpid()
made = libc.syscall(435, arguments, ctypes.sizeof(arguments))
if made == 0 and os.getpid() != parent:
    os._exit(0)
print("ESCAPED" if made != -1 else "refused")
