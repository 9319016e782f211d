# T4 ok: the error is caught, and the program goes on
try:
    kept = bytearray(1 << 40)
except MemoryError:
    kept = None
print("went on")
