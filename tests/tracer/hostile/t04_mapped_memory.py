# T4 exception or memory: pages instead of objects
import mmap

kept = mmap.mmap(-1, 1 << 40)
