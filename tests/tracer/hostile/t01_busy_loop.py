# T1 timeout: computes for ever
while True:
    pass
