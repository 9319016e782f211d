# T3 ok: by the bare system calls
import ctypes
import os
import platform

calls = {"x86_64": (57, 58, 56), "aarch64": (220,)}.get(platform.machine(), ())
libc = ctypes.CDLL(None, use_errno=True)
parent = os.getpid()
for call in calls:
    made = libc.syscall(call, 17, 0, 0, 0, 0)
    if made == 0 and os.getpid() != parent:
        os._exit(0)
    print("ESCAPED" if made != -1 else ctypes.get_errno())
