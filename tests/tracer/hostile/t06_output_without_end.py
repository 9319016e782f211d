# T6 timeout, output_truncated: more than anybody keeps
import os

while True:
    os.write(1, b'y' * 65536)
