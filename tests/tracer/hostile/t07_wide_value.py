# T7 ok: a million keys
wide = dict.fromkeys(range(1_000_000))
x = 1
y = 2
