"""A program for `make demo` to imagine; it is in no corpus."""


def visit(names):
    found = []
    count = 0
    while names:
        name = names.pop()
        found.append(name)
        count += 1
    return count
