"""One checkpoint on disk: written whole, sealed with digests, verified when it is read.

FOLDER/state       arrays by their names in the tree    \\
FOLDER/progress    what else the loop needs to go on     | one Orbax composite
FOLDER/run         config and schema                    /
FOLDER/seal.json   the digest of every leaf and of every file, and its own

Orbax keeps no checksum of what arrays hold, and syncs nothing. A folder comes to its name last, by
a rename, so that what a crash leaves behind has another one.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from experiments.atomic import sync, write_whole
from experiments.command import UserError, first_line

FORMAT = 1
SEAL = "seal.json"
PART = ".writing"  # ends the name of a folder that is not finished

Leaves = dict[str, np.ndarray]


class Damaged(Exception):
    """A checkpoint is not as it was saved; its text names the file, and the leaf."""


def write_snapshot(
    folder: Path, leaves: Leaves, progress: dict, run: dict, score: float | None
) -> None:
    """`leaves` are of this call alone: nobody writes into them meanwhile."""
    part = folder.with_name(folder.name + PART)
    shutil.rmtree(part, ignore_errors=True)
    arguments = ocp.args.Composite(
        # Orbax does not take arrays without entries.
        state=ocp.args.PyTreeSave({name: x for name, x in leaves.items() if x.size}),
        progress=ocp.args.JsonSave(progress),
        run=ocp.args.JsonSave(run),
    )
    with orbax() as checkpointer:
        checkpointer.save(part.resolve(), args=arguments)
    for path in part.rglob("commit_success.txt"):
        path.unlink()  # it tells where on this machine the folder was, and nobody reads it
    seal = {
        "format": FORMAT,
        "score": score,
        "leaves": {name: described(x) | {"sha256": digest(x)} for name, x in leaves.items()},
        "files": {name: file_digest(part / name) for name in files(part)},
    }
    write_whole(part / SEAL, json.dumps(seal | {"sha256": text_digest(seal)}, indent=1) + "\n")
    for path in (*part.rglob("*"), part):
        sync(path)
    part.rename(folder)
    sync(folder.parent)


def read_snapshot(folder: Path, like: Mapping[str, Any]) -> tuple[Leaves, dict, dict]:
    """Leaves, progress and run of a checkpoint that is as it was saved, and fits `like`."""
    seal = read_seal(folder)
    check_fit(seal["leaves"], like, folder)
    check_files(folder, seal)
    try:
        leaves = restore_leaves(folder, seal["leaves"])
        items = ocp.args.Composite(progress=ocp.args.JsonRestore(), run=ocp.args.JsonRestore())
        with orbax() as checkpointer:
            rest = checkpointer.restore(folder.resolve(), args=items)
    except Exception as error:
        raise Damaged(f"it cannot be read: {first_line(error)}") from error
    if bad := differing(leaves, seal["leaves"]):
        raise Damaged(f"not as saved: {some('leaf', 'leaves', bad)}")
    return leaves, rest["progress"], rest["run"]


def read_seal(folder: Path) -> dict:
    path = folder / SEAL
    if not path.is_file():
        raise Damaged(f"{SEAL} is missing; so it was before format {FORMAT}")
    try:
        seal = json.loads(path.read_text())
        whole = seal.pop("sha256") == text_digest(seal)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Damaged(f"{SEAL} cannot be read") from error
    if not whole:
        raise Damaged(f"{SEAL} differs from its own digest")
    if seal["format"] != FORMAT:
        raise UserError(f"{folder} has format {seal['format']}; this version reads {FORMAT}")
    return seal


def check_fit(saved: Mapping[str, dict], like: Mapping[str, Any], folder: Path) -> None:
    """Another model is no damage: the user is told what differs."""
    for name in sorted(saved.keys() | like.keys()):
        if name not in saved or name not in like:
            which = "only in the model" if name in like else "not in the model"
            raise UserError(f"{folder} does not fit: {name} is {which}")
        one, other = (
            {k: d[k] for k in ("dtype", "shape")} for d in (saved[name], described(like[name]))
        )
        if one != other:
            texts = [f"{d['dtype']}{d['shape']}" for d in (one, other)]
            raise UserError(f"{folder} does not fit: {name} is {texts[0]}, in the model {texts[1]}")


def check_files(folder: Path, seal: dict) -> None:
    there = files(folder)
    if missing := sorted(seal["files"].keys() - there):
        raise Damaged(f"{missing[0]} is missing, and with it {damage(folder, seal)}")
    if strange := sorted(there - seal["files"].keys()):
        raise Damaged(f"{strange[0]} does not belong to it")
    for name, expected in seal["files"].items():
        if file_digest(folder / name) != expected:
            raise Damaged(f"{name} differs from its digest, and with it {damage(folder, seal)}")


def damage(folder: Path, seal: dict) -> str:
    """Which leaves do not come back as they were saved."""
    bad = []
    for name, expected in seal["leaves"].items():
        try:
            bad += differing(restore_leaves(folder, {name: expected}), {name: expected})
        except Exception:  # of many kinds: what reads here does not expect damage
            bad.append(name)
    return some("leaf", "leaves", bad) if bad else "no leaf"


def restore_leaves(folder: Path, wanted: Mapping[str, dict]) -> Leaves:
    empty = {n: np.zeros(w["shape"], w["dtype"]) for n, w in wanted.items() if 0 in w["shape"]}
    like = {
        n: jax.ShapeDtypeStruct(w["shape"], w["dtype"]) for n, w in wanted.items() if n not in empty
    }
    if not like:
        return empty
    types = {name: ocp.RestoreArgs(restore_type=np.ndarray) for name in like}
    item = ocp.args.PyTreeRestore(like, restore_args=types, partial_restore=True)
    with orbax() as checkpointer:
        found = checkpointer.restore(folder.resolve(), args=ocp.args.Composite(state=item))
    return empty | {name: np.asarray(found["state"][name]) for name in like}


def orbax() -> ocp.Checkpointer:
    json_items = ocp.JsonCheckpointHandler(), ocp.JsonCheckpointHandler()
    return ocp.Checkpointer(
        ocp.CompositeCheckpointHandler(
            state=ocp.PyTreeCheckpointHandler(), progress=json_items[0], run=json_items[1]
        )
    )


def differing(leaves: Leaves, saved: Mapping[str, dict]) -> list[str]:
    return [n for n, x in leaves.items() if described(x) | {"sha256": digest(x)} != saved[n]]


def described(x: Any) -> dict:
    return {"dtype": str(x.dtype), "shape": list(x.shape)}


def digest(x: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()


def text_digest(content: dict) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return {str(path.relative_to(folder)) for path in found} - {SEAL}


def some(one: str, more: str, names: Iterable[str]) -> str:
    """The first name, and how many others there are."""
    first, *others = names
    return f"{more} {first} and {len(others)} more" if others else f"{one} {first}"
