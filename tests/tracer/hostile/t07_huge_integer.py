# T7 ok: has more digits than may be written
n = 7 ** 200_000
m = n + 1
