"""One command for everything, in a fixed time: what is there goes on, what fails is told."""

import json
from pathlib import Path

import pytest
from tiny import MODEL, config

from experiments.budget import budget
from experiments.command import UserError
from experiments.pretrained import read_pretrained

SHORT = (*MODEL, "steps=4", "save_every=4", "log_every=2", "valid_batches=1")


def asked(out: Path, dataset: Path, *more: str):
    cfg = config("budget", f"out={out}", f"dataset={dataset}", "name=tiny", "minutes=10", *more)
    cfg.train = list(SHORT)
    cfg.suites = {"heldout": ["limit=1", "modes=[filter]"], "cruxeval": ["suite.path=nowhere"]}
    return cfg


@pytest.fixture(scope="module")
def made(dataset, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("budget") / "out"
    budget(asked(out, dataset))
    return out


def test_it_leaves_weights_with_the_scores_of_what_could_be_scored(made):
    card, weights = read_pretrained("tiny", made / "weights")
    assert card["step"] == 4 and list(card["scores"]) == ["heldout"]
    assert card["scores"]["heldout"]["filter"]["calls"] > 0
    assert sum(x.size for x in weights.values()) == card["params"]


def test_a_suite_that_cannot_be_scored_is_told_with_the_reason(made):
    assert "nowhere" in (made / "run" / "eval-cruxeval.log").read_text()


def test_the_same_command_again_trains_no_further(made, dataset):
    before = (made / "run" / "metrics.jsonl").read_text()
    cfg = asked(made, dataset)
    cfg.suites = {}
    budget(cfg)
    assert (made / "run" / "metrics.jsonl").read_text() == before
    assert list(read_pretrained("tiny", made / "weights")[0]["scores"]) == ["heldout"]
    assert json.loads((made / "run" / "status.json").read_text())["step"] == 4


def test_weights_are_kept_where_no_suite_came_to_its_end(made, dataset):
    for path in (made / "run" / "eval").glob("*.json"):
        path.unlink()
    cfg = asked(made, dataset)
    cfg.suites = {"cruxeval": ["suite.path=nowhere"]}
    budget(cfg)
    card, weights = read_pretrained("tiny", made / "weights")
    assert card["scores"] == {} and weights


def test_overrides_that_are_no_list_are_told_before_anything_is_done(dataset, tmp_path):
    cfg = asked(tmp_path / "out", dataset)
    cfg.suites.cruxeval = "[suite.path=FILE]"
    with pytest.raises(UserError, match=r"suites.cruxeval=\[suite.path=FILE\] is no list of texts"):
        budget(cfg)
    assert not (tmp_path / "out").exists()


def test_where_scoring_takes_it_all_nothing_is_trained(dataset, tmp_path):
    with pytest.raises(UserError, match="nothing is left to train in"):
        budget(asked(tmp_path / "out", dataset, "minutes=1"))
    assert not (tmp_path / "out" / "run").exists()
