import numpy as np
import pytest

from tracer.encode import encode_trajectory, pieces
from tracer.layout import Layout
from tracer.schema import frames
from tracer.windows import OPEN, pack

LAYOUTS = [Layout(), Layout(steps=16, values=40, statements=10)]


@pytest.fixture(params=LAYOUTS, ids=["default", "small"])
def layout(request) -> Layout:
    return request.param


@pytest.fixture
def cut(real_traces, layout) -> list[dict[str, np.ndarray]]:
    return [
        piece
        for trace in real_traces
        for events in frames(trace).values()
        for piece in pieces(encode_trajectory(events, layout), layout)
    ]


def unpacked(window: dict[str, np.ndarray]) -> list[tuple]:
    """The pieces of a window with their tables looked up."""
    starts = [*np.flatnonzero(window["reset"] & window["mask"]), int(window["mask"].sum())]
    return [contents(window, a, b) for a, b in zip(starts, starts[1:], strict=False)]


def contents(arrays: dict[str, np.ndarray], first: int, last: int) -> tuple:
    part = slice(first, last)
    rows = {
        "values": arrays["values"][arrays["slots"][part]],
        "statements": arrays["statements"][arrays["statement"][part]],
        "kind": arrays["kind"][part],
        "depth": arrays["depth"][part],
        "branch": arrays["branch"][part],
        "references": arrays["references"][part],
    }
    return tuple(row.astype("int64").tobytes() for row in rows.values())


def test_every_piece_is_in_exactly_one_window_unchanged(cut, layout):
    windows = list(pack(cut, layout))
    found = [part for window in windows for part in unpacked(window)]
    expected = [contents(piece, 0, len(piece["slots"])) for piece in cut]
    assert sorted(found) == sorted(expected)


def test_windows_have_the_shapes_and_types_of_the_layout(cut, layout):
    for window in pack(cut, layout):
        assert list(window) == [field.name for field in layout.fields()]
        for field in layout.fields():
            array = window[field.name]
            assert (array.shape, array.dtype) == (field.shape, np.dtype(field.dtype))
            assert int(array.max()) < field.size


def test_a_reset_stands_where_a_piece_begins_and_on_all_padding(cut, layout):
    for window in pack(cut, layout):
        mask = window["mask"]
        used = int(mask.sum())
        assert mask[:used].all() and not mask[used:].any()
        assert window["reset"][0] and window["reset"][used:].all()
        assert (window["slots"][used:] == 0).all()
        assert (window["references"][used:] == layout.slots + 1).all()


def test_no_piece_points_into_the_tables_of_another(cut, layout):
    for window in pack(cut, layout):
        seen: set[int] = set()
        starts = [*np.flatnonzero(window["reset"] & window["mask"]), int(window["mask"].sum())]
        for a, b in zip(starts, starts[1:], strict=False):
            rows = set(window["slots"][a:b].ravel().tolist()) - {0}
            assert not rows & seen
            seen |= rows


def test_windows_are_well_filled_and_the_packing_is_the_same_every_time(cut, layout):
    windows, again = list(pack(cut, layout)), list(pack(cut, layout))
    assert len(cut) > OPEN
    for one, two in zip(windows, again, strict=True):
        assert all((one[name] == two[name]).all() for name in one)
    filled = sum(window["mask"].sum() for window in windows)
    # One of steps, values and statements fills a window first.
    assert filled > 0.5 * layout.steps * len(windows)


def test_nothing_packs_to_nothing(layout):
    assert list(pack([], layout)) == []
