# T3 ok: counts how often it could
import os

made = 0
for _ in range(200):
    try:
        if os.fork() == 0:
            os._exit(0)
        made += 1
    except OSError:
        pass
print("ESCAPED" if made else "none")
