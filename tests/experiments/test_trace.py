"""Corpus to dataset: whole or not at all, made once, no program on two sides."""

import json
import shutil
from pathlib import Path

import pytest
from tiny import LAYOUT, config, tracing

from experiments import trace
from experiments.command import UserError, guarded
from experiments.data import train_batches
from experiments.trace import suites, trace_corpus
from tracer.corpora.split import group
from tracer.leaks import read_evaluation
from tracer.schema import KINDS, Program, frames, without_call
from tracer.store import SPLITS, Dataset, unpack_window

GOOD = {"id": "0", "code": "def f(x):\n    return x + 1", "input": "3", "output": "4"}


def jsonl(path: Path, *records: object) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.array_record")}


def contents(folder: Path) -> dict[Path, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_the_manifest_says_what_is_in_the_folder(dataset):
    from array_record.python.array_record_data_source import ArrayRecordDataSource

    found = Dataset(dataset)
    manifest = found.manifest
    traces = {name: list(found.traces(name)) for name in SPLITS}
    assert sum(map(len, traces.values())) == 60
    for name in SPLITS:
        trajectories = [without_call(e) for t in traces[name] for e in frames(t).values()]
        counts = manifest["counts"][name]
        assert counts["trajectories"] == len(trajectories)
        assert counts["steps"] == sum(map(len, trajectories))
        assert 0 < counts["values_exact"] <= counts["values"]
        assert sum(manifest["outcomes"][name].values()) == len(traces[name])
        assert manifest["records"][f"{name}-traces"] == len(traces[name])
        windows = ArrayRecordDataSource(found.shards(name, "windows"))
        assert manifest["records"][f"{name}-windows"] == len(windows)
        arrays = [unpack_window(w, found.layout.fields()) for w in windows]
        steps = sum(window["mask"].sum() for window in arrays)
        assert steps >= counts["parts"]  # pieces of one trajectory share a step
        kinds = {kind for window in arrays for kind in window["kind"][window["mask"]].tolist()}
        assert KINDS.index("line") in kinds and KINDS.index("call") not in kinds
    assert set(manifest["files"]) == {p.name for p in dataset.glob("*.array_record")}
    assert manifest["config"]["corpus"]["count"] == 60


def test_no_program_is_on_two_sides(dataset):
    found = Dataset(dataset)
    sides = [
        {group(Program(t.source, t.input, t.origin)) for t in found.traces(name)} for name in SPLITS
    ]
    assert all(sides)
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


@pytest.mark.parametrize("other", ["processes=3", "out={relative}"])
def test_the_same_command_again_says_it_is_made_and_changes_nothing(
    dataset, other, capsys, monkeypatch
):
    before = contents(dataset)
    monkeypatch.chdir(dataset.parent)
    assert trace_corpus(tracing(dataset, other.format(relative=dataset.name))) == Path(
        dataset.name if "out" in other else dataset
    )
    assert "is already made with this config" in capsys.readouterr().out
    assert contents(dataset) == before


def test_another_config_for_the_same_folder_is_refused_and_changes_nothing(dataset):
    before = contents(dataset)
    with pytest.raises(SystemExit) as error:
        guarded(lambda: trace_corpus(tracing(dataset, "seed=1")) and None)
    said = f"error: {dataset} already exists; choose another folder or remove it"
    assert error.value.code == said
    assert contents(dataset) == before


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="already exists; choose another folder or remove"):
        trace_corpus(tracing(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_two_ray_workers_make_the_same_dataset(tmp_path, dataset):
    pytest.importorskip("ray", reason="launcher=ray is not installed: the extra `ray` brings it")
    cfg = tracing(tmp_path / "dataset", "launcher=ray")
    cfg.processes = 2
    trace_corpus(cfg)
    assert shards(tmp_path / "dataset") == shards(dataset)


def test_a_launcher_that_is_not_installed_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("tracer.pool.find_spec", lambda name: None)
    with pytest.raises(UserError, match="^launcher 'ray' needs the extra of that name"):
        trace_corpus(tracing(tmp_path / "dataset", "launcher=ray"))
    assert not list(tmp_path.iterdir())


def test_words_of_the_commands_are_put_into_those_of_hydra():
    assert trace.spelled(["verify", "a b/c"]) == ["verify='a b/c'"]
    assert trace.spelled(["corpus.launcher=ray", "out=x"]) == ["launcher=ray", "out=x"]


def test_verify_reads_everything_and_names_what_is_damaged(run_main, dataset, tmp_path):
    code, said, _ = run_main(trace.main, "verify", str(dataset))
    records = sum(Dataset(dataset).manifest["records"].values())
    assert (code, said.startswith(f"{dataset}: all {records} records of 6 shards")) == (0, True)
    shutil.copytree(dataset, tmp_path / "copy")
    path = tmp_path / "copy" / "train-traces-00000.array_record"
    path.write_bytes(path.read_bytes()[:-1])
    for arguments in (["verify", str(tmp_path / "copy")], [f"verify={tmp_path / 'copy'}"]):
        code, said, error = run_main(trace.main, *arguments)
        assert code == 1 and str(path) in said
        assert error.startswith(f"error: {path} is damaged: none of its records 0 to")
    code, _, error = run_main(trace.main, "verify", str(tmp_path))
    assert (code, error) == (1, f"error: no dataset at {tmp_path}: manifest.json is missing")


def test_a_manifest_that_was_changed_is_damaged(run_main, dataset, tmp_path):
    shutil.copytree(dataset, tmp_path / "copy")
    path = tmp_path / "copy" / "manifest.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    code, _, error = run_main(trace.main, "verify", str(tmp_path / "copy"))
    assert (code, error) == (1, f"error: {path} is damaged: its checksum is another")
    path.write_text(path.read_text()[:-100])
    code, _, error = run_main(trace.main, "verify", str(tmp_path / "copy"))
    assert (code, error) == (1, f"error: {path} is damaged: it is no JSON object")


def test_a_damaged_window_ends_the_training_in_one_line(dataset, tmp_path):
    shutil.copytree(dataset, tmp_path / "copy")
    path = tmp_path / "copy" / "train-windows-00000.array_record"
    found, sound = Dataset(tmp_path / "copy"), path.read_bytes()
    for at in range(len(sound.rstrip(b"\0")) - 1, 0, -16):  # not every byte is one of a record
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        if any(": record " in fault for fault in found.faults()):
            break
    with pytest.raises(SystemExit, match=f"^error: {path}: record [0-9]+ ") as error:
        batches = train_batches(found, 2, seed=0)
        guarded(
            lambda: [next(batches) for _ in range(len(found.records("train", "windows")))] and None
        )
    assert "\n" not in str(error.value.code)


@pytest.mark.parametrize("at", ["write_window", "opened"])
def test_an_interrupted_run_is_gone_on_with(tmp_path, monkeypatch, dataset, at):
    """Interrupted among the windows, or at the first trace."""

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trace.Writer, at, interrupted)
        trace_corpus(tracing(tmp_path / "dataset"))
    assert not (tmp_path / "dataset").exists()
    trace_corpus(tracing(tmp_path / "dataset"))
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]
    assert shards(tmp_path / "dataset") == shards(dataset)


