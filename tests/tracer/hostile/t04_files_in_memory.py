# T4 ok: memory that counts as a file
import os

try:
    os.memfd_create("x")
    print("ESCAPED")
except (OSError, AttributeError) as error:
    print(type(error).__name__)
