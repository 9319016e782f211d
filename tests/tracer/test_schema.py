import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.schema import (
    KINDS,
    VERSION,
    Event,
    Trace,
    dump_trace,
    effect,
    fold,
    frames,
    load_trace,
    pack_row,
    program_id,
    unfold,
    unpack_row,
)
from tracer.values import capture

NAMES = st.sampled_from(["a", "b", "self", "longer_name", "é"])
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)  # surrogates too
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.floats(), TEXTS, st.binary(max_size=9)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
).map(capture)
EVENTS = st.builds(
    Event,
    st.sampled_from(KINDS),
    st.integers(0, 3),
    st.integers(0, 9),
    st.integers(0, 999),
    TEXTS,
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.none() | VALUES,
)
TRACES = st.builds(
    Trace,
    st.text("0123456789abcdef", max_size=32),
    TEXTS,
    TEXTS,
    st.none() | TEXTS,
    st.just("3.11.7"),
    st.just("ok"),
    st.lists(st.sampled_from(["trace_truncated", "tracer_removed"])).map(tuple),
    TEXTS,
    st.lists(EVENTS, max_size=8),
    TEXTS,
)


@settings(max_examples=100, deadline=None)
@given(TRACES)
def test_a_trace_reads_back_exactly(trace):
    assert load_trace(dump_trace(trace)) == trace


@settings(max_examples=100, deadline=None)
@given(st.lists(EVENTS, max_size=8))
def test_events_travel_as_deltas_and_read_back_in_full(events):
    packed = list(map(pack_row, fold(events)))
    assert list(unfold(map(unpack_row, packed))) == events
    for scope in {event.scope for event in events}:
        same = [event for event in events if event.scope == scope]
        changes = [set(p[5]) for p in packed if p[1] == scope]
        for before, after, changed in zip(same, same[1:], changes[1:], strict=False):
            assert changed <= set(effect(before.locals, after.locals))


def test_real_traces_read_back_exactly_and_are_written_alike(real_traces):
    for trace in real_traces:
        again = load_trace(dump_trace(trace))
        assert again == trace
        assert dump_trace(again) == dump_trace(trace)


@pytest.mark.parametrize("version", ["trace-v0", "trace-v2", None])
def test_a_trace_of_another_version_is_refused_in_one_line(version):
    record = {"version": version, "whatever": 1}
    with pytest.raises(ValueError, match=VERSION) as refusal:
        load_trace(json.dumps(record).encode())
    assert repr(version) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_effect_names_what_was_bound_changed_and_deleted():
    one, two = capture(1), capture(2)
    changes = effect({"a": one, "b": one, "c": one}, {"a": one, "b": two, "d": two})
    assert changes == {"b": (one, two), "c": (one, None), "d": (None, two)}


def test_the_id_of_a_program_depends_on_all_that_decides_its_trace():
    parts = [("x", "f", "f(1)", "s"), ("y", "f", "f(1)", "s"), ("x", "g", "f(1)", "s")]
    parts += [("x", "f", "f(2)", "s"), ("x", "f", None, "s"), ("x", "f", "f(1)", "t")]
    assert len({program_id(*row) for row in parts}) == len(parts)
    assert program_id(*parts[0]) == program_id(*parts[0])


def test_every_event_of_a_trace_is_in_one_frame(real_traces):
    for trace in real_traces:
        kept = frames(trace)
        assert sum(map(len, kept.values())) == len(trace.events)
        for events in kept.values():
            assert [event.kind for event in events].count("call") == 1
            assert events[0].kind == "call"
