"""Messages between the processes of a sandbox: a length, a checksum, and bytes that are JSON.

The checksum begins with a seed. A program's trace begins with a secret and counts up from there, so
that a frame which was left out, repeated, or written by one who does not know the secret shows.
A program that searches the memory of its own interpreter can find the secret; what it has run until
then is out of its reach, in a pipe that it can only write to.
"""

import json
import os
import select
import struct
import time
import zlib
from collections.abc import Callable
from json import encoder
from typing import Any

HEAD = struct.Struct("<II")
MOST = 256 << 20  # bytes of a message
_WORD = 0xFFFFFFFF

# Taken now: a program may put something else in their places.
_crc32, _head, _write = zlib.crc32, HEAD.pack, os.write


class BrokenFrame(Exception):
    """The stream does not hold a whole, undamaged message, or not in time."""


def _encoder() -> Callable[[Any], str]:
    """JSON by C code alone: the library around it calls what a program can replace."""
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
    made = make(None, repr, encoder.encode_basestring, None, ":", ",", False, False, True)
    join = "".join
    return lambda message: join(made(message, 0))


_encode = _encoder()


def dump(message: Any) -> bytes:
    # As an escape, two surrogates would become one character.
    return _encode(message).encode("utf-8", "surrogatepass")


def pack(body: bytes, seed: int = 0) -> bytes:
    return _head(len(body), _crc32(body, seed & _WORD)) + body


def unpack(data: bytes | bytearray, start: int = 0, seed: int = 0) -> tuple[bytes, int]:
    """The message that begins at `start`, and where the next one begins."""
    at = start + HEAD.size
    if len(data) < at:
        raise BrokenFrame("the stream ends inside a header")
    length, checksum = HEAD.unpack_from(data, start)
    body = bytes(data[at : at + length])
    if len(body) < length or zlib.crc32(body, seed & _WORD) != checksum:
        raise BrokenFrame("the stream ends inside a message, or the message is damaged")
    return body, at + length


def write(fd: int, data: bytes) -> None:
    while data:
        data = data[_write(fd, data) :]


class Channel:
    """Two pipes to another process. Nothing waits longer than until its deadline."""

    def __init__(self, reader: int, writer: int):
        self.reader, self.writer = reader, writer
        os.set_blocking(writer, False)

    def send(self, message: Any, deadline: float | None = None) -> None:
        self.send_bytes(dump(message), deadline)

    def send_bytes(self, body: bytes, deadline: float | None = None) -> None:
        rest = memoryview(pack(body))
        while rest:
            if not select.select([], [self.writer], [], _left(deadline))[1]:
                raise BrokenFrame("the other side does not read")
            rest = rest[os.write(self.writer, rest) :]

    def receive(self, deadline: float | None = None) -> Any:
        return json.loads(self.receive_bytes(deadline))

    def receive_bytes(self, deadline: float | None = None) -> bytes:
        head = self._read(HEAD.size, deadline)
        length, _ = HEAD.unpack(head)
        if length > MOST:
            raise BrokenFrame(f"a message of {length} bytes; the most is {MOST}")
        return unpack(head + self._read(length, deadline))[0]

    def _read(self, size: int, deadline: float | None) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            if not select.select([self.reader], [], [], _left(deadline))[0]:
                raise BrokenFrame("the other side does not answer")
            part = os.read(self.reader, min(size - len(parts), 1 << 20))
            if not part:
                raise BrokenFrame("the other side closed the stream")
            parts += part
        return bytes(parts)


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
