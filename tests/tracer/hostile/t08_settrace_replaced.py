# T8 ok: what the tracer takes for sys.settrace and sys.gettrace is not
import sys

sys.settrace = sys.gettrace = sys._getframe = sys.setprofile = lambda *_: None
import threading

threading.settrace = threading.gettrace = lambda *_: None
x = 1
