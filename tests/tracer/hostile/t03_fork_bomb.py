# T3 exception: no process can be started
import os

while True:
    os.fork()
