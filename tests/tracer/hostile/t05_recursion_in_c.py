# T5 killed or memory or timeout or exception: nested deeper than the C stack
import sys

sys.setrecursionlimit(10**9)
nested = []
for _ in range(100_000):
    nested = [nested]
repr(nested)
