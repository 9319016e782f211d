# T8 ok or exception: the table of modules is emptied
import sys

sys.modules.clear()
x = 1
x = 2
