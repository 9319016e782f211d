"""Jobs for several processes: order, cores, ends."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from experiments.claim import Stop
from experiments.command import UserError
from experiments.crew import cores, crew

SLOW = """
import sys, time
from functools import partial
from pathlib import Path
from experiments.claim import exit_on_signals
from experiments.crew import crew
from test_crew import begun

if __name__ == "__main__":
    exit_on_signals()
    with crew(2, Path(sys.argv[1])) as run:
        list(run([partial(begun, Path(sys.argv[1]))] * 3))
"""


def said(number: int, seconds: float) -> int:
    time.sleep(seconds)
    print(f"job {number}")
    return number


def wrong() -> None:
    raise UserError("it is wrong")


def begun(folder: Path) -> None:
    """Until it is told to end; then it says so."""

    def end(*_: object) -> None:
        (folder / f"{os.getpid()}.ended").touch()
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    (folder / f"{os.getpid()}.begun").touch()
    time.sleep(60)


def saved(folder: Path, name: str, seconds: float) -> None:
    """As training does: what it is told once it ends with, in its own time; told twice, at once."""
    with Stop() as stop:
        (folder / f"{name}.begun").touch()
        while not stop():
            time.sleep(0.02)
        time.sleep(seconds)
        (folder / f"{name}.saved").touch()
    sys.exit(128 + signal.SIGTERM)


def failed(folder: Path, *names: str) -> None:
    """When they have begun."""
    assert within(60, lambda: all((folder / f"{name}.begun").exists() for name in names))
    raise UserError(f"of {len(names)}")


def names(folder: Path, ending: str) -> set[str]:
    return {path.stem for path in folder.glob(f"*.{ending}")}


def within(seconds: float, done) -> bool:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
    return done()


def test_results_come_in_the_order_of_the_jobs_and_what_is_printed_in_a_log_each(tmp_path):
    with crew(2, tmp_path) as run:
        assert [*run(partial(said, n, (3 - n) / 10) for n in range(4))] == [0, 1, 2, 3]
    logs = [tmp_path / f"worker-{number}.log" for number in range(2)]
    lines = [line for log in logs for line in log.read_text().splitlines()]
    assert sorted(lines) == [f"job {n}" for n in range(4)]


def test_one_worker_is_this_process_and_does_what_is_asked_for(tmp_path):
    with crew(1, tmp_path) as run:
        found = run([partial(said, 1, 0), os.getpid, wrong])
        assert next(found) == 1 and next(found) == os.getpid()
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(len(cores()) < 2, reason="one core")
def test_no_two_workers_share_a_core(tmp_path):
    with crew(2, tmp_path) as run:
        slow = [partial(said, n, 0.2) for n in range(2)]
        found = {tuple(each) for each in run([partial(settled, job) for job in slow])}
    assert len(found) == 2 and sorted(sum(found, ())) == cores()


def settled(job) -> list[int]:
    job()
    return cores()


def test_a_job_that_fails_ends_the_others_in_their_own_time_with_its_own_error(tmp_path):
    others = {"a": 0.0, "b": 1.0}
    jobs = [partial(saved, tmp_path, name, seconds) for name, seconds in others.items()]
    with pytest.raises(UserError, match="of 2"), crew(3, tmp_path) as run:
        list(run([*jobs, partial(failed, tmp_path, *others), *[partial(said, 1, 60)] * 3]))
    assert names(tmp_path, "saved") == {"a", "b"}


def test_a_worker_that_is_ended_from_outside_is_told(tmp_path):
    end = partial(os.kill, 0, signal.SIGTERM)  # of its process group it is the only one
    with (
        pytest.raises(UserError, match="a worker was ended from outside"),
        crew(2, tmp_path) as run,
    ):
        list(run([end, partial(said, 1, 0.1)]))


def test_too_few_workers_are_told(tmp_path):
    with pytest.raises(UserError, match="workers=0 is not at least 1"), crew(0, tmp_path):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_are_told_to_end_when_their_parent_is(number, tmp_path):
    program = tmp_path / "slow.py"
    program.write_text(SLOW)
    path = os.pathsep.join(map(str, (Path(__file__).parent, Path(__file__).parents[2])))
    process = subprocess.Popen(
        [sys.executable, program, tmp_path], env=os.environ | {"PYTHONPATH": path}
    )
    assert within(60, lambda: len(names(tmp_path, "begun")) == 2)
    process.send_signal(number)
    assert process.wait(30) == (-number if number == signal.SIGKILL else 128 + number)
    assert within(30, lambda: names(tmp_path, "ended") == names(tmp_path, "begun"))
    assert len(names(tmp_path, "begun")) == 2  # what waited was not begun
