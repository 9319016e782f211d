# T12 exception or killed: a thousand files of a megabyte
block = bytes(1 << 20)
for n in range(1000):
    with open(f"{n}", "wb") as file:
        file.write(block)
