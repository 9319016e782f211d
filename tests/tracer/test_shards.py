"""Shards are there whole or not at all, and what happens to them afterwards is seen."""

import random
import resource
import signal
from pathlib import Path

import pytest

from tracer.shards import (
    MANIFEST,
    Damaged,
    Records,
    Shard,
    append,
    commit,
    damage,
    is_whole,
    lines,
    read_manifest,
)

NAME = "train-traces-00000.array_record"
RECORDS = [bytes(random.Random(n).choices(b"abc{}:,", k=40 * n)) for n in range(1, 30)]
IDS = [f"id-{n}" for n in range(1, 30)]


@pytest.fixture
def shard(tmp_path) -> Shard:
    return commit(tmp_path, NAME, RECORDS, IDS, {"split": "train"})


def faults(folder: Path, shard: Shard) -> list[str]:
    return list(damage(folder, shard))


def test_a_shard_is_remembered_and_gives_back_its_records(tmp_path, shard):
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, NAME]
    assert read_manifest(tmp_path) == {NAME: shard}
    assert list(Records(tmp_path, [shard])) == RECORDS
    assert Records(tmp_path, [shard, shard])[len(RECORDS)] == RECORDS[0]
    assert is_whole(tmp_path, shard) and faults(tmp_path, shard) == []


def test_a_shard_that_is_written_again_takes_the_place_of_the_first(tmp_path, shard):
    commit(tmp_path, NAME, RECORDS[:3], IDS[:3], {})
    assert read_manifest(tmp_path)[NAME].ids == IDS[:3]
    assert len((tmp_path / MANIFEST).read_text().splitlines()) == 2  # lines are only ever added


def test_a_line_that_was_cut_off_or_changed_does_not_count(tmp_path, shard):
    path = tmp_path / MANIFEST
    whole = path.read_bytes()
    for cut in (whole[:-1], whole[:40], whole.replace(b"id-7", b"id-8"), b"[]\n", b"\xff\n"):
        path.write_bytes(cut)
        append(tmp_path, {"name": "other"})
        assert list(lines(tmp_path))[-1] == {"name": "other"}
        kept = [line for line in lines(tmp_path) if line["name"] == NAME]
        assert len(kept) == (cut == whole[:-1])  # there it is the newline alone that is gone


@pytest.mark.faults
def test_every_flipped_bit_is_seen_and_what_is_read_is_right(tmp_path, shard, pytestconfig):
    """The ArrayRecord file has bytes that say nothing: there a flip is seen, and harms nothing."""
    path, rng = tmp_path / NAME, random.Random(0)
    whole = path.read_bytes()
    used = len(whole.rstrip(b"\0"))
    for turn in range(200 if "faults" in pytestconfig.option.markexpr else 40):
        bit = rng.randrange(8 * (used if turn % 2 else len(whole)))
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        found = faults(tmp_path, shard)
        assert found and all(str(path) in each and "record" in each for each in found)
        records, wrong = Records(tmp_path, [shard]), 0
        for number, record in enumerate(RECORDS):
            try:
                assert records[number] == record
            except Damaged as error:
                assert NAME in str(error) and "\n" not in str(error)
                wrong += 1
        assert len(found) == (wrong or 1) or not records.opened


@pytest.mark.faults
def test_every_truncation_is_seen(tmp_path, shard, pytestconfig):
    path, rng = tmp_path / NAME, random.Random(0)
    whole = path.read_bytes()
    for _ in range(200 if "faults" in pytestconfig.option.markexpr else 40):
        path.write_bytes(whole[: rng.randrange(len(whole))])
        [found] = faults(tmp_path, shard)
        assert found == f"{path} is damaged: none of its records 0 to 28 can be found"
        with pytest.raises(Damaged, match="records 0 to 28"):
            Records(tmp_path, [shard])[0]


def test_a_record_that_is_another_than_was_written_is_named(tmp_path, shard):
    changed = [*RECORDS[:5], b"other", *RECORDS[6:]]
    commit(tmp_path, NAME, changed, IDS, {})  # a valid file, of other records
    [found] = faults(tmp_path, shard)
    assert found == f"{tmp_path / NAME}: record 5 (id-6) is damaged: its checksum is another"


def test_a_missing_shard_is_named_with_its_first_ids(tmp_path, shard):
    (tmp_path / NAME).unlink()
    [found] = faults(tmp_path, shard)
    assert found == f"{tmp_path / NAME} is missing, with its 29 records: " + (
        "id-1, id-2, id-3, id-4, id-5, ..."
    )
    with pytest.raises(Damaged, match="is missing, with its 29 records"):
        Records(tmp_path, [shard])[3]


def test_two_shards_that_changed_names_are_both_damaged(tmp_path, shard):
    other = commit(tmp_path, "other.array_record", RECORDS[::-1], IDS[::-1], {})
    (tmp_path / NAME).rename(tmp_path / "spare")
    (tmp_path / other.name).rename(tmp_path / NAME)
    (tmp_path / "spare").rename(tmp_path / other.name)
    assert faults(tmp_path, shard) and faults(tmp_path, other)


def test_a_disk_that_is_full_leaves_no_shard_and_says_so(tmp_path):
    """A bound on the size of files does to a write what a full disk does."""
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match=NAME) as error:
            commit(tmp_path, NAME, RECORDS, IDS, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, heard)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    assert commit(tmp_path, NAME, RECORDS, IDS, {}).ids == IDS
