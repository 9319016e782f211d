# T6 ok: prints into nothing
import os

os.close(1)
os.close(2)
print('lost')
