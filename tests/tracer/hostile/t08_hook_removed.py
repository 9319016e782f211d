# T8 ok, tracer_removed: from there on nothing is seen, and that is said
import sys

x = 1
sys.settrace(None)
x = 2
