"""Commands that train begin anew in large pages: once, they alone, and where nobody has a say."""

import os
import subprocess
import sys

import pytest

from experiments.pages import SETTINGS, VARIABLE, wanted

TRAIN = ["python", "-m", "experiments.train", "run_dir=x"]


def test_what_trains_wants_them():
    assert wanted(TRAIN, {}, "glibc")


@pytest.mark.parametrize(
    ("argv", "environment", "libc"),
    [
        (TRAIN, {VARIABLE: ""}, "glibc"),  # someone's choice, or ours already
        (TRAIN, {}, ""),  # another C library, or another system
        (["python", "-m", "experiments.trace"], {}, "glibc"),  # it bounds what programs may take
        (["python", "-m", "pytest", "-m", "experiments.train"], {}, "glibc"),
        (["python", "-m", "tracer.train"], {}, "glibc"),
        (["python", "-m"], {}, "glibc"),
        (["python", "train.py"], {}, "glibc"),
        (["python"], {}, "glibc"),
    ],
)
def test_others_do_not(argv, environment, libc):
    assert not wanted(argv, environment, libc)


def test_a_command_keeps_its_arguments_and_ends_as_it_would_have():
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    ended = [
        subprocess.run(
            [sys.executable, "-m", "experiments.train", "run_dir=x", "dataset=no such folder"],
            env=environment | more,
            capture_output=True,
            text=True,
        )
        for more in ({}, {VARIABLE: SETTINGS})
    ]
    assert [each.returncode for each in ended] == [1, 1]
    assert "no such folder" in ended[0].stderr and ended[0].stderr == ended[1].stderr
