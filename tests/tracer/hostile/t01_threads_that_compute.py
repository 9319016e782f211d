# T1 timeout: several threads and none of them ends
import threading


def work():
    while True:
        pass


for _ in range(4):
    threading.Thread(target=work).start()
