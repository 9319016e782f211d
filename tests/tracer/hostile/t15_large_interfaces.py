# T15 ok: io_uring, bpf, perf, keys, userfaultfd
import ctypes
import platform

calls = {
    "x86_64": (425, 321, 298, 248, 250, 323, 304, 310, 101, 246, 175, 165, 155, 169, 432, 435, 462, 467),
    "aarch64": (425, 280, 241, 217, 219, 282, 265, 270, 117, 104, 105, 40, 41, 142, 432, 435, 462, 467),
}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(256)
for call in calls:
    if libc.syscall(call, 1, buffer, 0, 0, 0, 0) != -1:
        print("ESCAPED", call)
    elif ctypes.get_errno() not in (1, 38):
        print("ESCAPED", call, "the kernel looked at its arguments")
