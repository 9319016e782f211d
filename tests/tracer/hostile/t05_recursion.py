# T5 exception: for ever deeper
def down(n):
    return down(n + 1)


down(0)
