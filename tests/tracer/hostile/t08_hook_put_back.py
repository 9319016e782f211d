# T8 ok, tracer_removed: what happens in between is not seen, and that is said
import sys


def unseen():
    return 1


hook = sys.gettrace()
sys.settrace(None)
x = unseen()
sys.settrace(hook)
x = 2
