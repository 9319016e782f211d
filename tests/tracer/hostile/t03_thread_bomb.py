# T3 exception or memory or timeout: so many threads are not given
import threading
import time

threading.stack_size(64 << 10)
for _ in range(100_000):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
