# T13 ok: netlink, packets, and whatever else there is
import socket

for family in range(64):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind).close()
            print("ESCAPED", family)
        except OSError:
            pass
