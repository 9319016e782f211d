"""Files of records that are there whole or not at all, and the manifest that remembers them.

A shard is an ArrayRecord file. It is written under another name, synced and renamed, and then gets
a line in `shards.jsonl`: the digest of the file, a checksum of every record, and the ids of traces.
Lines are only ever added; the last one of a name counts. A file without a line is not there.
"""

import hashlib
import json
import os
import zlib
from bisect import bisect
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from array_record.python.array_record_data_source import ArrayRecordDataSource
from array_record.python.array_record_module import ArrayRecordWriter

MANIFEST = "shards.jsonl"
SHOWN = 5  # ids in a message


class Damaged(OSError):
    """A record or a file is not what was written."""


class Shard(NamedTuple):
    """A line of the manifest."""

    name: str
    bytes: int
    sha256: str
    checksums: list[int]  # CRC-32 of each record
    ids: list[str]  # of each record, where it has one
    about: dict  # what the writer wants to know again


def commit(folder: Path, name: str, records: list[bytes], ids: list[str], about: dict) -> Shard:
    """Write a shard, in the place of the one that has this name."""
    temporary = folder / f"{name}.tmp-{os.getpid()}"
    try:
        writer = ArrayRecordWriter(str(temporary), "group_size:1")
        for record in records:
            writer.write(record)
        writer.close()
        sync(temporary)
        if len(ArrayRecordDataSource([str(temporary)])) != len(records):  # as on a full disk
            raise OSError("some records were not written")
        digest, size = digest_of(temporary), temporary.stat().st_size
        temporary.rename(folder / name)
    except (OSError, RuntimeError, ValueError) as error:
        temporary.unlink(missing_ok=True)
        said = str(error).partition("\n")[0]
        raise OSError(f"{folder / name} could not be written: {said}") from error
    sync(folder)
    shard = Shard(name, size, digest, [zlib.crc32(record) for record in records], ids, about)
    append(folder, shard._asdict())
    return shard


def append(folder: Path, line: dict) -> None:
    """Add a line, with a checksum of its own."""
    text = _text(line)
    checked = f'{text[:-1]},"check":{zlib.crc32(text.encode())}}}\n'
    path = folder / MANIFEST
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":  # a line that was cut off by a kill
            os.write(fd, b"\n")
        data = memoryview(checked.encode())
        while data:
            data = data[os.write(fd, data) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def lines(folder: Path) -> Iterator[dict]:
    """The lines of the manifest that are whole."""
    path = folder / MANIFEST
    if not path.exists():
        return
    for text in path.read_bytes().splitlines():
        try:
            line = json.loads(text)
            check = line.pop("check")
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        if check == zlib.crc32(_text(line).encode()):
            yield line


def read_manifest(folder: Path) -> dict[str, Shard]:
    return {line["name"]: Shard(**line) for line in lines(folder) if "name" in line}


class Records:
    """The records of some shards, each compared with its checksum when it is read."""

    def __init__(self, folder: Path, shards: Iterable[Shard]):
        self.folder, self.shards = folder, list(shards)
        self.ends = list(accumulate(len(shard.checksums) for shard in self.shards))
        self.opened: dict[int, ArrayRecordDataSource] = {}

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __iter__(self) -> Iterator[bytes]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, number: int) -> bytes:
        if not 0 <= number < len(self):
            raise IndexError(f"record {number} of {len(self)}")
        at = bisect(self.ends, number)
        within = number - (self.ends[at - 1] if at else 0)
        shard = self.shards[at]
        try:
            record = self._open(at)[within]
        except (RuntimeError, ValueError, IndexError) as error:
            raise Damaged(self._said(shard, within, "cannot be read")) from error
        if zlib.crc32(record) != shard.checksums[within]:
            raise Damaged(self._said(shard, within, "is damaged: its checksum is another"))
        return record

    def _open(self, at: int) -> ArrayRecordDataSource:
        if at not in self.opened:
            shard = self.shards[at]
            path, count = self.folder / shard.name, len(shard.checksums)
            if not path.exists():
                raise Damaged(f"{path} is missing, with its {count} records")
            try:
                source = ArrayRecordDataSource([str(path)])
                length = len(source)
            except (RuntimeError, ValueError, OSError) as error:
                said = f"{path} is damaged: none of its records 0 to {count - 1} can be found"
                raise Damaged(said) from error
            if length != count:
                raise Damaged(f"{path} is damaged: it has {length} records, not {count}")
            self.opened[at] = source
        return self.opened[at]

    def _said(self, shard: Shard, within: int, what: str) -> str:
        name = f" ({shard.ids[within]})" if shard.ids else ""
        return f"{self.folder / shard.name}: record {within}{name} {what}"


def is_whole(folder: Path, shard: Shard) -> bool:
    """Whether the file is, to the last bit, the one that was written."""
    path = folder / shard.name
    return path.is_file() and path.stat().st_size == shard.bytes and digest_of(path) == shard.sha256


def damage(folder: Path, shard: Shard) -> Iterator[str]:
    """A line for everything that is wrong with a shard."""
    path, count = folder / shard.name, len(shard.checksums)
    if not path.exists():
        more = ", ..." if count > SHOWN else ""
        ids = f": {', '.join(shard.ids[:SHOWN])}{more}" if shard.ids else ""
        yield f"{path} is missing, with its {count} records{ids}"
        return
    if is_whole(folder, shard):
        return
    found, records = 0, Records(folder, [shard])
    for number in range(count):
        try:
            records[number]
        except Damaged as error:
            found += 1
            yield str(error)
            if not records.opened:
                return
    if not found:
        yield f"{path} is damaged outside its records: all {count} can be read (record 0 on)"


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _text(line: dict) -> str:
    return json.dumps(line, separators=(",", ":"))
