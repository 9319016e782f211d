# T6 ok, output_truncated: sixteen megabytes
for _ in range(16):
    print('x' * (1 << 20))
