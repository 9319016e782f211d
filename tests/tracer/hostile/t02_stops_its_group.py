# T2 timeout: SIGSTOP for all it can reach
import os
import signal

os.kill(0, signal.SIGSTOP)
