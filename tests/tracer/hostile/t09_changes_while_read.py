# T9 ok: a thread changes what is being looked at
import threading

shared, stop = {}, []


def change():
    n = 0
    while not stop:
        shared[n] = n
        shared.pop(n - 20, None)
        n += 1


thread = threading.Thread(target=change)
thread.start()
for _ in range(500):
    x = len(shared)
stop.append(1)
thread.join()
