# T6 ok: bytes that are no UTF-8, and what moves a terminal
import os

os.write(1, bytes(range(256)) + b'\x1b]0;title\x07\x1b[2J')
