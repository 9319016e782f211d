# T8 ok: all that the tracer might call
import builtins

keep = builtins.getattr, builtins.setattr, builtins.print
for name in ("isinstance", "len", "map", "type", "id", "tuple", "list", "dict", "repr", "str"):
    setattr(builtins, name, None)
for name in ("any", "all", "sorted", "zip", "iter", "next", "min", "max", "super", "enumerate"):
    setattr(builtins, name, None)
x = {"a": [1, 2, (3, {4})]}
x["b"] = 2.5
print("done")
