# T9 ok: a class that cannot be compared, hashed or named
import os


class Meta(type):
    def bad(cls, *_):
        os._exit(7)

    __eq__ = __hash__ = __repr__ = __instancecheck__ = __subclasscheck__ = bad
    __name__ = property(bad)
    __mro__ = property(bad)


class Odd(metaclass=Meta):
    pass


x = Odd()
y = [Odd]
