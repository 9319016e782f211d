"""Datasets out and in again, and what they look like."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from tiny import WINDOW, config

from experiments import export, stats
from experiments.trace import trace_corpus
from tracer.corpora.split import group, split
from tracer.cwm import parse, resolve
from tracer.records import TEXT, TRACE, read_rows, read_traces, row, write_rows
from tracer.schema import Program, effect, frames
from tracer.store import SPLITS, Dataset
from tracer.values import render

SIZES = [f"++window.{name}={size}" for name, size in WINDOW.items()]


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.array_record")}


@pytest.mark.parametrize("name", ["d.parquet", "d.jsonl", "d.jsonl.gz"])
def test_a_dataset_comes_back_from_a_file_to_the_byte(run_main, dataset, tmp_path, name):
    file, again = tmp_path / name, tmp_path / "again"
    code, said, _ = run_main(export.main, f"dataset={dataset}", f"out={file}")
    assert (code, said) == (0, f"60 traces in {file}\n")
    code, said, _ = run_main(export.main, f"dataset={file}", f"out={again}", *SIZES)
    assert (code, said) == (0, f"60 traces in {again}\n")
    assert shards(again) == shards(dataset)
    made, found = Dataset(dataset).manifest, Dataset(again).manifest
    for key in ("records", "files", "outcomes", "counts"):
        assert found[key] == made[key]


def test_some_splits_can_be_chosen(run_main, dataset, tmp_path):
    arguments = (f"dataset={dataset}", f"out={tmp_path}/d.jsonl", "splits=[test]")
    assert run_main(export.main, *arguments)[0] == 0
    found = list(read_traces(tmp_path / "d.jsonl"))
    assert found == [("test", trace) for trace in Dataset(dataset).traces("test")]


def test_traces_of_no_split_get_the_one_of_their_program(run_main, dataset, tmp_path):
    traces = list(Dataset(dataset).traces("test"))
    write_rows(tmp_path / "d.jsonl", map(row, traces), TRACE)
    arguments = (f"dataset={tmp_path}/d.jsonl", f"out={tmp_path}/made", *SIZES)
    assert run_main(export.main, *arguments)[0] == 0
    assert {split(group(Program(t.source, t.input, t.origin))) for t in traces} == {"test"}
    assert list(Dataset(tmp_path / "made").traces("test")) == traces


@pytest.mark.parametrize("dialect", ["cwm", "debugger"])
def test_cwm_texts_are_read_back_and_the_locals_counted(run_main, dataset, tmp_path, dialect):
    file = tmp_path / "d.jsonl"
    arguments = ("format=cwm", f"+cwm.dialect={dialect}", f"dataset={dataset}", f"out={file}")
    code, said, _ = run_main(export.main, *arguments)
    traces = [trace for name in SPLITS for trace in Dataset(dataset).traces(name)]
    states = [
        {name: render(value) for name, value in event.locals.items()}
        for trace in traces
        for event in trace.events
        if event.kind in ("call", "line", "resume")
    ]
    found = [
        state for each in read_rows(file, TEXT) for state in resolve(parse(each["text"]).frames)
    ]
    assert [state for state in found if state is not None] == states
    count = sum(map(len, states))
    assert (code, said) == (
        0,
        f"{count} of {count} locals of {len(states)} calls and lines are read back\n"
        f"60 traces in {file}\n",
    )


def test_a_rule_that_no_reader_can_undo_is_seen_in_the_count(run_main, real_file, tmp_path):
    arguments = (f"dataset={real_file}", f"out={tmp_path}/d.jsonl", "format=cwm")
    _, said, _ = run_main(export.main, *arguments)
    back, whole = re.findall(r"(\d+) of (\d+) locals", said)[0]
    assert back == whole
    _, said, _ = run_main(export.main, *arguments, "+cwm.diff=scope")
    back, whole = re.findall(r"(\d+) of (\d+) locals", said)[0]
    assert 0 < int(back) < int(whole)


@pytest.fixture
def real_file(tmp_path) -> Path:
    """A program with nested calls."""
    source = "def g(x):\n    return x\ndef f(x):\n    y = g(x)\n    z = g(y)\n    return z\n"
    (tmp_path / "program.py").write_text(source)
    made = ("corpus=files", f"corpus.path={tmp_path}/program.py", "corpus.call='f(3)'")
    return trace_corpus(config("trace", *made, f"out={tmp_path}/real", "processes=1"))


def test_exported_programs_can_be_traced_anew(dataset, tmp_path):
    arguments = ("corpus=records", f"corpus.path={dataset}", "processes=1", *SIZES)
    again = trace_corpus(config("trace", *arguments, f"out={tmp_path}/again"))
    for name in SPLITS:
        assert {t.source for t in Dataset(again).traces(name)} == {
            t.source for t in Dataset(dataset).traces(name)
        }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["out={tmp}/d.csv"], "{tmp}/d.csv does not end in one of .parquet, .jsonl, .jsonl.gz"),
        (["out={tmp}/d.jsonl", "dataset={tmp}/none"], "no file or dataset folder {tmp}/none"),
        (
            ["out={tmp}/d.jsonl", "dataset={tmp}/none.parquet"],
            "no file or dataset folder {tmp}/none.p",
        ),
        (["out={tmp}/d.jsonl", "dataset={tmp}"], "no dataset at {tmp}: manifest.json is missing"),
        (["out={tmp}/d.jsonl", "format=csv"], "unknown format 'csv'; there are: trace, cwm"),
        (["out={tmp}/d.jsonl", "splits=[tets]"], "unknown split 'tets'; there are: train, valid"),
        (["out={tmp}/d.jsonl", "format=cwm", "+cwm.diff=x"], "unknown diff 'x'; there are: bound"),
        (["out={tmp}/d.jsonl", "format=cwm", "+cwm.x=1"], "Options.__new__() got an unexpected"),
        (["out={tmp}/d", "format=cwm"], "{tmp}/d does not end in one of .parquet, .jsonl"),
        (["out={tmp}/d", "+window.x=1"], "Layout.__new__() got an unexpected keyword"),
        (["out={dataset}"], "{dataset} already exists; choose another folder or remove it"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    run_main, dataset, tmp_path, arguments, said
):
    def filled(text):
        return text.format(tmp=tmp_path, dataset=dataset)

    code, _, error = run_main(export.main, f"dataset={dataset}", *map(filled, arguments))
    assert code == 1
    assert filled(f"error: {said}") in error and "\n" not in error
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_is_damaged_ends_the_export_in_one_line(run_main, dataset, tmp_path):
    traces = list(Dataset(dataset).traces("test"))
    rows = [row(traces[0]), row(traces[1]) | {"version": "trace-v0"}]
    for name in ("d.jsonl", "d.parquet"):
        write_rows(tmp_path / name, rows, TRACE)
        for out in ("out.parquet", "out.jsonl", "folder"):
            arguments = (f"dataset={tmp_path}/{name}", f"out={tmp_path}/{out}")
            code, _, error = run_main(export.main, *arguments)
            assert code == 1
            assert "a row of version 'trace-v0'; this program reads 'trace-v1'" in error
            assert not (tmp_path / out).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.jsonl", "d.parquet"]


def test_stats_are_those_of_the_traces(run_main, dataset, tmp_path):
    code, said, _ = run_main(stats.main, f"dataset={dataset}", f"out={tmp_path}/stats.json")
    assert code == 0
    figures = json.loads((tmp_path / "stats.json").read_text())
    assert set(figures) == {"all", *SPLITS}
    for name in SPLITS:
        traces = list(Dataset(dataset).traces(name))
        calls = [events for trace in traces for events in frames(trace).values()]
        assert figures[name]["programs"] == len(traces)
        assert figures[name]["trajectories"] == len(calls)
        lengths = sorted(map(len, calls))
        assert figures[name]["events"]["p50"] == lengths[(len(lengths) + 1) // 2 - 1]
        pairs = [(a, b) for events in calls for a, b in zip(events, events[1:], strict=False)]
        changes = [effect(a.locals, b.locals) for a, b in pairs]
        assert figures[name]["steps"] == len(pairs)
        unchanged = sum(not change for change in changes) / len(pairs)
        assert figures[name]["steps_changing"]["0"] == pytest.approx(unchanged)
        new = [value for change in changes for _, value in change.values() if value]
        types = Counter(value.kind for value in new)
        assert figures[name]["types"]["int"] == pytest.approx(types["int"] / len(new))
        shares = (figures[name][key].values() for key in ("steps_changing", "types"))
        assert [sum(share) for share in shares] == pytest.approx([1, 1])
        longest = max(len(render(value)) for value in new)
        assert figures[name]["repr_length"]["p99"] <= longest
    for text in ("trajectories", "events p50/p90/p99", "types of changed values, %", "int "):
        assert text in said


def test_stats_of_a_file_are_those_of_the_dataset(run_main, dataset, tmp_path):
    write_rows(tmp_path / "d.parquet", (row(t, s) for s, t in read_traces(dataset)), TRACE)
    for source, out in ((dataset, "a.json"), (tmp_path / "d.parquet", "b.json")):
        assert run_main(stats.main, f"dataset={source}", f"out={tmp_path}/{out}")[0] == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none", "no file or dataset folder"),
        ("none.jsonl", "no file or dataset folder"),
        ("empty.jsonl", "empty.jsonl has no traces"),
    ],
)
def test_stats_of_nothing_are_one_line(run_main, tmp_path, name, said):
    (tmp_path / "empty.jsonl").write_text("")
    code, printed, error = run_main(stats.main, f"dataset={tmp_path}/{name}")
    assert (code, printed) == (1, "")
    assert error.startswith("error: ") and said in error
