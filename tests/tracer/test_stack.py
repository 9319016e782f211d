"""A traced program comes to the same end of its stack as an untraced one."""

import io
import subprocess
import sys
from contextlib import redirect_stdout

import pytest

from tracer.schema import Program
from tracer.trace import Settings, traced

DEEP = "n = 0\ndef deep(k):\n    global n\n    n = k\n    return deep(k + 1)\n"
CAUGHT = "try:\n    deep(1)\nexcept RecursionError as error:\n    print(n, error)\n"
PROGRAMS = {
    "a function": DEEP + CAUGHT,
    "twice": DEEP + CAUGHT + CAUGHT,
    "the traceback": (
        f"{DEEP}{CAUGHT}    count, place = 0, error.__traceback__\n"
        "    while place:\n        count, last, place = count + 1, place, place.tb_next\n"
        "    print(count, last.tb_frame.f_code.co_name)\n"
    ),
    "a limit of its own": (
        f"import sys\nprint(sys.getrecursionlimit())\nsys.setrecursionlimit(150)\n{DEEP}{CAUGHT}"
        "print(sys.getrecursionlimit())\ndef down(k): return k and 1 + down(k - 1)\n"
        "print(down(140))\nsys.setrecursionlimit(3000)\nprint(down(2900))\n"
    ),
    "a limit that is none": (
        "import sys\nfor limit in (1, 0, -1, 1 << 40, 'x', 1.5):\n"
        "    try:\n        sys.setrecursionlimit(limit)\n"
        "    except Exception as error:\n        print(type(error).__name__, error)\n"
    ),
    "generators": (
        "n = 0\ndef deep(k):\n    global n\n    n = k\n    yield from deep(k + 1)\n"
        + CAUGHT.replace("deep(1)", "list(deep(1))")
    ),
    "a thread": (
        f"import threading\n{DEEP}def go():\n    try:\n        deep(1)\n"
        "    except RecursionError as error:\n        print(n, error)\n"
        "thread = threading.Thread(target=go)\nthread.start()\nthread.join()\ngo()\n"
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_stack_ends_where_and_as_it_does_without_a_tracer(tmp_path, name):
    path = tmp_path / "program.py"
    path.write_text(PROGRAMS[name])
    command = [sys.executable, str(path)]
    untraced = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    said, before = io.StringIO(), (sys.getrecursionlimit, sys.setrecursionlimit)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)  # pytest's may be another
    try:
        with redirect_stdout(said):
            run, events = traced(Program(PROGRAMS[name]), Settings(100_000))
        assert said.getvalue() == untraced != ""
        assert (run.outcome, run.flags) == ("ok", ())
        assert (events[-1].kind, events[-1].depth) == ("return", 0)
        assert (sys.getrecursionlimit, sys.setrecursionlimit) == before
        assert sys.getrecursionlimit() == 1000
        assert sys.gettrace() is None
    finally:
        sys.setrecursionlimit(limit)


def test_a_call_has_as_much_of_the_stack_as_a_module():
    run, events = traced(Program(DEEP, "deep(1)"), Settings(100_000))
    assert run.flags == ()
    assert max(event.depth for event in events) == sys.getrecursionlimit() - 2
    assert [event.kind for event in events[-2:]] == ["exception", "unwind"]
    assert run.error is not None
    assert run.error.data[1][0].data == "maximum recursion depth exceeded"
