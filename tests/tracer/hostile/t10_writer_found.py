# T10 ok or killed or exception: its events and its end, with the secret that it found
import gc
import os
import struct
import sys
import zlib

writer, frame = None, sys._getframe()
while frame is not None and writer is None:
    writer = next((v for v in frame.f_locals.values() if type(v).__name__ == "Writer"), None)
    frame = frame.f_back
if writer is not None:
    writer._send(b'{"outcome": "ok", "flags": [], "error": ["ref", -1, null], "entry": 3}')
    writer._send(b"[[[[" * 10_000)
    writer._send(b'["call", 0, 0, 99999999, "no statement", {}, [], null]')
    os._exit(0)
raise SystemExit(1)
