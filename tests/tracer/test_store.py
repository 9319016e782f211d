import json

import numpy as np
import pytest

import tracer.store
from tracer.encode import encode_trajectory, pieces
from tracer.layout import VERSION, Layout
from tracer.schema import frames
from tracer.store import Dataset, Writer, pack_window, unpack_window
from tracer.windows import pack

LAYOUT = Layout()


@pytest.fixture(scope="module")
def windows(real_traces) -> list[dict[str, np.ndarray]]:
    calls = (events for trace in real_traces[:8] for events in frames(trace).values())
    cut = (piece for call in calls for piece in pieces(encode_trajectory(call, LAYOUT), LAYOUT))
    return list(pack(cut, LAYOUT))


@pytest.fixture
def folder(tmp_path, real_traces, windows):
    writer = Writer(tmp_path / "data", LAYOUT)
    for number, trace in enumerate(real_traces):
        writer.write_trace("train" if number % 2 else "test", trace)
    for window in windows:
        writer.write_window("train", window)
    writer.finish({"corpus": "tests"})
    return tmp_path / "data"


def read_windows(dataset: Dataset, split: str) -> list[dict[str, np.ndarray]]:
    from array_record.python.array_record_data_source import ArrayRecordDataSource

    source = ArrayRecordDataSource(dataset.shards(split, "windows"))
    fields = dataset.layout.fields()
    return [unpack_window(source[number], fields) for number in range(len(source))]


def test_a_dataset_gives_back_the_traces_and_windows_that_were_written(
    folder, real_traces, windows
):
    dataset = Dataset(folder)
    assert dataset.layout == LAYOUT
    assert list(dataset.traces("train")) == real_traces[1::2]
    assert list(dataset.traces("test")) == real_traces[::2]
    assert list(dataset.traces("valid")) == []
    for found, written in zip(read_windows(dataset, "train"), windows, strict=True):
        assert all((found[name] == written[name]).all() for name in written)


def test_the_manifest_counts_what_is_in_the_dataset(folder, real_traces, windows):
    manifest = Dataset(folder).manifest
    half = len(real_traces) // 2
    assert manifest["corpus"] == "tests"
    assert manifest["records"] == {
        "test-traces": len(real_traces) - half,
        "train-traces": half,
        "train-windows": len(windows),
    }
    shards = {path.name for path in folder.glob("*.array_record")}
    assert set(manifest["files"]) == shards
    for name, file in manifest["files"].items():
        assert file["bytes"] == (folder / name).stat().st_size


def test_records_are_spread_over_shards_in_order(tmp_path, real_traces, monkeypatch):
    monkeypatch.setattr(tracer.store, "SHARD", 3)
    writer = Writer(tmp_path / "data", LAYOUT)
    for trace in real_traces[:8]:
        writer.write_trace("valid", trace)
    writer.finish({})
    dataset = Dataset(tmp_path / "data")
    assert len(dataset.shards("valid", "traces")) == 3
    assert list(dataset.traces("valid")) == real_traces[:8]


def test_a_dataset_appears_under_its_name_only_when_it_is_complete(tmp_path, real_traces):
    writer = Writer(tmp_path / "data", LAYOUT)
    writer.write_trace("train", real_traces[0])
    with pytest.raises(FileNotFoundError, match="manifest.json is missing"):
        Dataset(tmp_path / "data")
    writer.finish({})
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert len(list(Dataset(tmp_path / "data").traces("train"))) == 1


@pytest.mark.parametrize("written", [0, 1])
def test_nothing_is_left_behind_when_writing_is_abandoned(tmp_path, real_traces, written):
    writer = Writer(tmp_path / "data", LAYOUT)
    for trace in real_traces[:written]:
        writer.write_trace("train", trace)
    writer.abandon()
    assert list(tmp_path.iterdir()) == []
    Writer(tmp_path / "data", LAYOUT).finish({})  # the name is free again


def test_a_folder_that_exists_is_not_written_over(folder):
    with pytest.raises(FileExistsError, match="already exists"):
        Writer(folder, LAYOUT)


@pytest.mark.parametrize("version", ["windows-v0", None])
def test_a_dataset_of_another_schema_version_is_refused_in_one_line(folder, version):
    schema = folder / "schema.json"
    schema.write_text(json.dumps(json.loads(schema.read_text()) | {"version": version}))
    with pytest.raises(ValueError, match=VERSION) as refusal:
        Dataset(folder)
    assert repr(version) in str(refusal.value) and str(folder) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_window_of_another_size_is_refused(windows):
    record = pack_window(windows[0], LAYOUT.fields())
    with pytest.raises(ValueError, match="bytes"):
        unpack_window(record + b"\0", LAYOUT.fields())
    with pytest.raises(ValueError):
        unpack_window(record[:-1], LAYOUT.fields())
