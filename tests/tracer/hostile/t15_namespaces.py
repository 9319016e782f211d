# T15 ok: a world in which it is root
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for flag in (0x10000000, 0x00020000, 0x40000000, 0x20000000):
    print("ESCAPED" if libc.unshare(flag) == 0 else "no")
print("ESCAPED" if libc.chroot(b".") == 0 else "no")
print("ESCAPED" if libc.mount(b"none", b".", b"tmpfs", 0, None) == 0 else "no")
