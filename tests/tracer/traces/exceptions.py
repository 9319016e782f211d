# call: run()
class Quiet:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, place):
        return kind is KeyError


def deep(n):
    if n == 0:
        raise ValueError("deep", n)
    try:
        deep(n - 1)
    finally:
        n = -n


def again():
    for turn in range(3):
        try:
            return turn
        finally:
            if turn < 1:
                continue


def run():
    try:
        deep(1)
    except (TypeError, ValueError) as error:
        seen = error.args
    else:
        seen = None
    with Quiet() as quiet:
        {}["missing"]
    turn = again()
    try:
        found = [1 // k for k in (1, 0)]
    except ZeroDivisionError:
        found = []
    k = 1
    del k
    k = 1
    assert found, f"found {found}"
