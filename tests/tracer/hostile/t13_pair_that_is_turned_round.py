# T13 ok: a pair of sockets, of which one is to talk to another
import socket

for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    try:
        here, there = socket.socketpair(socket.AF_UNIX, kind)
    except OSError:
        continue
    for turn in (lambda: here.connect("@SOCKET@"), lambda: here.sendto(b"x", "@SOCKET@"), lambda: here.sendmsg([b"x"], [], 0, "@SOCKET@")):
        try:
            turn()
            print("ESCAPED")
        except OSError:
            pass
