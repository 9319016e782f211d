# T13 ok: a question to a name server says something too
import socket

try:
    print("ESCAPED", socket.getaddrinfo("example.com", 80))
except OSError:
    pass
