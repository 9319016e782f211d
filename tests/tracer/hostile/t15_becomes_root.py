# T15 ok: and asks who it is
import os

for become in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        become()
        print("ESCAPED" if os.getuid() == 0 else "no")
    except OSError:
        pass
print("ESCAPED" if os.geteuid() == 0 and os.access("/", os.W_OK) else "no")
