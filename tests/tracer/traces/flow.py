# call: run()
def search(items, wanted):
    for place, item in enumerate(items):
        if item is None:
            continue
        if item == wanted:
            break
    else:
        place = -1
    while place > 0:
        place -= 2
    else:
        return place, "looked"


def last_word(value):
    try:
        return 10 // value
    except ZeroDivisionError as error:
        raise ValueError("no") from error
    finally:
        value = "done"


def groups():
    try:
        raise ExceptionGroup("two", [KeyError("k"), ValueError("v")])
    except* KeyError as some:
        kept = len(some.exceptions)
    except* ValueError:
        kept += 1
    return kept


def echo():
    heard = []
    while True:
        try:
            heard.append((yield len(heard)))
        except KeyError as error:
            heard += error.args
        if len(heard) > 2:
            return heard


def relay():
    said = yield from echo()
    return said[::-1]


def talk():
    speaker = relay()
    next(speaker)
    speaker.send("a")
    speaker.throw(KeyError("b"))
    try:
        speaker.send("c")
    except StopIteration as end:
        return end.value


def attempt(function, *arguments, **named):
    try:
        return function(*arguments, **named)
    except Exception as error:
        return repr(error)


def run():
    found = search([None, 3, 5], wanted=5), search([], wanted=1)
    both = attempt(last_word, 3), attempt(last_word, value=0)
    assert groups() == 2, "two groups"
    heard = talk()
    first, *rest = heard
    rest[0], rest[-1] = rest[-1], rest[0]
    rest[len(rest):] = [first] if (count := len(rest)) else []
    return found, both, count, [*rest, *{"k": 1}]
