# call: loops(4)
def loops(limit):
    n = 0
    while n < limit:
        n += 1
        if n == 2:
            continue
        if n == 3:
            break
    else:
        n = -1
    pairs = []
    for i in range(2):
        for j in range(i, 2):
            pairs.append((i, j))
    for letter in "":
        n = 0
    else:
        n += 1
    for i, (j, k) in enumerate([(5, 6)]):
        n += i + j + k
    return n, pairs
