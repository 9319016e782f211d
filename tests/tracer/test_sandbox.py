import os
import time

import pytest

from tracer.sandbox import Limits, Sandbox
from tracer.sandbox.frames import BrokenFrame, dump, pack, unpack
from tracer.schema import OUTCOMES, Program, dump_trace
from tracer.values import render

LIMITS = Limits(wall_s=2.0, cpu_s=1, memory_mib=200, output_kib=64, trace_mib=4, file_mib=1)
GRACE = 0.5  # seconds that a limit may be passed by


@pytest.fixture(scope="module")
def box():
    with Sandbox(LIMITS) as box:
        yield box


ENDINGS = {
    # name: source, outcome
    "nothing": ("", "ok"),
    "ok": ("x = 1", "ok"),
    "exception": ("1 / 0", "exception"),
    "own exception": ("class Odd(BaseException): pass\nraise Odd(1)", "exception"),
    "interrupt": ("raise KeyboardInterrupt", "exception"),
    "recursion": ("def f(n): return f(n + 1)\nf(0)", "exception"),
    "one allocation": ("x = [0] * (1 << 30)", "memory"),
    "many allocations": ("x = []\nwhile True: x.append(bytes(1 << 20))", "memory"),
    "exit": ("import sys; sys.exit()", "ok"),
    "exit 0": ("import sys; sys.exit(0)", "ok"),
    "exit 3": ("import sys; sys.exit(3)", "exception"),
    "exit with text": ("raise SystemExit('sorry')", "exception"),
    "_exit 0": ("import os; os._exit(0)", "killed"),
    "_exit 3": ("import os; os._exit(3)", "killed"),
    "kill": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed"),
    "kill the group": ("import os, signal; os.killpg(0, signal.SIGTERM)", "killed"),
    "kill the parent": ("import os, signal; os.kill(os.getppid(), signal.SIGKILL)", "exception"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "killed"),
    "abort": ("import os; os.abort()", "killed"),
    "closed pipes": ("import os; os.closerange(3, 99)", "killed"),
    "closed output": ("import os; os.close(1); os.close(2); print('lost')", "ok"),
    "syntax": ("def f(:", "rejected"),
    "bad UTF-8": (b"x = '\xff'", "rejected"),
    "NUL": ("x = 1\0", "rejected"),
    "stdin": ("input()", "exception"),
    "large file": ("open('big', 'wb').write(bytes(4 << 20))", "exception"),
    "daemon": (
        "from threading import Thread\nimport time\n"
        "Thread(target=time.sleep, args=(9,), daemon=True).start()",
        "ok",
    ),
    "thread that a program waits for": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()",
        "timeout",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_program_has_the_outcome_of_its_ending_and_the_next_one_is_fine(box, name):
    source, expected = ENDINGS[name]
    start = time.monotonic()
    outcome = box.run(source if isinstance(source, bytes) else source.encode())
    assert outcome.kind == expected
    assert outcome.kind in OUTCOMES
    assert outcome.trace.outcome == outcome.kind
    assert outcome.trace.flags == outcome.flags
    assert time.monotonic() - start < LIMITS.wall_s + GRACE
    assert box.run(b"x = 1").kind == "ok"


@pytest.mark.parametrize(
    "source",
    [
        "import time; time.sleep(60)",
        "import os, signal; os.kill(0, signal.SIGSTOP)",
        "import signal\nsignal.signal(signal.SIGALRM, print)\nsignal.pause()",
        "import threading\nthreading.Lock().acquire() and threading.Event().wait()",
    ],
)
def test_a_program_that_waits_is_ended_by_its_wall_clock(source):
    limits = Limits(wall_s=0.6, cpu_s=9)
    with Sandbox(limits) as box:
        box.run(b"")  # the worker is warm
        start = time.monotonic()
        outcome = box.run(source.encode())
        assert limits.wall_s <= time.monotonic() - start < limits.wall_s + GRACE
        assert outcome.kind == "timeout"
        assert "trace_incomplete" in outcome.flags
        assert outcome.trace.events, "what happened before is kept"
        assert box.run(b"x = 1").kind == "ok"


@pytest.mark.parametrize(
    "source", ["while True: pass", "while True:\n    try: 1 / 0\n    except: pass"]
)
def test_a_program_that_computes_is_ended_by_its_processor_time(source):
    with Sandbox(Limits(wall_s=30, cpu_s=1)) as box:
        outcome = box.run(source.encode())
        assert outcome.kind == "timeout"
        assert "trace_incomplete" in outcome.flags
        assert box.run(b"x = 1").kind == "ok"


def test_output_is_kept_up_to_its_limit_and_the_rest_is_dropped(box):
    outcome = box.run(b"for n in range(3000): print('x' * 1000)")
    assert (outcome.kind, outcome.flags) == ("ok", ("output_truncated",))
    assert len(outcome.stdout) == LIMITS.output_kib << 10
    assert len(outcome.trace.events) > 3000


def test_all_output_below_the_limit_is_kept(box):
    for size in (0, 1, 1000, (64 << 10) - 1):
        assert box.run(f"print('x' * {size})".encode()).stdout == "x" * size + "\n"


def test_output_that_is_no_text_is_shown_escaped(box):
    outcome = box.run(b"import os\nos.write(1, b'a\\xff')")
    assert (outcome.kind, outcome.stdout) == ("ok", "a\\xff")


def test_a_program_that_puts_something_in_place_of_its_output_keeps_what_it_printed(box):
    outcome = box.run(b"import io, sys\nprint('seen')\nsys.stdout = io.StringIO()\nprint('kept')")
    assert (outcome.kind, outcome.stdout) == ("ok", "seen\n")


def test_a_trace_stops_at_its_limits_and_says_so():
    source = b"text = 'a' * 1000\nxs = [text + str(n) for n in range(200)]\n"
    source += b"for n in range(100): xs[0] = str(n) * 300\nprint('done')"
    for limits in (Limits(events=20), Limits(trace_mib=1)):
        with Sandbox(limits) as box:
            outcome = box.run(source)
        assert (outcome.kind, outcome.flags) == ("ok", ("trace_truncated",))
        assert outcome.stdout == "done\n"
        assert 0 < len(outcome.trace.events) <= 20


@pytest.mark.parametrize("source", ["os.fork()", "os.system('ls')", "os.popen('ls')"])
def test_a_program_starts_no_other_process(box, source):
    outcome = box.run(f"import os\nif {source} == 0:\n    print('it did')".encode())
    assert outcome.kind in ("ok", "exception") and not outcome.stdout


def test_one_worker_survives_fifty_programs():
    bad = ["1 / 0", "import os; os._exit(1)", "import os; os.abort()", "x = [0] * (1 << 40)"]
    with Sandbox(LIMITS) as box:
        box.run(b"")
        worker = box.worker
        for number in range(50):
            outcome = box.run(bad[number % 5].encode() if number % 5 < 4 else b"print(1)")
            assert outcome.kind == ["exception", "killed", "killed", "memory", "ok"][number % 5]
        assert box.worker is worker


def test_a_supervisor_grows_neither_in_memory_nor_in_descriptors(request):
    """`--small-programs 10000` runs so many."""
    count = request.config.getoption("--small-programs")
    sizes = []
    with Sandbox(LIMITS) as box:
        for number in range(count):
            assert box.run(b"x = [n for n in range(3)]\ny = sum(x)").kind == "ok"
            if number in (count // 3, count - 1):
                sizes.append((len(os.listdir("/proc/self/fd")), resident()))
                assert box.worker is not None
                descriptors = f"/proc/{box.worker.process.pid}/fd"
                if os.access(descriptors, os.R_OK):  # not of a worker that nobody may look into
                    assert len(os.listdir(descriptors)) < 20
    (files, memory), (files_at_end, memory_at_end) = sizes
    print(
        f"{count} programs: {files_at_end - files} descriptors and "
        f"{memory_at_end - memory} KiB more after the first third"
    )
    assert files_at_end == files
    assert memory_at_end - memory < 8192


def resident() -> int:
    """KiB that this process holds."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def test_a_sandbox_ends_its_worker_and_leaves_no_folder_behind():
    with Sandbox(LIMITS, tier="B") as box:
        folder = box.run(b"import os\nopen('left', 'w').close()\nprint(os.getcwd())").stdout.strip()
        worker = box.worker
        assert worker is not None and worker.is_alive
        assert os.path.dirname(folder) == worker.folder and os.listdir(worker.folder) == []
    assert not worker.is_alive
    assert box.worker is None
    assert not os.path.exists(worker.folder)
    assert box.run(b"x = 1").kind == "ok"  # it starts again when it is asked to
    box.close()
    box.close()


VARIED = """
import random
def f(seed):
    names = {chr(97 + n) for n in range(9)}
    order = [name for name in names]
    kept = {object: hash("text"), "set": {1, "a", None, (2,)}}
    picked = random.Random(seed).choice(order)
    made = type("Made", (), {})()
    made.it, made.me = iter(names), made
    return picked, made
"""


def test_the_same_program_has_the_same_trace_to_the_byte_in_any_sandbox():
    traces = []
    for _ in range(2):
        with Sandbox(LIMITS) as box:
            for _ in range(2):
                outcome = box.run(VARIED.encode(), "f(3)")
                assert outcome.kind == "ok"
                traces.append(dump_trace(outcome.trace))
                box.run(b"import random; random.seed(5); names = set('xyz')")
    assert len(set(traces)) == 1


def test_a_call_is_traced_and_the_module_around_it_is_not(box):
    outcome = box.run(b"x = 1\ndef f(n):\n    return n + x\n", "f(3)")
    assert [event.lineno for event in outcome.trace.events] == [2, 3, 3]
    assert (outcome.trace.entry, outcome.trace.input) == ("f", "f(3)")
    assert render(outcome.trace.events[-1].arg) == "4"


def test_a_program_has_a_module_that_others_can_find(box):
    source = "import dataclasses, pickle, sys\n@dataclasses.dataclass\nclass A:\n    x: 'int' = 1\n"
    source += "a = pickle.loads(pickle.dumps(A()))\nname = __name__"
    outcome = box.run(source.encode(), name="some_name")
    assert outcome.kind == "ok"
    assert render(outcome.trace.events[-1].locals["name"]) == "'some_name'"


def test_text_of_any_kind_passes_through(box):
    text = "'\\ud83d\\ude00\\0é'"
    outcome = box.run_program(Program("def f(x):\n    return x  # \u2028é", f"f({text})"))
    assert outcome.trace.events[-1].arg.data == "\ud83d\ude00\0é"
    assert outcome.trace.events[-1].statement == "return x  # \u2028é"


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 12])
def test_a_damaged_message_is_recognised(cut):
    body = dump({"events": [1, 2, "é\ud800"]})
    message = pack(body, 7)
    assert unpack(message, 0, 7) == (body, len(message))
    with pytest.raises(BrokenFrame):
        unpack(message, 0, 8)
    with pytest.raises(BrokenFrame):
        unpack(message[:cut], 0, 7)
    with pytest.raises(BrokenFrame):
        unpack(message[:-1] + b"?", 0, 7)
