"""Rows as a Parquet file and back: a row is a dict whose columns a spec describes.

A spec is `str`, `int`, `[spec]` for a list or `{name: spec}` for a struct; nothing is ever null.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

BATCH = 256  # rows of a row group
MAGIC = b"PAR1"
MISSING = "Parquet needs the packages of an extra: pip install 'program-rssm[parquet]'"

Spec = Any
Row = dict[str, Any]


def write_parquet(file: BinaryIO, rows: Iterable[Row], spec: dict[str, Spec]) -> int:
    """Writes a row group at a time; returns how many rows there were."""
    core, io = _arrow()
    rest, count, failed = iter(rows), 0, None

    def batches() -> Iterator[Any]:
        nonlocal count, failed
        try:
            while held := list(islice(rest, BATCH)):
                count += len(held)
                yield _batch(held, spec)
        except BaseException as error:
            failed = error
            raise

    reader = core.RecordBatchReader.from_batches(_batch([], spec).schema, batches())
    try:
        io.write_parquet(reader, file, compression="zstd(3)", max_row_group_size=BATCH)
    except BaseException as error:  # the library's own, whatever happened in the rows
        raise failed or error from None
    return count


def read_parquet(path: Path, spec: dict[str, Spec]) -> Iterator[Row]:
    _, io = _arrow()
    with path.open("rb") as file:
        begin = file.read(4)
        file.seek(-min(4, file.seek(0, 2)), 2)
        if begin != MAGIC or file.read() != MAGIC:
            raise ValueError(f"{path} is not a whole Parquet file")
    try:
        for batch in io.read_parquet(path, batch_size=BATCH):
            if lost := [name for name in spec if name not in batch.column_names]:
                there = ", ".join(batch.column_names)
                raise ValueError(f"{path} has no column {lost[0]!r}; there are: {there}")
            columns = [batch.column(name).to_pylist() for name in spec]
            for values in zip(*columns, strict=True):
                yield dict(zip(spec, values, strict=True))
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the library, when it is lost
            raise
        raise ValueError(f"{path} is damaged: {error}") from None


def _batch(rows: list[Row], spec: dict[str, Spec]) -> Any:
    core, _ = _arrow()
    columns = [_column([row[name] for row in rows], each) for name, each in spec.items()]
    schema = core.Schema([_field(name, array) for name, array in zip(spec, columns, strict=True)])
    return core.RecordBatch.from_arrays(columns, schema=schema)


def _column(values: list, spec: Spec) -> Any:
    core, _ = _arrow()
    if isinstance(spec, list):
        offsets = [0]
        for value in values:
            offsets.append(offsets[-1] + len(value))
        inner = _column(list(chain.from_iterable(values)), spec[0])
        return core.list_array(core.Array(offsets, type=core.DataType.int32()), inner)
    if isinstance(spec, dict):
        columns = [_column([value[name] for value in values], spec[name]) for name in spec]
        fields = [_field(name, array) for name, array in zip(spec, columns, strict=True)]
        return core.struct_array(columns, fields=fields)
    kind = core.DataType.utf8() if spec is str else core.DataType.int64()
    return core.Array(values, type=kind)


def _field(name: str, array: Any) -> Any:
    core, _ = _arrow()
    return core.Field(name, array.type)


def _arrow() -> tuple[Any, Any]:
    try:
        import arro3.core
        import arro3.io
    except ImportError:
        raise ValueError(MISSING) from None
    return arro3.core, arro3.io
