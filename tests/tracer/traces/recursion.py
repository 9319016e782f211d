# call: hanoi(2, "a", "b", "c")
def hanoi(n, source, target, spare):
    if n == 0:
        return 0
    moves = hanoi(n - 1, source, spare, target)
    moves += 1
    return moves + hanoi(n - 1, spare, target, source)
