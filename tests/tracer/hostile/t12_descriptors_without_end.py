# T12 exception: more than are given
import os

opened = [os.open('.', os.O_RDONLY) for _ in range(100_000)]
