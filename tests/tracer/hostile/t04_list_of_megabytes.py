# T4 memory: a little at a time
kept = []
while True:
    kept.append(bytes(1 << 20))
