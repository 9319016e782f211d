# T1 timeout: hours in C, in which no signal handler of Python runs
n = 10
n = n ** (n**8)
