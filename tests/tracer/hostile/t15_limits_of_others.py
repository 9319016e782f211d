# T15 ok: takes the worker's processor time away
import os
import resource

for pid in (os.getppid(), 1):
    try:
        resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))
        print("ESCAPED")
    except (OSError, ValueError):
        pass
    try:
        os.sched_setaffinity(pid, {0})
        print("ESCAPED")
    except OSError:
        pass
