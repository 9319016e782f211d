# T8 ok or exception or killed: every audited call fails
import sys


def refuse(event, arguments):
    raise RuntimeError(event)


x = 1
sys.addaudithook(refuse)
x = 2
