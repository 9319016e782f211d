# T15 ok: a descriptor that signals another when something happens
import fcntl
import os
import signal
import socket

here, there = socket.socketpair()
try:
    fcntl.fcntl(here, fcntl.F_SETOWN, os.getppid())
    fcntl.fcntl(here, 10, signal.SIGKILL)
    fcntl.fcntl(here, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    there.send(b"x")
    print("ESCAPED")
except OSError as error:
    print(type(error).__name__)
