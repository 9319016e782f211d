"""The list is whole: each of its 62 items has a test, or says where it has one."""

import re
from pathlib import Path

import pytest
from test_tracing import ELSEWHERE

pytestmark = pytest.mark.faults
ITEMS = range(1, 63)


def test_every_item_of_the_list_has_a_test_with_its_number():
    here = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    names = re.findall(r"^def test_((?:\d+_(?:and_)?)+)", here, re.M)
    numbers = {int(number) for name in names for number in re.findall(r"\d+", name)}
    assert numbers | ELSEWHERE.keys() >= set(ITEMS)
    assert not numbers & ELSEWHERE.keys()
