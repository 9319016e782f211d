# T1 timeout: backtracks for years in C
import re

re.match(r"(a+)+$", "a" * 64 + "b")
