"""Records on disk: ArrayRecord shards, a schema and a manifest in one folder.

DIR/manifest.json                            what is in it, and where it came from
DIR/schema.json                              the fields of a window
DIR/SPLIT-traces-00000.array_record          trace-v1 records
DIR/SPLIT-windows-00000.array_record         windows, as bytes in the order of the schema
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from array_record.python.array_record_data_source import ArrayRecordDataSource
from array_record.python.array_record_module import ArrayRecordWriter

from tracer.layout import Field, Layout, check_schema
from tracer.schema import Trace, dump_trace, load_trace

SPLITS = ("train", "valid", "test")
SHARD = 4096  # records


class Writer:
    """A dataset that appears under its name only when it is complete."""

    def __init__(self, folder: Path, layout: Layout):
        if folder.exists():
            raise FileExistsError(f"{folder} already exists; choose another folder or remove it")
        self.folder, self.layout = folder, layout
        self.part = folder.with_name(f"{folder.name}.part-{os.getpid()}")
        self.part.mkdir(parents=True)
        self.shards: dict[str, ArrayRecordWriter] = {}
        self.counts: dict[str, int] = {}

    def write_trace(self, split: str, trace: Trace) -> None:
        self._write(f"{split}-traces", dump_trace(trace))

    def write_window(self, split: str, window: dict[str, np.ndarray]) -> None:
        self._write(f"{split}-windows", pack_window(window, self.layout.fields()))

    def finish(self, manifest: dict) -> None:
        for shard in self.shards.values():
            shard.close()
        files = {
            path.name: {"bytes": path.stat().st_size, "sha256": _digest(path)}
            for path in sorted(self.part.iterdir())
        }
        manifest = manifest | {"records": self.counts, "files": files}
        _write_json(self.part / "schema.json", self.layout.schema())
        _write_json(self.part / "manifest.json", manifest)
        self.part.rename(self.folder)

    def abandon(self) -> None:
        for shard in self.shards.values():
            shard.close()
        shutil.rmtree(self.part, ignore_errors=True)

    def _write(self, kind: str, record: bytes) -> None:
        count = self.counts.get(kind, 0)
        if count % SHARD == 0:
            if kind in self.shards:
                self.shards[kind].close()
            path = self.part / f"{kind}-{count // SHARD:05d}.array_record"
            self.shards[kind] = ArrayRecordWriter(str(path), "group_size:1")
        self.shards[kind].write(record)
        self.counts[kind] = count + 1


class Dataset:
    """A finished dataset folder."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        if not (self.folder / "manifest.json").is_file():
            raise FileNotFoundError(f"no dataset at {self.folder}: manifest.json is missing")
        self.schema = json.loads((self.folder / "schema.json").read_text())
        self.layout = check_schema(self.schema, self.folder)
        self.manifest = json.loads((self.folder / "manifest.json").read_text())

    def traces(self, split: str) -> Iterator[Trace]:
        if paths := self.shards(split, "traces"):
            source = ArrayRecordDataSource(paths)
            yield from (load_trace(source[number]) for number in range(len(source)))

    def shards(self, split: str, kind: str) -> list[str]:
        """Paths of the shards of a split that hold "traces" or "windows"."""
        return sorted(str(path) for path in self.folder.glob(f"{split}-{kind}-*.array_record"))


def pack_window(window: dict[str, np.ndarray], fields: list[Field]) -> bytes:
    return b"".join(np.ascontiguousarray(window[f.name], f.dtype).tobytes() for f in fields)


def unpack_window(record: bytes, fields: list[Field]) -> dict[str, np.ndarray]:
    window, at = {}, 0
    for field in fields:
        count = int(np.prod(field.shape))
        flat = np.frombuffer(record, field.dtype, count, at)
        window[field.name] = flat.reshape(field.shape)
        at += flat.nbytes
    if at != len(record):
        raise ValueError(f"a window of {len(record)} bytes; the schema says {at}")
    return window


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")
