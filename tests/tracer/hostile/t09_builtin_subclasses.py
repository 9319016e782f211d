# T9 ok: a list, a dict, an int and a text that do as they like
import os


def bad(*_):
    os._exit(7)


hostile = {name: bad for name in ("__iter__", "__len__", "__getitem__", "__repr__", "__eq__", "__str__", "__int__")}
x = type("L", (list,), hostile)([1, 2])
y = type("S", (str,), hostile)("text")
z = type("N", (int,), hostile)(3)
w = type("D", (dict,), {k: v for k, v in hostile.items() if k != "__eq__"})(a=1)
v = 1
