# call: run()
def numbers(n):
    for i in range(n):
        yield i


def guarded(log):
    try:
        yield "open"
    finally:
        log.append("closed")


def stubborn(log):
    try:
        yield 1
    except GeneratorExit:
        log.append("asked")
        return


def outer(log):
    yield from guarded(log)


def first(source):
    for item in source:
        return item


def run():
    log = []
    a = first(numbers(3))
    b = first(guarded(log))
    c = first(outer(log))
    held = numbers(9)
    next(held)
    held.close()
    d = stubborn(log)
    next(d)
    d.close()
    try:
        raise GeneratorExit("mine")
    except GeneratorExit as error:
        e = repr(error)
    return a, b, c, e, log
