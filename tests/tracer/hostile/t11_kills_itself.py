# T11 killed, trace_incomplete: by SIGKILL
import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
