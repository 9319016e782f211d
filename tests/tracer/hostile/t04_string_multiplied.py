# T4 memory: text in one bytecode
text = 'x' * (1 << 38)
