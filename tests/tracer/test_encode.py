import numpy as np
import pytest

from tracer.cells import encode
from tracer.derive import encode_records
from tracer.encode import decode_row, decode_state, encode_trajectory, pieces
from tracer.layout import DEPTHS, VERSION, Layout, check_schema
from tracer.schema import KINDS, TELLING, Event, dump_trace, frames, without_call
from tracer.store import pack_window, unpack_window
from tracer.values import capture
from tracer.windows import pack

LAYOUTS = [Layout(), Layout(steps=16, values=40, statements=10, slots=4, cells=16, tokens=24)]


def trajectories(real_traces, layout: Layout):
    for trace in real_traces:
        for events in frames(trace).values():
            yield events, encode_trajectory(events, layout)


@pytest.fixture(params=LAYOUTS, ids=["default", "small"])
def layout(request) -> Layout:
    return request.param


def test_the_arrays_hold_every_value_exactly_where_they_say_so_and_only_there(real_traces, layout):
    """From the locals through pieces, windows and bytes, and back."""
    cut = kept = 0
    for events, trajectory in trajectories(real_traces, layout):
        start = 0
        for piece in pieces(trajectory, layout):
            (window,) = pack([piece], layout)
            record = pack_window(window, layout.fields())
            window = unpack_window(record, layout.fields())
            count = int(window["mask"].sum())
            for at in range(count):
                step = start + at
                state, arg = decode_state(trajectory.names, window["values"][window["slots"][at]])
                *exact, exact_arg = trajectory.exact[step]
                assert (arg == events[step].arg) == exact_arg
                for name, is_exact in zip(trajectory.names, exact, strict=False):
                    assert (state.get(name) == events[step].locals.get(name)) == is_exact
                    cut, kept = cut + (not is_exact), kept + is_exact
                assert set(state) <= set(trajectory.names)
                assert KINDS[window["kind"][at]] == events[step].kind
                assert window["depth"][at] == min(events[step].depth, DEPTHS - 1)
                tokens, references = trajectory.actions[step]
                assert tuple(window["statements"][window["statement"][at]]) == tokens
                assert tuple(window["references"][at])[: len(references)] == references
                assert (window["references"][at][len(references) :] == layout.slots + 1).all()
            start += count - 1
        assert start == max(0, len(events) - 1)
    assert cut and kept > cut


def test_every_transition_of_a_trajectory_is_inside_exactly_one_piece(real_traces, layout):
    for _, trajectory in trajectories(real_traces, layout):
        found = []
        for piece in pieces(trajectory, layout):
            states = [tuple(map(tuple, piece["values"][row].tolist())) for row in piece["slots"]]
            assert len(states) >= 2
            found += list(zip(states, states[1:], strict=False))
        assert found == list(zip(trajectory.states, trajectory.states[1:], strict=False))


def test_a_piece_is_no_larger_than_a_window(real_traces, layout):
    for _, trajectory in trajectories(real_traces, layout):
        for piece in pieces(trajectory, layout):
            assert len(piece["slots"]) <= layout.steps
            assert len(piece["values"]) <= layout.values
            assert len(piece["statements"]) <= layout.statements
            assert (piece["values"][0] == 0).all()
            for table in ("values", "statements"):
                assert len(np.unique(piece[table], axis=0)) == len(piece[table])


def test_the_last_row_holds_something_at_events_that_tell_and_nowhere_else(real_traces, layout):
    telling = layout.schema()["telling"]
    assert [KINDS[kind] for kind in telling] == list(TELLING)
    closed = KINDS.index("unwind")  # also the end of a generator, which then has its exception
    for events, trajectory in trajectories(real_traces, layout):
        others = [event for event in events if event.kind != "unwind"]
        assert [event.arg is not None for event in others] == [e.kind in TELLING for e in others]
        for rows, kind in zip(trajectory.states, trajectory.kinds, strict=True):
            assert kind == closed or any(rows[-1]) == (kind in telling)


