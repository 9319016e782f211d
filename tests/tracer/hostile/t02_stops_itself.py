# T2 timeout: a stopped process uses no time
import os
import signal

os.kill(os.getpid(), signal.SIGSTOP)
