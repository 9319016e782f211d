# call: run()
class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


def patient():
    count = 0
    while True:
        try:
            sent = yield count
        except ValueError:
            count += 1


def all_of(*sources):
    for source in sources:
        yield from source
    return "done"


def pairs(n):
    try:
        for i in range(n):
            yield i, i * i
    finally:
        n = 0


def run():
    steps = patient()
    next(steps)
    steps.throw(ValueError("one"))
    steps.throw(ValueError("two"))
    sent = steps.send(5)
    steps.close()
    for i, square in pairs(9):
        if square:
            break
    return list(all_of([7], Countdown(1), pairs(1)))
