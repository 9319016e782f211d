# T5 killed or memory or timeout or exception: the limit is raised first
import sys

sys.setrecursionlimit(10**9)


def down(n):
    return [down(n + 1)]


down(0)
