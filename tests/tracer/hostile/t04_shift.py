# T4 memory: one integer
n = 1 << (1 << 40)
