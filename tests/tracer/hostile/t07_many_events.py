# T7 ok, trace_truncated: more than are kept
for n in range(40_000):
    x = n
