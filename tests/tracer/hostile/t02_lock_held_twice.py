# T2 timeout: waits for itself
import threading

lock = threading.Lock()
lock.acquire()
lock.acquire()
