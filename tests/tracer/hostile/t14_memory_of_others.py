# T14 ok: of its parent
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for pid in (os.getppid(), 1):
    print("ESCAPED" if libc.ptrace(16, pid, 0, 0) == 0 else "no")
    try:
        print("ESCAPED", open(f"/proc/{pid}/mem", "rb"))
    except OSError:
        pass
buffer = ctypes.create_string_buffer(8)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
print("ESCAPED" if libc.process_vm_readv(os.getppid(), vector, 1, vector, 1, 0) > 0 else "no")
