# T4 memory or timeout: dictionaries without end
kept = [None]
while True:
    kept = [kept, {n: str(n) for n in range(20_000)}]
