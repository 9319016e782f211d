"""What `tracer` writes, `rssm` reads: the one place where the two rooms meet."""

import json

import numpy as np
import pytest

from rssm.spec import Spec
from tracer.layout import Layout
from tracer.store import Dataset, Writer

SMALL = Layout(steps=4, values=6, statements=3, slots=2, cells=5, tokens=7, references=2)


@pytest.fixture
def folder(tmp_path):
    """A dataset of one empty window."""
    writer = Writer(tmp_path / "dataset", SMALL)
    writer.write_window("train", SMALL.empty())
    writer.finish({"config": {}})
    return tmp_path / "dataset"


def schema_of(folder) -> dict:
    return json.loads((folder / "schema.json").read_text())


def test_every_field_is_read_as_it_was_written(folder):
    spec = Spec.from_schema(schema_of(folder))
    assert list(spec.fields) == [field.name for field in SMALL.fields()]
    for field in SMALL.fields():
        assert spec[field.name]._asdict() == field._asdict()


def test_every_role_is_found(folder):
    spec = Spec.from_schema(schema_of(folder))
    roles = (spec.rows, spec.action, spec.address, spec.reset, spec.mask)
    assert [f.name for f in roles] == ["slots", "statement", "references", "reset", "mask"]
    assert [field.name for field in spec.labels] == ["kind", "depth", "branch"]
    assert spec[spec.rows.table].shape == (6, 5)
    assert spec[spec.action.table].shape == (3, 7)


def test_the_sizes_are_those_of_the_layout(folder):
    spec = Spec.from_schema(schema_of(folder))
    assert spec.slots == SMALL.slots + 2  # one for what is returned, one for the labels
    assert spec.references == SMALL.references
    assert spec.address.size == spec.slots  # a slot, or none


def test_the_arrays_of_a_window_have_the_shapes_and_types_of_the_schema(folder):
    from experiments.data import eval_batches  # grain takes its time

    [batch] = eval_batches(Dataset(folder), "train", 3)
    spec = Spec.from_schema(schema_of(folder))
    assert set(batch) == set(spec.fields)
    for name, array in batch.items():
        assert array.shape == (3, *spec[name].shape)
        assert array.dtype == np.dtype(spec[name].dtype)


def test_a_batch_that_the_data_do_not_fill_is_filled_with_masked_windows(tmp_path):
    from experiments.data import eval_batches

    writer = Writer(tmp_path / "dataset", SMALL)
    for _ in range(3):
        writer.write_window("valid", SMALL.empty() | {"mask": np.ones(4, bool)})
    writer.finish({"config": {}})
    batches = list(eval_batches(Dataset(tmp_path / "dataset"), "valid", 2))
    assert [batch["mask"].any(1).tolist() for batch in batches] == [[True, True], [True, False]]


def test_another_version_is_refused_in_one_line(folder):
    schema = schema_of(folder) | {"version": "windows-v0"}
    with pytest.raises(ValueError) as error:
        Spec.from_schema(schema)
    assert str(error.value) == "schema version 'windows-v0'; this program reads 'windows-v2'"


def test_a_dataset_of_another_version_is_refused_in_one_line(folder):
    from experiments.command import UserError
    from experiments.data import open_dataset

    schema = schema_of(folder) | {"version": "windows-v0"}
    (folder / "schema.json").write_text(json.dumps(schema))
    with pytest.raises(UserError, match="'windows-v0'; this program reads 'windows-v2'$"):
        open_dataset(folder)


def test_an_unknown_field_is_named_with_those_that_there_are(folder):
    with pytest.raises(KeyError, match="unknown field 'stack'; the dataset has: values, state"):
        Spec.from_schema(schema_of(folder))["stack"]


def test_a_dataset_without_a_mask_is_refused(folder):
    schema = schema_of(folder)
    schema["fields"] = [field for field in schema["fields"] if field["role"] != "mask"]
    with pytest.raises(ValueError, match="one field of role 'mask'; this one has 0"):
        Spec.from_schema(schema)
