"""The folder in which a dataset is made: one process at a time, one config."""

import json

import pytest

from tracer.part import Part, difference
from tracer.shards import commit

SETTINGS = {"config": {"limits": {"events": 200}, "seed": 0}}


def test_a_finished_part_has_the_name_and_nothing_of_the_making(tmp_path):
    part = Part(tmp_path / "data", SETTINGS)
    (part.path / "manifest.json").write_text("{}")
    part.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["manifest.json"]


def test_of_two_that_hold_it_the_second_is_refused_until_the_first_lets_go(tmp_path):
    part = Part(tmp_path / "data", SETTINGS)
    with pytest.raises(OSError, match=f"^{tmp_path}/data is being made by another process$"):
        Part(tmp_path / "data", SETTINGS)
    part.close()
    Part(tmp_path / "data", SETTINGS).remove()
    assert list(tmp_path.iterdir()) == []


def test_another_config_is_refused_with_what_differs(tmp_path):
    Part(tmp_path / "data", SETTINGS).close()
    other = {"config": {"limits": {"events": 300}, "seed": 0}}
    with pytest.raises(FileExistsError, match=r"config \(config.limits.events: 200, now 300\)"):
        Part(tmp_path / "data", other)
    Part(tmp_path / "data", SETTINGS).close()


def test_shards_of_which_nobody_knows_the_config_are_not_used(tmp_path):
    part = Part(tmp_path / "data", SETTINGS)
    commit(part.path, "train-traces-00000.array_record", [b"x"], ["id"], {})
    (part.path / "settings.json").unlink()
    part.close()
    with pytest.raises(OSError, match="has no settings.json; remove the folder to begin anew"):
        Part(tmp_path / "data", SETTINGS)


def test_a_dataset_is_taken_back_to_be_mended_and_only_then(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.json").write_text("{}")
    with pytest.raises(FileExistsError, match="already exists; choose another folder or remove it"):
        Part(tmp_path / "data", SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    part = Part(tmp_path / "data", SETTINGS, mend=True)
    assert [path.name for path in tmp_path.iterdir()] == ["data.part"]
    assert json.loads((part.path / "settings.json").read_text()) == SETTINGS
    assert not (part.path / "manifest.json").exists()
    part.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_dataset_is_not_mended_beside_a_half_made_one(tmp_path):
    part = Part(tmp_path / "data", SETTINGS)
    part.close()
    (tmp_path / "data").mkdir()
    with pytest.raises(FileExistsError, match="there are both .*data and .*data.part; remove one"):
        Part(tmp_path / "data", SETTINGS, mend=True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "b: 2, now 3"),
        ({"a": {"b": [1]}}, {"a": {}}, "a.b: [1], now None"),
        ({"a": {"b": 1}}, {"a": 2}, "a: {'b': 1}, now 2"),
    ],
)
def test_the_first_difference_of_two_configs_is_named(old, new, said):
    assert difference(old, new) == said
