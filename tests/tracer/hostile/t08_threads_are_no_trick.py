# T8 ok: who starts threads takes nothing away
import threading

threads = [threading.Thread(target=len, args=("",)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
