# T8 ok: everything that may write a trace
import json
import os
import struct
import zlib


def broken(*_, **__):
    raise MemoryError("no")


for module, names in {json: "dumps loads", os: "write dup2 _exit", struct: "pack", zlib: "crc32"}.items():
    for name in names.split():
        setattr(module, name, broken)
json.encoder.c_make_encoder = json.encoder.encode_basestring = broken
json.JSONEncoder.encode = json.JSONEncoder.iterencode = broken
x = [1, 2]
