# T13 ok: by path, and by a name without one
import socket

for address in ("@SOCKET@", "\0@ABSTRACT@", "/run/docker.sock", "/dev/log"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_UNIX, kind) as here:
                here.connect(address)
            print("ESCAPED")
        except OSError:
            pass
