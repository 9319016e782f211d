"""All routes from one command, in small: each trains, imagines, is scored and has its row."""

import csv

import pytest
from tiny import config

from experiments.ablate import ablate
from experiments.compare import Result

LATENT = ["rssm", "slots", "transformer", "diffusion", "jepa", "wam"]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("six")


@pytest.fixture(scope="module")
def results(dataset, out) -> list[Result]:
    smoke = ("experiment=six_routes_smoke", "seeds=[0]", f"dataset={dataset}", f"out={out}")
    return ablate(config("ablate", *smoke, "scaling={params: [], data: []}"))


def test_every_route_is_scored_in_the_modes_that_it_has(results):
    modes = {result.name: result.modes for result in results}
    assert modes == dict.fromkeys(LATENT, ["filter", "open"]) | {"tokens": ["open", "free"]}


def test_every_route_has_its_costs_and_its_row(results, out):
    for result in results:
        assert result.costs["params"] > 0 and result.costs["train_flops"] > 0, result.name
        assert result.costs["imagine_flops"] > 0 and result.costs["imagine_us"] > 0, result.name
    with (out / "table.csv").open() as file:
        rows = {row["route"] for row in csv.DictReader(file)}
    assert rows == {*LATENT, "tokens"}


def test_controls_stand_beside_every_latent_route(results):
    for result in results[: len(LATENT)]:
        for mode in result.modes:
            assert {"copy", "shuffled", "misled"} <= result.figures[0][mode].keys(), result.name


def test_what_a_route_has_of_its_own_is_told(results):
    costs = {result.name: result.costs for result in results}
    assert costs["jepa"]["embedding_rank"] > 0
    assert 0 <= costs["wam"]["next_named"] <= 1 and 0 <= costs["wam"]["inverse_named"] <= 1
    assert 0 <= costs["tokens"]["asked"] <= 1 and 0 <= costs["tokens"]["valid_format"] <= 1
