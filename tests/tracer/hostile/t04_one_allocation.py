# T4 memory: all at once, in one bytecode
kept = [0] * (1 << 36)
