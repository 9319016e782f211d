# call: short([3, 1, 2])
def short(xs):
    total = 0
    for x in xs: total += x
    for x in xs: total += sum([y for y in xs if y > x])
    while total > 9: total -= 4
    a = 1; b = [x for x in xs]
    if a: a = 2; b = 3
    else: a = 4
    if not a: a = 5
    else:
        a = 6
        b = 7
    try: a = a // 0
    except ZeroDivisionError: b = "caught"
    with open("/dev/null") as file: c = file.read()
    def same(value): return value
    class Point: x, y = 1, 2
    del file; return same(Point.y)
