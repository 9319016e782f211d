"""The fault-injection list, 3 to 7 and 11 to 20: shards that are killed, starved and damaged."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import WINDOW, tracing

from experiments import trace
from experiments.command import UserError, guarded
from experiments.trace import trace_corpus, verify
from tracer import store
from tracer import tracing as runs
from tracer.store import SPLITS, Dataset

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]
COUNT = 60  # programs
NAME = "train-traces-00000.array_record"


def overrides(out: Path, *more: str) -> list[str]:
    window = [f"++window.{name}={size}" for name, size in WINDOW.items()]
    corpus = ["corpus=synthetic", f"corpus.count={COUNT}", "corpus.difficulty=1"]
    return [*corpus, *window, f"out={out}", "commit_every=0.1", *more]


def started(out: Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "experiments.trace", *overrides(out, *more)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(run: subprocess.Popen, code: int = 0) -> str:
    said = run.communicate(timeout=120)[0]
    assert run.returncode == code, said
    return said


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.array_record")}


def ids(folder: Path) -> list[str]:
    return [trace.id for name in SPLITS for trace in Dataset(folder).traces(name)]


def again(folder: Path, *more: str) -> Path:
    return trace_corpus(tracing(folder, f"corpus.count={COUNT}", *more))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(store, "SHARD", 16)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A dataset that was never interrupted, of small shards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "SHARD", 16)
        return again(tmp_path_factory.mktemp("whole") / "dataset")


@pytest.fixture
def made(whole, tmp_path, small) -> Path:
    shutil.copytree(whole, tmp_path / "dataset")
    return tmp_path / "dataset"


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[str, bytes]:
    return shards(again(tmp_path_factory.mktemp("plain") / "dataset"))


def kill_within(out: Path, seconds: float, *more: str) -> bool:
    """Start a run and kill it so long after it has begun to plan; whether it was still at it."""
    spool = out.with_name(f"{out.name}.part") / "programs.tmp"
    before = spool.stat().st_mtime_ns if spool.exists() else 0
    run = started(out, *more)
    while run.poll() is None and not (spool.exists() and spool.stat().st_mtime_ns > before):
        time.sleep(0.005)
    time.sleep(seconds)
    was_running = run.poll() is None
    run.kill()
    run.communicate()
    return was_running


@pytest.mark.parametrize("processes", [1, 2])
def test_03_killed_at_any_moment_the_same_command_makes_the_same_dataset(
    tmp_path, processes, plain, pytestconfig
):
    long = "faults" in pytestconfig.option.markexpr
    count, kills = (300, 20) if long else (COUNT, 2)
    wanted = shards(again(tmp_path / "plain", f"corpus.count={count}")) if long else plain
    out, rng = tmp_path / "made" / "dataset", random.Random(processes)
    options = (f"processes={processes}", f"corpus.count={count}")
    hits = [kill_within(out, rng.uniform(0, 0.7 * processes), *options) for _ in range(kills)]
    assert not long or sum(hits) > kills / 2
    ended(started(out, *options))
    assert shards(out) == wanted
    assert len(ids(out)) == len(set(ids(out))) == count
    assert [path.name for path in out.parent.iterdir()] == ["dataset"]
    assert not [path for path in out.iterdir() if ".tmp" in path.name or path.name == ".lock"]


class Killed(BaseException):
    """In the place of SIGKILL: nothing catches it, and nothing is done after it."""


def killed(*_: object) -> None:
    raise Killed


def test_04_killed_before_a_shard_gets_its_name_its_programs_run_again(
    tmp_path, plain, monkeypatch
):
    real = Path.rename
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(
            Path, "rename", lambda a, b: killed() if ".array_record" in str(b) else real(a, b)
        )
        again(tmp_path / "dataset")
    again(tmp_path / "dataset")
    assert shards(tmp_path / "dataset") == plain


def test_05_killed_before_a_shard_gets_its_line_it_is_there_once(tmp_path, plain, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("tracer.shards.append", killed)
        again(tmp_path / "dataset")
    again(tmp_path / "dataset")
    assert shards(tmp_path / "dataset") == plain


def test_06_asked_to_stop_a_run_commits_and_the_same_command_goes_on(tmp_path, plain):
    run = started(tmp_path / "dataset", "processes=1")
    while not (tmp_path / "dataset.part" / "shards.jsonl").exists():
        time.sleep(0.01)
    run.send_signal(signal.SIGTERM)
    said = ended(run)
    assert f"the same command goes on with what is in {tmp_path}/dataset.part" in said
    kept = (tmp_path / "dataset.part" / "shards.jsonl").read_text().splitlines()
    assert kept
    ended(started(tmp_path / "dataset", "processes=1"))
    assert shards(tmp_path / "dataset") == plain
    lines = (tmp_path / "dataset" / "shards.jsonl").read_text().splitlines()
    assert lines[: len(kept)] == kept


def test_07_the_second_of_two_runs_on_a_folder_refuses(tmp_path):
    run = started(tmp_path / "dataset", "processes=1")
    try:
        while not (tmp_path / "dataset.part" / "settings.json").exists():
            time.sleep(0.01)
        os.kill(run.pid, signal.SIGSTOP)
        with pytest.raises(SystemExit) as error:
            guarded(lambda: again(tmp_path / "dataset") and None)
        assert error.value.code == f"error: {tmp_path}/dataset is being made by another process"
    finally:
        run.kill()
        run.communicate()
    again(tmp_path / "dataset", "limits.events=2000")  # the lock has died with the process


def test_11_13_a_full_disk_ends_the_run_in_one_line_and_later_it_goes_on(
    tmp_path, plain, monkeypatch
):
    """11, 13: a bound on the size of files does to a write what a full disk does."""
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with monkeypatch.context() as patch:
        patch.setattr(store, "SHARD", 16)
        real = runs.Ledger.add

        def filling(self, result):
            if result.number == COUNT // 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
            real(self, result)

        patch.setattr(runs.Ledger, "add", filling)
        try:
            with pytest.raises(SystemExit) as error:
                guarded(lambda: again(tmp_path / "dataset") and None)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, heard)
        assert str(error.value.code).startswith(f"error: {tmp_path}/dataset.part/")
        patch.setattr(runs.Ledger, "add", real)
        again(tmp_path / "dataset")
    assert len(set(ids(tmp_path / "dataset"))) == COUNT
    verify(tmp_path / "dataset")


def test_12_a_folder_that_cannot_be_written_ends_the_run_before_the_first_program(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(trace, "make_plan", lambda *_: pytest.fail("a program was read"))
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="^error: .*file"):
        guarded(lambda: again(tmp_path / "file" / "dataset") and None)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_14_a_flipped_bit_is_found_with_its_file_and_record(made, capsys):
    path, rng = made / NAME, random.Random(0)
    sound = path.read_bytes()
    for _ in range(20):  # all 200 of the list: tests/tracer/test_shards.py
        flipped = bytearray(sound)
        flipped[rng.randrange(len(sound))] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(UserError, match=NAME) as error:
            verify(made)
        assert "record" in str(error.value) and "\n" not in str(error.value)
        assert str(path) in capsys.readouterr().out


def test_15_a_truncation_is_found_and_reading_ends_in_one_line(made):
    path = made / NAME
    path.write_bytes(path.read_bytes()[:-1000])
    for read in (lambda: verify(made), lambda: list(Dataset(made).traces("train")) and None):
        with pytest.raises(SystemExit, match=f"^error: {path} is damaged") as error:
            guarded(read)
        assert "\n" not in str(error.value.code)


def test_16_shards_that_changed_names_are_found(made):
    one, other = made / NAME, made / NAME.replace("00000", "00001")
    one.rename(made / "spare")
    other.rename(one)
    (made / "spare").rename(other)
    with pytest.raises(UserError, match="record 0"):
        verify(made)


@pytest.mark.parametrize("name", [NAME, "test-windows-00000.array_record"])
def test_17_of_a_deleted_shard_just_what_is_missing_is_made_again(
    made, whole, name, capsys, monkeypatch
):
    lost = next(s for s in store.read_manifest(made).values() if s.name == name)
    (made / name).unlink()
    with pytest.raises(UserError, match=f"{name} is missing, with its {len(lost.checksums)} rec"):
        verify(made)
    said = capsys.readouterr().out
    assert all(id in said for id in lost.ids[:5])
    ran = []
    real = runs.Ledger.add
    monkeypatch.setattr(
        runs.Ledger, "add", lambda self, result: ran.append(result.id) or real(self, result)
    )
    again(made)
    assert ran == lost.ids
    assert shards(made) == shards(whole)
    verify(made)


def test_18_what_repeats_is_made_once_and_noted(tmp_path, capsys):
    record = {"id": "0", "code": "def f(x):\n    return x", "input": "3", "output": "3"}
    path = tmp_path / "twice.jsonl"
    path.write_text("".join(json.dumps(record | {"id": id}) + "\n" for id in "ab"))
    cfg = tracing(tmp_path / "out")
    cfg.corpus = {"_target_": "tracer.corpora.cruxeval.programs", "path": str(path)}
    manifest = Dataset(trace_corpus(cfg)).manifest
    assert manifest["plan"]["programs"] == manifest["plan"]["repetitions_left_out"] == 1
    assert "left out: 1 that repeat another" in capsys.readouterr().out


def interrupt(folder: Path, cfg, monkeypatch) -> None:
    real = runs.Ledger.add

    def interrupted(self, result):
        real(self, result)
        if result.number == 40:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runs.Ledger, "add", interrupted)
        trace_corpus(cfg)


def test_19_a_corpus_that_has_changed_is_not_mixed_with_what_it_was(tmp_path, monkeypatch):
    path = tmp_path / "functions.jsonl"
    records = [{"id": f"{n}", "code": f"def f(x): return x + {n}", "input": "3"} for n in range(50)]
    cfg = tracing(tmp_path / "out")
    cfg.corpus = {"_target_": "tracer.corpora.cruxeval.programs", "path": str(path)}
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    interrupt(tmp_path / "out", cfg, monkeypatch)
    path.write_text("".join(json.dumps(each) + "\n" for each in records[1:]))
    with pytest.raises(UserError, match="the corpus has other programs now than those of"):
        trace_corpus(cfg)
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    assert len(set(ids(trace_corpus(cfg)))) == 50


def test_20_another_config_is_not_mixed_with_the_one_before(tmp_path, monkeypatch):
    interrupt(tmp_path / "out", tracing(tmp_path / "out"), monkeypatch)
    with pytest.raises(SystemExit) as error:
        guarded(lambda: trace_corpus(tracing(tmp_path / "out", "limits.events=9")) and None)
    said = f"{tmp_path}/out.part was begun with another config (config.limits.events: 2000, now 9)"
    assert said in str(error.value.code)
    assert len(ids(trace_corpus(tracing(tmp_path / "out")))) == 60


def test_32_two_processes_give_the_same_bytes_as_one(tmp_path, plain):
    assert shards(again(tmp_path / "dataset", "processes=2")) == plain
