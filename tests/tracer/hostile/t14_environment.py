# T14 ok: its own, and that of others
import os

print(dict(os.environ))
try:
    others = os.listdir("/proc")
except OSError:
    others = range(1, 400)
for pid in others:
    for name in ("environ", "cmdline", "maps"):
        try:
            print(open(f"/proc/{pid}/{name}", "rb").read())
        except OSError:
            pass
for pid in ("self", "1", os.getppid(), "thread-self"):
    try:
        print(open(f"/proc/{pid}/environ", "rb").read())
    except OSError:
        pass
