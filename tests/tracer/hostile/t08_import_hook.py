# T8 ok: asked for what the tracer might import late
import sys


class Finder:
    def find_spec(self, name, path=None, target=None):
        raise SystemError(f"no {name}")


sys.meta_path.insert(0, Finder())
sys.path_hooks.clear()
x = 1.5
x = {x: [x]}
