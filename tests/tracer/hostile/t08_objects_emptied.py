# T8 ok or killed or exception or memory: every dict and list that the collector knows
import gc

for found in gc.get_objects():
    try:
        if type(found) is dict and found is not globals():
            found.clear()
        elif type(found) is list:
            found.clear()
    except BaseException:
        pass
x = 1
