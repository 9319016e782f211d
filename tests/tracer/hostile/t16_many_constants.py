# T16 ok or timeout or rejected: folded while it is compiled
x = 2 ** 9999 ** 2