def test_a_corpus_that_breaks_off_leaves_nothing_behind_and_is_one_line(tmp_path):
    path = jsonl(tmp_path / "cruxeval.jsonl", GOOD, {"id": "1"})
    cfg = config("trace", "corpus=cruxeval", f"corpus.path={path}", f"out={tmp_path / 'out'}")
    cfg.processes = 1
    with pytest.raises(UserError, match="cruxeval.jsonl, line 2: no field 'code'") as error:
        trace_corpus(cfg)
    assert "\n" not in str(error.value)
    assert [each.name for each in tmp_path.iterdir()] == ["cruxeval.jsonl"]


def test_a_corpus_without_its_file_is_one_line(tmp_path):
    cfg = config("trace", "corpus=mbpp", f"corpus.path={tmp_path / 'no'}", f"out={tmp_path / 'o'}")
    cfg.processes = 1
    with pytest.raises(SystemExit, match="^error: no file .*/no; the whole set is mbpp/mbpp.jsonl"):
        guarded(lambda: trace_corpus(cfg) and None)
    assert not list(tmp_path.iterdir())


def test_a_dataset_of_another_version_is_not_taken_for_ours(tmp_path):
    cfg = tracing(tmp_path / "dataset", "corpus.count=2")
    trace_corpus(cfg)
    schema = LAYOUT.schema() | {"version": "windows-v0"}
    (tmp_path / "dataset" / "schema.json").write_text(json.dumps(schema))
    with pytest.raises(UserError, match="'windows-v0'; this program reads"):
        trace_corpus(cfg)


def test_the_sizes_of_windows_can_be_chosen_and_are_checked(tmp_path):
    cfg = tracing(tmp_path / "dataset", "corpus.count=2", "+window.slots=16")
    assert Dataset(trace_corpus(cfg)).layout == LAYOUT._replace(slots=16)
    with pytest.raises(UserError, match="'slot'"):
        trace_corpus(tracing(tmp_path / "other", "+window.slot=16"))


def test_a_program_that_fails_is_data_and_one_that_repeats_is_left_out(tmp_path):
    bad = GOOD | {"id": "1", "code": "def f(x:"}
    raising = GOOD | {"id": "2", "code": "def f(x):\n    return x[0]"}
    path = jsonl(tmp_path / "c.jsonl", GOOD, bad, raising, GOOD | {"id": "3"})
    cfg = config("trace", "corpus=cruxeval", f"corpus.path={path}", f"out={tmp_path / 'out'}")
    cfg.processes = 1
    found = Dataset(trace_corpus(cfg)).manifest["outcomes"]
    kinds = sorted(kind for name in SPLITS for kind, n in found[name].items() for _ in range(n))
    assert kinds == ["exception", "ok", "rejected"]


def test_suites_that_are_made_here_can_be_named_among_what_must_not_leak():
    assert list(suites()) == ["arithmetic", "containers", "exercises", "long", "loops", "swaps"]
    found = read_evaluation("arithmetic", suites())
    assert len(found.codes) == found.about["corpus"]["count"] == 500
