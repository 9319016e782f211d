# T5 killed or memory or exception: compared deeper than the C stack
import sys

sys.setrecursionlimit(10**9)
one, other = [], []
for _ in range(60_000):
    one, other = [one], [other]
one == other
