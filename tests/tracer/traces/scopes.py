from colorsys import *
from functools import wraps
from contextlib import contextmanager

COUNT = 0


def counted(function):
    @wraps(function)
    def wrapper(*arguments, **named):
        global COUNT
        COUNT += 1
        return function(*arguments, **named)

    return wrapper


@contextmanager
def doubled(items):
    items *= 2
    try:
        yield len(items)
    except KeyError as error:
        items.append(error.args[0])
    finally:
        items.append("end")


class Guard:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return kind is ValueError


class Shape:
    sides: int = 3
    names = [f"side {i}" for i in range(2)]
    if sides > 2:
        flat = False
    del flat

    class Inner:
        depth = 2


@counted
@counted
def first(*items, key=lambda item: -item):
    if (found := sorted(items, key=key)) and (head := found[0]) > 1:
        del found
        return head


def maker():
    total = 0

    def add(n=1):
        nonlocal total
        total += n
        return total

    add()
    several = [add(k) for k in (2, 3)]
    return total, several


value = first(1, 3, 2)
items = [rgb_to_hsv(1, 1, 1)[2]]
with doubled(items) as length, Guard():
    if length:
        raise KeyError("inside")
with Guard() as guard:
    int("x")
pair = maker()
del pair, value
x = y = [1]
y += [2]
