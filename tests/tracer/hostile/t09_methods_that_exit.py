# T9 ok: to look at it must not run it
import os


class Odd:
    def bad(self, *_):
        os._exit(7)

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __reduce__ = bad
    __getattr__ = __reduce_ex__ = __copy__ = __deepcopy__ = __format__ = __sizeof__ = bad


x = Odd()
y = [x, (x, x)]
z = 1
