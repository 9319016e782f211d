# T12 ok: what makes a cleaner wait or fail
import os

os.mkfifo("fifo")
for name in ("a b", "-rf", "new\nline", "x" * 255, "\udcff"):
    open(name, "w").close()
os.mkdir("closed")
open("closed/file", "w").close()
for path in ("closed/file", "closed", "."):
    try:
        os.chmod(path, 0)
    except OSError:
        pass
