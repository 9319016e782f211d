"""Windows of a dataset, made from its traces.

The pieces of all trajectories of a split are shuffled, as many at a time as memory may hold, and
packed. What comes out depends on the traces, the layout and the seed alone.
"""

import random
from collections import Counter
from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np

from tracer.corpora.near import hash_of
from tracer.encode import encode_trajectory, pieces
from tracer.flow import flow_table
from tracer.layout import Layout
from tracer.lowering import Lowering
from tracer.pool import Launch, here
from tracer.schema import frames, load_trace, without_call
from tracer.shards import append, is_whole, lines
from tracer.store import SPLITS, Writer, of_kind
from tracer.windows import pack

CHUNK = 16  # traces of a message
SHUFFLED = 100_000  # pieces that are shuffled together before they are packed

Counts = dict[str, dict[str, int]]  # by split


class Encoded(NamedTuple):
    """Some traces as arrays."""

    pieces: list[bytes]
    counts: Counter  # trajectories, steps and their parts, values and those held exactly
    outcomes: Counter


def derive(writer: Writer, seed: int, launch: Launch = here) -> tuple[Counts, Counts]:
    """Write the windows; how programs ended, and what is in them, by split.

    A split that was finished before, by the same traces, is not made again.
    """
    outcomes: Counts = {}
    counts: Counts = {}
    for split in SPLITS:
        writer.close(f"{split}-traces")
        traces = of_kind(writer.shards, f"{split}-traces")
        key = hash_of(" ".join(shard.sha256 for shard in traces))
        found = _finished(writer, split, key) or _derive(writer, split, seed, launch)
        append(writer.part, found | {"windows": split, "key": key})
        outcomes[split], counts[split] = found["outcomes"], found["counts"]
    return outcomes, counts


def _finished(writer: Writer, split: str, key: int) -> dict | None:
    made = of_kind(writer.shards, f"{split}-windows")
    for line in lines(writer.part):
        if line.get("windows") == split and line["key"] == key:
            if line["shards"] == len(made) and all(is_whole(writer.part, s) for s in made):
                return line
    writer.forget(f"{split}-windows")
    return None


def _derive(writer: Writer, split: str, seed: int, launch: Launch) -> dict:
    layout, kind = writer.layout, f"{split}-windows"
    order = random.Random(f"{seed}/{split}")
    outcomes, counts, held = Counter(), Counter(), []

    def flush() -> None:
        order.shuffle(held)
        for window in pack((unpack_piece(each, layout) for each in held), layout):
            writer.write_window(split, window)
        held.clear()

    records = iter(writer.records(f"{split}-traces"))
    chunks = iter(lambda: list(islice(records, CHUNK)), [])
    for encoded in launch(partial(encode_records, layout=layout), chunks):
        outcomes += encoded.outcomes
        counts += encoded.counts
        held += encoded.pieces
        if len(held) >= SHUFFLED:
            flush()
    flush()
    writer.close(kind)
    shards = len(of_kind(writer.shards, kind))
    return {"shards": shards, "outcomes": dict(outcomes), "counts": dict(counts)}


def encode_records(records: Iterable[bytes], layout: Layout) -> Encoded:
    found, counts, outcomes = [], Counter(), Counter()
    for trace in map(load_trace, records):
        outcomes[trace.outcome] += 1
        for events in filter(None, map(without_call, frames(trace).values())):
            flow, lowering = flow_table(trace.source), Lowering(trace.source, layout)
            trajectory = encode_trajectory(events, layout, flow, lowering)
            found += [pack_piece(piece, layout) for piece in pieces(trajectory, layout)]
            bound = [
                whole
                for step in trajectory.at
                for cells, whole in zip(
                    trajectory.states[step], trajectory.exact[step], strict=True
                )
                if cells[0]
            ]
            counts["trajectories"] += 1
            counts["steps"] += len(events)
            counts["parts"] += len(trajectory)
            counts["values"] += len(bound)
            counts["values_exact"] += sum(bound)
            counts["names_lost"] += trajectory.lost
    return Encoded(found, counts, outcomes)


def pack_piece(piece: dict[str, np.ndarray], layout: Layout) -> bytes:
    """The arrays in the order of the schema, behind the numbers of their rows."""
    fields = [field for field in layout.fields() if field.name in piece]
    rows = np.array([len(piece[field.name]) for field in fields], "uint16")
    arrays = [np.ascontiguousarray(piece[field.name], field.dtype) for field in fields]
    return b"".join([rows.tobytes(), *(array.tobytes() for array in arrays)])


def unpack_piece(packed: bytes, layout: Layout) -> dict[str, np.ndarray]:
    fields = [field for field in layout.fields() if field.role not in ("reset", "mask")]
    at, piece = 2 * len(fields), {}
    for field, rows in zip(fields, np.frombuffer(packed, "uint16", len(fields)), strict=True):
        shape = (int(rows), *field.shape[1:])
        piece[field.name] = np.frombuffer(packed, field.dtype, int(np.prod(shape)), at)
        piece[field.name] = piece[field.name].reshape(shape)
        at += piece[field.name].nbytes
    return piece
