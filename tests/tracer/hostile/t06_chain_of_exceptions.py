# T6 exception: three thousand, each in the handling of another
error = ValueError("first")
for n in range(3000):
    another = ValueError(n)
    another.__context__ = error
    error = another
raise error
