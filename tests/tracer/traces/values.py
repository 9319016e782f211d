# call: run()
import enum
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple


class Colour(enum.Enum):
    RED = 1


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left):
        self.left = left


class Name(str):
    pass


Point = namedtuple("Point", "x y")


def run():
    big = 10**20
    odd = [float("nan"), float("inf"), -0.0, 1j, "\ud800\0", b"\xff"]
    groups = defaultdict(list)
    groups["a"].append(1)
    counts = Counter("aab")
    counts["b"] += 2
    order = OrderedDict(x=1, y=2)
    order.move_to_end("x")
    queue = deque([1, 2], maxlen=2)
    queue.append(3)
    grid = [[0] * 2] * 2
    grid[0][1] = 5
    point = Point(1, [2])
    point.y.append(3)
    thing = Slotted(point)
    thing.right = Name("side")
    del thing.left
    colour, span, part = Colour.RED, range(9), slice(1, None)
    cycle = {"self": None}
    cycle["self"] = [cycle]
    seen = {3, 1} | frozenset((2,))
    steps = iter([1])
    flag = 1
    flag = True
    flag = 1.0
    return colour is Colour(1)
