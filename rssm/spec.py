"""What is in a batch: the fields of a dataset, as its schema.json says."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rssm.types import Array

VERSION = "windows-v2"

Batch = dict[str, Array]  # by field name, each with a batch axis in front


class Field(NamedTuple):
    """One array of a window.

    role: "table" (rows that other fields point to), "observation", "action", "address" (of slots),
    "reset" or "mask". `size` is the number of classes; `table` names what row numbers refer to.
    """

    name: str
    role: str
    dtype: str
    shape: tuple[int, ...]
    size: int
    table: str | None = None


class Spec:
    """The fields of a batch, by role.

    An observation with a table fills one slot per column with rows of cells; observations without
    one, the labels, share a last slot.
    """

    def __init__(self, fields: list[Field], working: range = range(0), telling: Sequence[int] = ()):
        self.working = working  # slots that no observation shows: they are told in training alone
        self.telling = tuple(telling)  # classes of the first label; see rssm.dynamics.base.Sizes
        self.fields = {field.name: field for field in fields}
        self.rows = self._one("observation", with_table=True)
        self.action = self._one("action", with_table=True)
        self.address = self._one("address")
        self.reset = self._one("reset")
        self.mask = self._one("mask")
        self.labels = [f for f in self._all("observation") if not f.table]

    @classmethod
    def from_schema(cls, schema: dict[str, Any]) -> "Spec":
        if schema.get("version") != VERSION:
            found = schema.get("version")
            raise ValueError(f"schema version {found!r}; this program reads {VERSION!r}")
        fields = [Field(**f | {"shape": tuple(f["shape"])}) for f in schema["fields"]]
        sizes = schema["layout"]
        first, kinds = sizes["slots"], ("registers", "counters", "iterators")
        working = range(first, first + sum(sizes.get(kind, 0) for kind in kinds))
        return cls(fields, working, schema.get("telling", ()))

    def __getitem__(self, name: str | None) -> Field:
        if name not in self.fields:
            known = ", ".join(self.fields)
            raise KeyError(f"unknown field {name!r}; the dataset has: {known}")
        return self.fields[name]

    @property
    def slots(self) -> int:
        """V: the slots that hold rows, and one for the labels."""
        return self.rows.shape[1] + 1

    @property
    def cells(self) -> int:
        """L: the cells of a slot."""
        return self[self.rows.table].shape[1]

    @property
    def references(self) -> int:
        """R: the slots that an action can name."""
        return self.address.shape[1]

    def _all(self, role: str) -> Iterator[Field]:
        return (field for field in self.fields.values() if field.role == role)

    def _one(self, role: str, with_table: bool = False) -> Field:
        found = [field for field in self._all(role) if bool(field.table) or not with_table]
        if len(found) != 1:
            raise ValueError(f"a dataset has one field of role {role!r}; this one has {len(found)}")
        return found[0]
