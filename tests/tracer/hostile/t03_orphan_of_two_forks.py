# T3 ok: would outlive everything in a session of its own
import os
import time

try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(1)
        os._exit(0)
    print("ESCAPED")
except OSError as error:
    print(type(error).__name__)
