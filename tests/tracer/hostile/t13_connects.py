# T13 ok: to a server on this machine
import socket

for address in (("127.0.0.1", @PORT@), ("localhost", @PORT@)):
    try:
        socket.create_connection(address, timeout=1).sendall(b"ESCAPED")
        print("ESCAPED")
    except OSError:
        pass
