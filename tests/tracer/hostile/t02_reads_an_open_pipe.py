# T2 timeout: waits for what nobody writes
import os

reader, writer = os.pipe()
os.read(reader, 1)
