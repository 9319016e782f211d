# T6 ok: an object that raises instead of printing
import sys


class Broken:
    def __getattr__(self, name):
        raise RuntimeError(name)


sys.stdout = sys.stderr = sys.__stdout__ = Broken()
x = 1
