"""All routes from one command, in small: each trains, imagines, is scored and has its row."""

import csv
import json
import math

import pytest
from tiny import config

from experiments.ablate import ablate, scaling, variants
from experiments.command import UserError
from experiments.compare import Result
from experiments.foreseen import exceptions
from experiments.latent_routes import latent_routes
from experiments.score import HEADLINES
from experiments.suites import asked_suites
from experiments.text_routes import text_routes
from experiments.text_runs import Texts

LATENT = ["rssm", "slots", "transformer", "diffusion", "jepa", "wam"]
RATE = 3e-3  # the only one of the smoke form


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("six")


@pytest.fixture(scope="module")
def cfg(dataset, out):
    places = ("workers=2", f"dataset={dataset}", f"out={out}")
    smoke = ("experiment=six_routes_smoke", "seeds=[0]", "scaling={params: [], data: []}")
    return config("ablate", *smoke, *places)


@pytest.fixture(scope="module")
def results(cfg) -> list[Result]:
    return ablate(cfg)


@pytest.fixture(scope="module")
def sizes(results, out) -> dict:
    return json.loads((out / "sizes.json").read_text())


def test_every_route_is_scored_in_the_modes_that_it_has(results):
    modes = {result.name: result.modes for result in results}
    assert modes == dict.fromkeys(LATENT, ["filter", "open"]) | {"tokens": ["open", "free"]}


def test_every_route_has_its_costs_and_its_row(results, sizes, out):
    for result in results:
        assert result.costs["params"] > 0 and result.costs["train_flops"] > 0, result.name
        assert result.costs["imagine_flops"] > 0 and result.costs["imagine_us"] > 0, result.name
    for result in results[: len(LATENT)]:
        assert result.costs["params"] == sizes[result.name]["size"]["params"]
    with (out / "table.csv").open() as file:
        rows = {row["route"] for row in csv.DictReader(file)}
    assert rows == {*LATENT, "tokens"}


def test_controls_stand_beside_every_latent_route(results):
    for result in results[: len(LATENT)]:
        for mode in result.modes:
            assert {"copy", "shuffled", "misled"} <= result.figures[0][mode].keys(), result.name


def test_what_is_written_has_the_figures_of_the_others_and_those_of_traces(results):
    figures = results[-1].figures[0]
    for mode in results[-1].modes:
        assert set(HEADLINES) <= figures[mode].keys()
        assert figures[mode]["cwm"].keys() == {"as_written", "resolved"}
    assert results[-1].costs["symbols_per_state"] > 0


def test_what_a_route_has_of_its_own_is_told(results):
    costs = {result.name: result.costs for result in results}
    assert costs["jepa"]["embedding_rank"] > 0
    assert 0 <= costs["wam"]["next_named"] <= 1 and 0 <= costs["wam"]["inverse_named"] <= 1
    assert 0 <= costs["tokens"]["asked"] <= 1 and 0 <= costs["tokens"]["valid_format"] <= 1


def test_what_the_text_route_foresees_is_read_off_what_it_writes(results, out, traces):
    texts = Texts(out / "runs" / "tokens-0")
    calls = texts.foreseen(traces[:3], 8)
    assert [call.trace for call in calls] == traces[:3]
    assert exceptions(calls)["n"] == 3 and all(len(call.runs) == 1 for call in calls)


def test_a_curve_has_a_point_for_each_share_of_the_data(cfg, results, out):
    cfg = cfg.copy()
    cfg.scaling = {"params": [], "data": [0.5], "text": True}
    suites = asked_suites(cfg)
    routes = [*latent_routes(cfg, out, suites), *text_routes(cfg, out, suites)]
    for route, result in zip(routes, results, strict=True):
        if route.name not in ("transformer", "tokens"):
            continue
        asked = variants(cfg, route)
        [curve] = scaling(cfg, result, asked, (route.again(RATE, each) for each in asked))
        (all_of_it, whole), (half_of_it, half) = curve.points
        assert half_of_it == all_of_it / 2
        assert not math.isnan(whole.value) and not math.isnan(half.value)


def test_the_same_command_goes_on_where_it_was(cfg, results, capsys):
    again = ablate(cfg)
    assert [each.figures for each in again] == [each.figures for each in results]
    assert "step 2" not in capsys.readouterr().out  # nothing was trained again
    fewer = cfg.copy()
    fewer.routes = {"rssm": cfg.routes.rssm}
    assert [each.name for each in ablate(fewer)] == ["rssm", "tokens"]  # and none is forgotten
    fewer.routes.rssm.overrides = [*cfg.routes.rssm.overrides, "seed=3"]
    with pytest.raises(UserError, match="was begun with routes.rssm="):
        ablate(fewer)
    other = cfg.copy()
    other.steps = 5
    with pytest.raises(UserError, match="was begun with steps=4, now it is 5"):
        ablate(other)
