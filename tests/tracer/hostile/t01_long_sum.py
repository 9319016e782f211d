# T1 timeout: an endless iterator consumed in C
import itertools

sum(itertools.repeat(0))
