"""The bench: every group gives figures of one form. How fast anything is, is not tested."""

import json

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from experiments.bench import bench, show
from experiments.command import CONFIGS, UserError
from experiments.measure import Case, case


def settings(*overrides: str) -> DictConfig:
    with initialize_config_dir(CONFIGS, version_base=None):
        return compose("bench", ["size=debug", "runs=2", *overrides])


def check_form(figures: dict, group: str, expected: set[str]) -> None:
    assert json.loads(json.dumps(figures)) == figures
    assert set(figures) == {group, "machine"}
    assert expected <= set(figures[group])
    for at in figures[group].values():
        assert set(at) == {"median", "low", "high", "unit", "runs"}
        assert 0 < at["low"] <= at["median"] <= at["high"]
        assert at["runs"] in (1, 2) and at["unit"]
    assert {"python", "jax", "backend", "cpus", "load_before"} <= set(figures["machine"])


def test_the_tracer_is_set_beside_no_tracing_and_the_sandbox():
    figures = bench(settings("group=tracer", "events=40"))
    cases = {"no tracing", "empty settrace function", "tracer, typed values and effects"}
    check_form(figures, "tracer", cases | {"sandbox, the same program"})
    assert figures["machine"]["traced"]["events"] >= 40


def test_the_sandbox_is_measured_in_every_tier_that_is_here():
    figures = bench(settings("group=sandbox"))
    check_form(figures, "sandbox", {"tier D, a small program", "tier D, a fresh worker"})
    for tier in "AB":
        is_here = not figures["machine"][f"tier {tier}"].startswith("no sandbox")
        assert (f"tier {tier}, a small program" in figures["sandbox"]) == is_here


def test_the_pipeline_is_measured_from_events_to_batches(capsys):
    figures = bench(settings("group=pipeline", "programs=6", "batch_size=2"))
    check_form(figures, "pipeline", {"encode", "pack", "read shuffled batches"})
    show(figures)
    assert "read shuffled batches" in capsys.readouterr().out


@pytest.mark.parametrize(
    "group, case", [("train", "slots, gradient step"), ("imagine", "slots, batch 2, decoded")]
)
def test_models_are_measured_with_their_sizes_beside(group, case):
    tiny = ("models=[slots]", "batch_size=1", "imagined=[2]", "steps=4")
    figures = bench(settings(f"group={group}", *tiny))
    check_form(figures, group, {case})
    assert figures["machine"]["params"]["slots"] > 0
    assert figures["machine"]["size"]["width"] == 32


def test_a_figure_is_a_median_between_the_least_and_the_greatest():
    assert case([3.0, 1.0, 8.0], "ms") == Case(3.0, 1.0, 8.0, "ms", 3)


@pytest.mark.parametrize("wrong", ["group=trace", "runs=0", "models=[rsm]"])
def test_an_impossible_setting_is_named(wrong):
    with pytest.raises(UserError, match=wrong.partition("=")[2].strip("[]")):
        bench(settings("group=train", wrong))
