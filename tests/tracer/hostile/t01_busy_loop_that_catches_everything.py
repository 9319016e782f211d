# T1 timeout: nothing that is raised in it gets out
while True:
    try:
        1 / 0
    except BaseException:
        continue
