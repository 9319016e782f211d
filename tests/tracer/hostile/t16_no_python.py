# T16 rejected: a syntax error
def f(:
