# T15 ok: the worker, the first process, everybody
import os
import signal

for target in (os.getppid(), 1, -1, -os.getppid()):
    for number in (signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(target, number)
            print("ESCAPED", target)
        except OSError:
            pass
