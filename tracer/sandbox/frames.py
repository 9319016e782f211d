"""Messages between the processes of a sandbox: a length, a checksum, and JSON."""

import json
import os
import struct
import zlib
from typing import Any

_HEAD = struct.Struct("<II")


class BrokenFrame(Exception):
    """The stream does not hold a whole, undamaged message."""


def pack(message: Any) -> bytes:
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    body = text.encode("utf-8", "surrogatepass")  # as an escape, two surrogates would become one
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def unpack(data: bytes, start: int = 0) -> tuple[Any, int]:
    """The message that begins at `start`, and where the next one begins."""
    head = data[start : start + _HEAD.size]
    if len(head) < _HEAD.size:
        raise BrokenFrame("the stream ends inside a header")
    length, checksum = _HEAD.unpack(head)
    body = data[start + _HEAD.size : start + _HEAD.size + length]
    if len(body) < length or zlib.crc32(body) != checksum:
        raise BrokenFrame("the stream ends inside a message, or the message is damaged")
    return json.loads(body), start + _HEAD.size + length


def send(fd: int, message: Any) -> None:
    write(fd, pack(message))


def write(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def receive(fd: int) -> Any:
    length, _ = _HEAD.unpack(head := _read(fd, _HEAD.size))
    return unpack(head + _read(fd, length))[0]


def _read(fd: int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(fd, min(size - len(parts), 1 << 20))
        if not part:
            raise BrokenFrame("the other side closed the stream")
        parts += part
    return bytes(parts)
