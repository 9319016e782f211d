# T12 ok: content, name, mode, times, links
import os

path = "@FILE@"
for change in (
    lambda: open(path, "a").write("x"),
    lambda: os.truncate(path, 0),
    lambda: os.rename(path, path + "2"),
    lambda: os.unlink(path),
    lambda: os.chmod(path, 0),
    lambda: os.utime(path, (0, 0)),
    lambda: os.link(path, "linked"),
    lambda: os.symlink("x", path + "-link"),
    lambda: os.mkfifo(path + "-fifo"),
    lambda: os.chown(path, os.getuid(), os.getgid()),
    lambda: os.setxattr(path, "user.x", b"x"),
):
    try:
        change()
        print("ESCAPED")
    except OSError:
        pass
