# T9 ok: would run in whoever unpickles it
import os


class Odd:
    def __reduce__(self):
        return os.system, ("echo ESCAPED",)


x = Odd()
y = {"x": x}
