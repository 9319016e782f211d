"""The list is whole: each of its 62 items has a test here, or says where it has one."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults
SHARDS, EPISODES = "tests/faults/test_datasets.py", "tests/tracer/test_shell.py"
BOX, HOSTILE = "tests/tracer/test_sandbox.py", "tests/tracer/test_hostile.py"

# An item that gets a test with its number in its name needs no line here.
ELSEWHERE = {
    2: ("a zygote that dies is replaced, and its program run once more", BOX),
    3: ("a job that is killed makes the same shards when it goes on", SHARDS),
    4: ("a kill before the rename leaves no shard", SHARDS),
    5: ("a kill before the manifest's line leaves no doubled program", SHARDS),
    6: ("a job that is asked to end commits what it has", SHARDS),
    7: ("a second job on a folder is refused", SHARDS),
    9: ("a zygote that does not answer is replaced", BOX),
    10: ("eight workers and a hostile mix", HOSTILE),
    11: ("a full disk leaves no shard", SHARDS),
    12: ("a folder that cannot be written ends the job before the first program", SHARDS),
    13: ("a short write leaves no shard", SHARDS),
    14: ("every flipped bit of a shard is found", SHARDS),
    15: ("every truncation of a shard is found", SHARDS),
    16: ("two shards that changed names are found", SHARDS),
    17: ("a missing shard is named, and only it is made again", SHARDS),
    18: ("a program that repeats is one record", SHARDS),
    19: ("another list of programs for a folder is refused", SHARDS),
    20: ("another config for a folder is refused", SHARDS),
    21: ("without bubblewrap the tier is B, or refused", BOX),
    22: ("without Landlock the tier falls, and says so", BOX),
    23: ("without user namespaces the tier is B", BOX),
    24: ("the program has no root, no capabilities, and a filter", HOSTILE),
    25: ("an interpreter that cannot be read is found by the self-test", BOX),
    28: ("an orphan does not outlive its program", HOSTILE),
    29: ("forged frames end the program, and no other", HOSTILE),
    31: ("an error inside the trace function is a gap", "tests/tracer/test_monitor.py"),
    33: ("traced and untraced runs print the same", "tests/tracer/test_benign.py --benign=500"),
    34: ("a command that never ends ends its step", EPISODES),
    35: ("an agent that kills its shell ends its episode", EPISODES),
    36: ("what a step leaves running ends with the episode", EPISODES),
    37: ("an edit outside of the folder is rejected", EPISODES),
}


def numbers() -> set[int]:
    """Of `test_14_...`, and of `test_04_05_...` and `test_46_and_48_...`."""
    here = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))
    names = re.findall(r"^def test_((?:\d+_(?:and_)?)+)", here, re.M)
    return {int(number) for name in names for number in re.findall(r"\d+", name)}


def test_every_item_of_the_list_has_a_test_with_its_number_or_one_elsewhere():
    assert numbers() | ELSEWHERE.keys() == set(range(1, 63))
    root = Path(__file__).parents[2]
    assert all((root / where.split()[0]).is_file() for _, where in ELSEWHERE.values())


@pytest.mark.parametrize("number", sorted(ELSEWHERE.keys() - numbers()))
def test_elsewhere(number):
    what, where = ELSEWHERE[number]
    pytest.skip(f"{number}, {what}: belongs to {where}")
