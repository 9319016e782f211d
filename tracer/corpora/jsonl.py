"""Reads the files in which others publish their programs: one JSON object a line, plain or gzip."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any


def read_jsonl(
    path: str | PathLike[str], fields: Mapping[str, type], home: str
) -> Iterator[dict[str, Any]]:
    """The objects of a file that all have these fields; `home` is where users get the file."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; the whole set is {home}")
    opened = gzip.open if path.suffix == ".gz" else open
    number = 1
    try:
        with opened(path, "rt", encoding="utf-8-sig") as lines:
            for line in lines:
                if line.strip():
                    yield _checked(json.loads(line), fields)
                number += 1
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}, line {number}: {error}") from error


def _checked(record: Any, fields: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise ValueError(f"a {type(record).__name__} where an object was expected")
    for name, kind in fields.items():
        if name not in record:
            raise ValueError(f"no field {name!r}; there are: {', '.join(record) or 'none'}")
        if not isinstance(record[name], kind):
            found = type(record[name]).__name__
            raise ValueError(f"field {name!r} is a {found}, not a {kind.__name__}")
    return record
