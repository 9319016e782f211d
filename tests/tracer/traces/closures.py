# call: run()
import functools


def counted(function):
    calls = 0

    @functools.wraps(function)
    def inner(*args, **named):
        nonlocal calls
        calls += 1
        return function(*args, **named), calls

    return inner


@counted
def add(a, b=1, *, c=0):
    return a + b + c


TOTAL = 0


def run():
    global TOTAL
    first = add(1)
    second = add(1, 2, c=3)
    TOTAL = first[1] + second[1]
    double = lambda value: value * 2  # noqa: E731
    return list(map(double, first)), (lambda: TOTAL)()
