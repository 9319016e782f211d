"""What is believed of a trace that a program may have written itself."""

import random
import time

import pytest

from tracer.sandbox import Limits
from tracer.sandbox.frames import BrokenFrame, dump, pack, unpack
from tracer.sandbox.seen import Seen
from tracer.sandbox.verdict import judge, read

KEY = 0xFFFFFFFE  # the third frame's seed begins anew
ROWS = [["call", 0, 0, 1, "x = 1", {}, [], None], ["line", 0, 0, 1, "x = 1", {}, [], None]]
END = {"outcome": "ok", "flags": [], "error": None, "entry": "<module>"}
SEEN = Seen(reason=None, signal=0, code=0, cpu_s=0.1, output_cut=False)
LIMITS = Limits(cpu_s=2)


def trace(*messages: object, key: int = KEY) -> bytes:
    return b"".join(pack(dump(message), key + n) for n, message in enumerate(messages))


def kind_of(data: bytes, **seen) -> tuple[str, tuple[str, ...], int]:
    verdict = judge(SEEN._replace(**seen), data, KEY, LIMITS, lines=9)
    return verdict.kind, verdict.flags, len(verdict.rows)


BROKEN = ("killed", ("trace_incomplete",))


def test_a_whole_trace_is_believed():
    assert kind_of(trace(*ROWS, END)) == ("ok", (), 2)
    memory = END | {"outcome": "memory", "flags": ["tracer_removed"]}
    assert kind_of(trace(*ROWS, memory)) == ("memory", ("tracer_removed",), 2)


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_trace_that_breaks_off_keeps_what_is_whole(cut):
    data = trace(*ROWS, END)
    kind, flags, rows = kind_of(data[:-cut])
    assert (kind, flags) == BROKEN and rows == 2


def test_the_order_of_frames_counts():
    one, two = (pack(dump(row), KEY + n) for n, row in enumerate(ROWS))
    end = pack(dump(END), KEY + 2)
    for data, rows in ((two + one + end, 0), (one + one + end, 1), (one + end, 1), (two, 0)):
        assert kind_of(data) == (*BROKEN, rows)
    assert kind_of(trace(*ROWS, END, key=KEY + 1)) == (*BROKEN, 0)  # another secret


def test_nothing_comes_after_the_end():
    for more in (END, ROWS[0]):
        assert kind_of(trace(*ROWS, END, more)) == (*BROKEN, 2)
    assert kind_of(trace(*ROWS, END) + b"\0") == (*BROKEN, 2)


@pytest.mark.parametrize(
    "row",
    [
        ["jump", 0, 0, 1, "x", {}, [], None],
        ["line", -1, 0, 1, "x", {}, [], None],
        ["line", 0, 0, 99, "x", {}, [], None],
        ["line", 0, 0, True, "x", {}, [], None],
        ["line", 0, 0, 1, 7, {}, [], None],
        ["line", 0, 0, 1, "x", {"a": ["int", "7", None]}, [], None],
        ["line", 0, 0, 1, "x", {"a": ["int", 7, -1]}, [], None],
        ["line", 0, 0, 1, "x", {"a": ["thing", 7, None]}, [], None],
        ["line", 0, 0, 1, "x", {"a": ["dict", [[1]], None]}, [], None],
        ["line", 0, 0, 1, "x", {"a": ["object", ["A", [[3, ["int", 1, None]]]], None]}, [], None],
        ["line", 0, 0, 1, "x", {}, [], ["ref", 1e300, None]],
        ["line", 0, 0, 1, "x", [], [], None],
        ["line"],
        7,
        None,
    ],
)
def test_an_event_that_no_run_has_ends_the_trace(row):
    assert kind_of(trace(ROWS[0], row, END)) == (*BROKEN, 1)


@pytest.mark.parametrize(
    "end",
    [
        END | {"outcome": "timeout"},
        END | {"flags": ["output_truncated"]},
        END | {"outcome": "rejected"},  # and yet there are events
        END | {"entry": None},
        END | {"error": ["object", 1, None]},
        {"outcome": "ok"},
        {},
    ],
)
def test_an_end_that_no_run_has_is_none(end):
    assert kind_of(trace(*ROWS, end)) == (*BROKEN, 2)


def test_what_the_worker_saw_outranks_what_the_program_says():
    whole = trace(*ROWS, END)
    assert kind_of(whole, reason="wall")[0] == "timeout"
    assert kind_of(whole, reason="cpu", signal=9)[0] == "timeout"
    assert kind_of(whole, reason="folder", signal=9)[0] == "killed"
    assert kind_of(whole, signal=11)[0] == "killed"
    assert kind_of(whole, signal=9, cpu_s=2.5)[0] == "timeout"
    assert kind_of(whole, code=3)[0] == "killed"
    assert kind_of(b"", code=0) == (*BROKEN, 0)
    assert kind_of(whole, output_cut=True)[1] == ("output_truncated",)


def test_a_length_that_is_not_there_is_not_made_room_for():
    with pytest.raises(BrokenFrame):
        unpack(b"\xff\xff\xff\x7f" + bytes(100))


def test_noise_has_no_other_effect_than_to_be_none(request):
    chance = random.Random(0)
    whole = trace(*ROWS, END)
    began = time.monotonic()
    for _ in range(3000):
        data = bytearray(whole if chance.random() < 0.8 else chance.randbytes(chance.randrange(99)))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        rows, end = read(bytes(data), KEY, 9)
        assert (len(rows), end) in ((0, None), (1, None), (2, None)) or data == whole
    for deep in (b"[" * 100_000, b'{"a":' * 100_000, b"9" * 100_000, b"\xff\xfe", b"nul"):
        assert read(pack(deep, KEY), KEY, 9) == ([], None)
    assert time.monotonic() - began < 20


def test_what_a_worker_says_is_looked_at_too():
    assert Seen.of(list(SEEN)) == SEEN
    for wrong in (None, [], [*SEEN, 1], ["no", 0, 0, 0.1, False], [None, "9", 0, 0.1, False]):
        with pytest.raises(ValueError, match="no word on how a child ended"):
            Seen.of(wrong)
