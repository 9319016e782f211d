"""A dataset: shards of records, a schema and manifests in one folder.

DIR/manifest.json                            what is in it, and where it came from
DIR/shards.jsonl                             each shard's digest, its records' checksums and ids
DIR/schema.json                              the fields of a window
DIR/SPLIT-traces-00000.array_record          trace-v1 records
DIR/SPLIT-windows-00000.array_record         windows, as bytes in the order of the schema
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tracer.layout import Field, Layout, check_schema
from tracer.schema import Trace, dump_trace, load_trace
from tracer.shards import MANIFEST, Damaged, Records, Shard, commit, damage, read_manifest, sync

SPLITS = ("train", "valid", "test")
SHARD = 1024  # records
LARGEST = 64 << 20  # bytes of the records of a shard, but for the last of them


class Open:
    """A shard that is not full yet."""

    def __init__(self, name: str):
        self.name, self.size = name, 0
        self.records: list[bytes] = []
        self.ids: list[str] = []
        self.about: dict = {}

    def add(self, record: bytes, id: str = "") -> None:
        self.records.append(record)
        self.size += len(record)
        self.ids += [id] if id else []

    @property
    def is_full(self) -> bool:
        return len(self.records) >= SHARD or self.size >= LARGEST


class Writer:
    """Writes a dataset that appears under its name only when it is complete."""

    def __init__(self, folder: Path, layout: Layout, part: Path | None = None):
        """In `part`, where that is held already, or else in a folder of its own."""
        if part is None and folder.exists():
            raise FileExistsError(f"{folder} already exists; choose another folder or remove it")
        self.folder, self.layout = folder, layout
        self.part = part or folder.with_name(f"{folder.name}.part-{os.getpid()}")
        self.part.mkdir(parents=True, exist_ok=True)
        self.open: dict[str, Open] = {}  # by kind
        self.shards = read_manifest(self.part)
        self.next: dict[str, int] = {}
        for name in self.shards:
            kind, _, number = name.partition(".")[0].rpartition("-")
            self.next[kind] = max(self.next.get(kind, 0), int(number) + 1)

    def write_trace(self, split: str, trace: Trace) -> None:
        self.write(f"{split}-traces", dump_trace(trace), trace.id)

    def write_window(self, split: str, window: dict[str, np.ndarray]) -> None:
        self.write(f"{split}-windows", pack_window(window, self.layout.fields()))

    def write(self, kind: str, record: bytes, id: str = "") -> None:
        shard = self.opened(kind)
        shard.add(record, id)
        if shard.is_full:
            self.close(kind)

    def opened(self, kind: str) -> Open:
        """The shard of a kind, "train-traces", that is being filled."""
        if kind not in self.open:
            number = self.next.get(kind, 0)
            self.next[kind] = number + 1
            self.open[kind] = Open(f"{kind}-{number:05d}.array_record")
        return self.open[kind]

    def close(self, kind: str) -> None:
        """Commit what was written of a kind, as a shard that has room left if need be."""
        if (shard := self.open.pop(kind, None)) and shard.records:
            self.commit(shard)

    def commit(self, shard: Open) -> None:
        made = commit(self.part, shard.name, shard.records, shard.ids, shard.about)
        self.shards[shard.name] = made

    def records(self, kind: str) -> Records:
        """What has been committed of a kind."""
        return Records(self.part, of_kind(self.shards, kind))

    def forget(self, kind: str) -> None:
        """What there is of a kind shall be made again."""
        for shard in of_kind(self.shards, kind):
            del self.shards[shard.name]
            (self.part / shard.name).unlink(missing_ok=True)
        self.next.pop(kind, None)

    def finish(self, manifest: dict) -> None:
        self.complete(manifest)
        self.part.rename(self.folder)
        sync(self.folder.parent)

    def complete(self, manifest: dict) -> None:
        """Everything but the name."""
        for kind in list(self.open):
            self.close(kind)
        known = {self.part / name for name in self.shards}
        for path in {*self.part.glob("*.array_record*"), *self.part.glob("*.tmp*")} - known:
            path.unlink()  # of a process that was killed
        kinds = sorted({name.rpartition("-")[0] for name in self.shards})
        counts = {kind: len(self.records(kind)) for kind in kinds}
        shards = sorted(self.shards.values())
        files = {shard.name: {"bytes": shard.bytes, "sha256": shard.sha256} for shard in shards}
        manifest = manifest | {"records": counts, "files": files}
        _write_json(self.part / "schema.json", self.layout.schema())
        _write_json(self.part / "manifest.json", manifest | {"check": _check(manifest)})
        sync(self.part)

    def abandon(self) -> None:
        shutil.rmtree(self.part, ignore_errors=True)


class Dataset:
    """A finished dataset folder."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        if not (self.folder / "manifest.json").is_file():
            raise FileNotFoundError(f"no dataset at {self.folder}: manifest.json is missing")
        self.schema = _read_json(self.folder / "schema.json")
        self.layout = check_schema(self.schema, self.folder)
        self.manifest = _read_json(self.folder / "manifest.json")

    def traces(self, split: str) -> Iterator[Trace]:
        yield from map(load_trace, self.records(split, "traces"))

    def records(self, split: str, kind: str) -> Records:
        """The "traces" or "windows" of a split, each checked when it is read."""
        shards = read_manifest(self.folder)
        if not shards and self.manifest["files"]:
            raise Damaged(f"{self.folder / MANIFEST} is missing: without it nothing can be checked")
        listed = {name: shards[name] for name in self.manifest["files"] if name in shards}
        return Records(self.folder, of_kind(listed, f"{split}-{kind}"))

    def shards(self, split: str, kind: str) -> list[str]:
        """Paths of the shards of a split that hold "traces" or "windows"."""
        return sorted(str(path) for path in self.folder.glob(f"{split}-{kind}-*.array_record"))

    def is_complete(self) -> bool:
        """Whether every file is there and of its size; `faults` reads them too."""
        paths = {self.folder / name: file["bytes"] for name, file in self.manifest["files"].items()}
        return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())

    def faults(self, show: Callable[[Shard], object] = lambda shard: None) -> Iterator[str]:
        """A line for everything that is not as it was written; `show` hears what is next."""
        manifest = dict(self.manifest)
        if manifest.pop("check", None) != _check(manifest):
            yield f"{self.folder / 'manifest.json'} is damaged: its checksum is another"
        shards, seen = read_manifest(self.folder), set()
        for name, file in sorted(manifest.get("files", {}).items()):
            shard = shards.get(name)
            if shard is None or (shard.sha256, shard.bytes) != (file["sha256"], file["bytes"]):
                yield f"{self.folder / MANIFEST} is damaged: the line of {name} is not there"
                continue
            show(shard)
            yield from damage(self.folder, shard)
            for number, id in enumerate(shard.ids):
                if (id, shard.checksums[number]) in seen:
                    yield f"{self.folder / name}: record {number} ({id}) is there twice"
                seen.add((id, shard.checksums[number]))
        for path in sorted(self.folder.glob("*.array_record*")):
            if path.name not in manifest.get("files", {}):
                yield f"{path} is not in the manifest"


def of_kind(shards: dict[str, Shard], kind: str) -> list[Shard]:
    return [shards[name] for name in sorted(shards) if name.rpartition("-")[0] == kind]


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


def _check(manifest: dict) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]


def _read_json(path: Path) -> dict:
    try:
        return dict(json.loads(path.read_bytes()))
    except ValueError as error:
        raise Damaged(f"{path} is damaged: it is no JSON object") from error


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")
    sync(path)