def test_variables_without_a_slot_are_counted(real_traces, layout):
    for events, trajectory in trajectories(real_traces, layout):
        names = {name for event in events for name in event.locals}
        assert trajectory.lost == max(0, len(names) - layout.slots)
        assert len(trajectory.names) == min(len(names), layout.slots)
        assert set(trajectory.names) <= names


def test_slots_are_given_in_the_order_of_first_binding():
    one = capture(1)
    bound = [{"b": one}, {"b": one, "a": one}, {"c": one, "a": one, "b": one}]
    events = [Event("line", 0, 0, 1, "pass", values) for values in bound]
    assert encode_trajectory(events, Layout()).names == ("b", "a", "c")


def test_a_name_that_is_bound_to_none_differs_from_one_that_is_not_bound():
    events = [Event("line", 0, 0, 1, "x = None", v) for v in ({}, {"x": capture(None)})]
    trajectory = encode_trajectory(events, Layout())
    unbound, bound = (decode_state(("x",), np.array(rows))[0] for rows in trajectory.states)
    assert (unbound, bound) == ({}, {"x": capture(None)})


def test_rows_that_spell_nothing_decode_to_a_text_that_no_value_equals():
    rows = np.full((3, 32), 5)
    state, arg = decode_state(("x", "y"), rows)
    assert state == {"x": "<unreadable>", "y": "<unreadable>"}
    assert arg == "<unreadable>"


def test_of_an_exception_whose_arguments_cannot_be_read_the_class_can():
    row, _ = encode(capture(KeyError("key")), 32)
    garbled = (*row[:2], row[0], *row[3:])
    assert decode_row(row) == capture(KeyError("key"))
    assert decode_row(garbled) == "KeyError(<unreadable>)"
    assert decode_row((row[0], row[0])) == decode_row((row[1],)) == "<unreadable>"


def test_a_call_of_one_event_has_no_transition_and_no_piece():
    event = Event("call", 0, 0, 1, "def f():", {})
    assert list(pieces(encode_trajectory([event], Layout()), Layout())) == []


def test_what_is_learned_of_a_frame_begins_with_its_first_statement(real_traces):
    trace = real_traces[0]
    calls = [event for event in trace.events if event.kind == "call"]
    cut_off = trace._replace(events=calls[:1])  # at the limit of events: no statement was run
    found = encode_records([dump_trace(trace), dump_trace(cut_off)], Layout())
    bodies = [without_call(events) for events in frames(trace).values()]
    assert calls and all(events[0].kind == "line" for events in bodies)
    assert found.counts["trajectories"] == len(bodies)
    assert found.counts["steps"] == sum(map(len, bodies)) < len(trace.events)


def test_the_fields_can_hold_every_number_that_is_written_to_them(layout):
    for field in layout.fields():
        assert np.iinfo(field.dtype).max >= field.size - 1 if field.dtype != "bool" else True
        assert field.table is None or layout.empty()[field.table].shape[0] == field.size


def test_what_a_schema_does_not_say_is_the_default(layout):
    schema = layout.schema()
    del schema["telling"]
    assert check_schema(schema, "here") == layout
    for lost in ("symbols", "fields"):
        with pytest.raises(ValueError, match="other symbols or fields"):
            check_schema({name: x for name, x in schema.items() if name != lost}, "here")


def test_a_schema_of_another_version_or_with_other_symbols_is_refused_in_one_line(layout):
    schema = layout.schema()
    assert check_schema(schema, "here") == layout
    for change in ({"version": "windows-v0"}, {"version": None}, {"symbols": "0"}, {"fields": []}):
        with pytest.raises(ValueError, match="^here ") as refusal:
            check_schema(schema | change, "here")
        assert "\n" not in str(refusal.value)
        assert ("version" in change) == (VERSION in str(refusal.value))
