# T2 timeout: waits without using the processor
import time

time.sleep(1000)
