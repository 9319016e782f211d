# call: run()
import threading


def work(results, number):
    for step in range(2):
        results.append((number, step))


class Counter(threading.Thread):
    def __init__(self):
        super().__init__()
        self.total = 0

    def run(self):
        self.total += add(self.total, 5)


def add(a, b):
    return a + b


def run():
    results = []
    for number in range(2):
        thread = threading.Thread(target=work, args=(results, number))
        thread.start(); thread.join()
    counter = Counter()
    counter.start(); counter.join()
    total = counter.total
    failing = threading.Thread(target=add, args=(1, "x"))
    threading.excepthook = lambda problem: results.append(problem.exc_type.__name__)
    failing.start(); failing.join()
    threading.excepthook = threading.__excepthook__
    return total, results
