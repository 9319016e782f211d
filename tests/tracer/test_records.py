"""Rows of JSONL and Parquet: every trace comes back, and others read them without our code."""

import builtins
import gzip
import json
import re

import pytest
from hypothesis import given, settings
from test_schema import TRACES

from tracer.corpora.records import programs
from tracer.cwm import Options, parse
from tracer.parquet import BATCH
from tracer.records import (
    TEXT,
    TRACE,
    read_rows,
    read_traces,
    row,
    text_row,
    trace_of,
    write_rows,
)
from tracer.schema import Trace
from tracer.values import render

NAMES = ["traces.parquet", "traces.jsonl", "traces.jsonl.gz"]


@pytest.fixture(scope="module", params=NAMES)
def file(request, real_traces, tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / request.param
    rows = (row(trace, "train" if n % 3 else "test") for n, trace in enumerate(real_traces))
    assert write_rows(path, rows, TRACE) == len(real_traces)
    return path


@settings(max_examples=200, deadline=None)
@given(TRACES)
def test_any_trace_comes_back_from_its_row(trace):
    made = row(trace, "valid")
    assert list(made) == list(TRACE)
    assert trace_of(json.loads(json.dumps(made))) == trace
    made.pop("exact")
    json.dumps(made, ensure_ascii=False).encode()  # no lone surrogate that others would refuse


@settings(max_examples=50, deadline=None)
@given(TRACES)
def test_any_trace_comes_back_from_a_file(tmp_path_factory, trace):
    for name in NAMES[:2]:
        path = tmp_path_factory.mktemp("records") / name
        assert write_rows(path, [row(trace)], TRACE) == 1
        assert [trace_of(found) for found in read_rows(path)] == [trace]


def test_real_traces_and_their_splits_come_back_in_order(file, real_traces):
    assert [trace for _, trace in read_traces(file)] == real_traces
    splits = [split for split, _ in read_traces(file)]
    assert splits == ["train" if n % 3 else "test" for n in range(len(real_traces))]


def test_the_columns_hold_real_traces_without_help(file):
    assert all(found["exact"] == "" for found in read_rows(file))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_have_no_rows_or_many_row_groups(tmp_path, real_traces, name):
    count = 2 * BATCH + 3
    short = min(real_traces, key=lambda trace: len(trace.events))
    assert write_rows(tmp_path / name, (row(short, str(n)) for n in range(count)), TRACE) == count
    assert [split for split, _ in read_traces(tmp_path / name)] == [str(n) for n in range(count)]
    assert write_rows(tmp_path / name, [], TRACE) == 0
    assert list(read_rows(tmp_path / name)) == []


def told(found: dict) -> list:
    """What a reader without our code sees of the events."""
    return [
        (
            event["kind"],
            event["lineno"],
            event["statement"],
            {local["name"]: local["repr"] for local in event["locals"]},
            event["arg"]["repr"],
        )
        for event in found["events"]
    ]


def truth(trace: Trace) -> list:
    return [
        (
            event.kind,
            event.lineno,
            event.statement,
            {name: render(value) for name, value in event.locals.items()},
            render(event.arg) if event.arg else "",
        )
        for event in trace.events
    ]


def test_polars_opens_a_file_as_it_is(file, real_traces):
    polars = pytest.importorskip("polars")
    read = polars.read_parquet if file.suffix == ".parquet" else polars.read_ndjson
    table = read(file)
    assert table.columns == list(TRACE)
    assert table["source"].to_list() == [trace.source for trace in real_traces]
    assert table["n_events"].to_list() == [len(trace.events) for trace in real_traces]
    for found, trace in zip(table.to_dicts(), real_traces, strict=True):
        assert told(found) == truth(trace)
    raised = table.explode("events").unnest("events").filter(kind="exception")
    kinds = {event.arg.data[0] for t in real_traces for event in t.events if event.kind[0] == "e"}
    assert set(raised["arg"].struct.field("type")) == kinds


def test_datasets_opens_a_file_as_it_is(file, real_traces, tmp_path):
    datasets = pytest.importorskip("datasets")
    if not hasattr(datasets, "load_dataset"):
        pytest.skip("what is found is the folder of the demo's datasets")
    kind = "parquet" if file.suffix == ".parquet" else "json"
    cache = str(tmp_path / "cache")
    table = datasets.load_dataset(kind, data_files=str(file), split="train", cache_dir=cache)
    assert table.column_names == list(TRACE)
    for found, trace in zip(table, real_traces, strict=True):
        assert told(found) == truth(trace)


def test_cwm_texts_are_rows_too(tmp_path, real_traces):
    for name in NAMES:
        rows = (text_row(trace, "test", Options()) for trace in real_traces)
        assert write_rows(tmp_path / name, rows, TEXT) == len(real_traces)
        for found, trace in zip(read_rows(tmp_path / name, TEXT), real_traces, strict=True):
            assert (found["id"], found["split"]) == (trace.id, "test")
            assert len(parse(found["text"]).frames) == len(trace.events)


def test_the_programs_of_a_file_can_be_run_anew(file, real_traces):
    for program, trace in zip(programs(file), real_traces, strict=True):
        assert program[:3] == (trace.source, trace.input, trace.origin)
        assert program.name == ("program" if trace.input else "__main__")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_not_finished_is_not_there(tmp_path, real_traces, name):
    def rows():
        yield row(real_traces[0])
        raise KeyboardInterrupt

    path = tmp_path / name
    with pytest.raises(KeyboardInterrupt):
        write_rows(path, rows(), TRACE)
    assert list(tmp_path.iterdir()) == []
    write_rows(path, [row(real_traces[0])], TRACE)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_rows(path, rows(), TRACE)
    assert [found.name for found in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", b"", "a.csv does not end in one of .parquet, .jsonl, .jsonl.gz"),
        ("a.parquet", b"", "a.parquet is not a whole Parquet file"),
        ("a.parquet", b"PAR1 and more", "a.parquet is not a whole Parquet file"),
        ("a.parquet", b"PAR1\0\0\0\0\0\0\0\0PAR1", "a.parquet is damaged: "),
        ("a.jsonl", b"{}\n", "a.jsonl, line 1: no field 'version'; there are: none"),
        ("a.jsonl", b"[1]\n", "a.jsonl, line 1: a list where an object was expected"),
        ("a.jsonl", b"{", "a.jsonl, line 1: "),
        ("a.jsonl.gz", b"{}", "a.jsonl.gz, line 1: "),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_one_line(tmp_path, name, content, complaint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(complaint)) as error:
        list(read_traces(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_missing_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        list(read_traces(tmp_path / name))


def test_a_table_of_something_else_names_what_is_missing(tmp_path):
    write_rows(tmp_path / "other.parquet", [{"text": "x"}], {"text": str})
    with pytest.raises(ValueError, match="has no column 'version'; there are: text$"):
        list(read_traces(tmp_path / "other.parquet"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": "trace-v0"}, "a row of version 'trace-v0'; this program reads 'trace-v1'"),
        ({"events": [{"kind": "call"}]}, "the row of trace '.*' is malformed: KeyError"),
        ({"events": [[]]}, "the row of trace '.*' is malformed: TypeError"),
    ],
)
def test_a_row_that_is_no_trace_is_refused_in_one_line(real_traces, change, complaint):
    with pytest.raises(ValueError, match=complaint) as error:
        trace_of(row(real_traces[0]) | change)
    assert "\n" not in str(error.value)


def test_without_the_extra_parquet_says_what_to_install_and_jsonl_works(
    tmp_path, real_traces, monkeypatch
):
    whole = builtins.__import__

    def without(name, *rest):
        if name.startswith("arro3"):
            raise ImportError(name)
        return whole(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"pip install 'program-rssm\[parquet\]'$"):
        write_rows(tmp_path / "a.parquet", [row(real_traces[0])], TRACE)
    assert list(tmp_path.iterdir()) == []
    assert write_rows(tmp_path / "a.jsonl", [row(real_traces[0])], TRACE) == 1


def test_gzip_is_gzip(tmp_path, real_traces):
    write_rows(tmp_path / "a.jsonl.gz", [row(real_traces[0])], TRACE)
    (line,) = gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).splitlines()
    assert trace_of(json.loads(line)) == real_traces[0]
