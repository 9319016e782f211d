# T12 exception: larger than files may be
import os

fd = os.open('sparse', os.O_CREAT | os.O_WRONLY)
os.ftruncate(fd, 1 << 40)
