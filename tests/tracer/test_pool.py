import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tracer.pool import LAUNCHERS, in_order, launcher

ROOT = Path(__file__).parents[2]


def square(n: int) -> int:
    time.sleep(0.02 * (n % 3))
    return n * n


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes):
    with launcher("local", processes) as launch:
        assert list(launch(square, range(12))) == [n * n for n in range(12)]
        assert list(launch(square, [])) == []


def test_no_more_is_read_ahead_than_asked_for():
    taken = []
    found = in_order(lambda n: n, lambda n: n, (taken.append(n) or n for n in range(100)), 5)
    assert next(found) == 0
    assert taken == [0, 1, 2, 3, 4]
    assert list(found) == list(range(1, 100))


def test_an_error_of_the_work_is_that_of_the_caller():
    with launcher("local", 2) as launch, pytest.raises(ZeroDivisionError):
        list(launch((1).__truediv__, [1, 0]))


def test_an_unknown_launcher_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match="unknown launcher 'slurm'; there are: local, ray"):
        with launcher("slurm", 1):
            pass
    assert LAUNCHERS == ("local", "ray")


def test_workers_end_with_the_process_that_started_them(tmp_path):
    """Killed without a word: nobody is left to tell them."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os, time\nfrom tracer.pool import launcher\n"
        "def pid(_):\n    time.sleep(0.2)\n    return os.getpid()\n"
        "if __name__ == '__main__':\n    with launcher('local', 2) as launch:\n"
        "        for each in launch(pid, range(1000)):\n            print(each, flush=True)\n"
    )
    command = [sys.executable, str(program)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert run.stdout
    workers = {int(run.stdout.readline()) for _ in range(6)}
    run.kill()
    run.communicate()
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_running(pid) for pid in workers)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
