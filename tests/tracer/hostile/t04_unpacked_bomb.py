# T4 memory: ten kilobytes that unpack to ten gigabytes
import zlib

packer = zlib.compressobj(9)
small = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
big = b""
while True:
    big += zlib.decompress(small)
