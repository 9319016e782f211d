"""The comparison of routes: sizes, operations, intervals, and what is written."""

import csv
import json
import math
import signal
import sys
import xml.etree.ElementTree as ET
from collections import Counter

import jax
import jax.numpy as jnp
import pytest
from tiny import config

from experiments import compare, latent_routes
from experiments.ablate import ablate
from experiments.command import UserError
from experiments.compare import Interval, Result, horizon, interval, line_of
from experiments.curves import Curve, curve_charts
from experiments.data import open_dataset
from experiments.evaluate import spread
from experiments.plots import charts
from experiments.score import HEADLINES
from experiments.sheets import write_sheets
from experiments.sizing import Route, Size, flops, matched, parameters
from experiments.suites import asked_suites
from rssm.spec import Spec
from tracer.layout import Layout

ROUTE = Route("transformer", ("dynamics=transformer", "size=debug"))


@pytest.fixture(scope="module")
def spec() -> Spec:
    return Spec.from_schema(Layout().schema())


def test_a_loop_counts_as_often_as_it_runs():
    w = jnp.ones((16, 16))

    def looped(x):
        def outer(x, _):
            return jax.lax.scan(lambda x, _: (x @ w, None), x, None, length=3)[0], None

        return jax.lax.scan(outer, x, None, length=5)[0]

    once = flops(lambda x: x @ w, jnp.ones((8, 16)))
    assert once == 2 * 8 * 16 * 16
    assert flops(looped, jnp.ones((8, 16))) == pytest.approx(15 * once, rel=0.01)


def test_what_nobody_asks_for_does_not_count():
    w = jnp.ones((16, 16))
    once = flops(lambda x: x @ w, jnp.ones((8, 16)))

    def wasteful(x):
        unused, used = jax.lax.map(lambda x: (x @ w @ w, x @ w), x[None].repeat(3, 0))
        return used

    assert flops(wasteful, jnp.ones((8, 16))) == pytest.approx(3 * once, rel=0.01)


def test_a_width_is_found_at_which_parameters_are_as_many_as_wanted(spec):
    wanted = 1.01 * parameters(ROUTE.at(128), spec)
    found = matched(ROUTE, wanted, "params", 0.02, spec)
    assert found.overrides[-1] == "size.latent=128"


@pytest.mark.parametrize("given", ["laprop", "{overrides: '[optim=laprop]'}"])
def test_a_route_without_overrides_is_told(dataset, tmp_path, given):
    cfg = config("ablate", f"dataset={dataset}", f"out={tmp_path}", f"+routes.mine={given}")
    with pytest.raises(UserError, match="routes.mine=.*laprop.* is not of the form {overrides: "):
        ablate(cfg)


def test_parameters_that_no_width_has_are_told(spec):
    with pytest.raises(UserError, match="transformer: params at size.latent=8 are .*, not within"):
        matched(ROUTE, 1000, "params", 0.02, spec)


def call(program: str, right: float | None, mode: str = "open") -> dict:
    figures = dict.fromkeys(HEADLINES, right)
    true, predicted = [{}, {"a": "1"}], [{}, {"a": "1" if right == 1 else "2"}]
    shares = {"int": {"n": 1, "accuracy": right or 0.0}}
    states = dict(true=true, predicted=predicted, by_type=shares, by_statement=shares)
    return dict(program=program, origin="files/f", mode=mode, figures=figures, **states)


def seed(accuracy: float, mode: str = "open") -> dict:
    shares = {"int": {"n": 2, "accuracy": accuracy}}
    by = {"1": {"n": 2, "state_exact_match": 0.0, "key_value_match": 0.5}}
    copy = dict.fromkeys(HEADLINES, 0.25) | {"by_horizon": by}
    own = {"copy": copy, "by_type": shares, "by_statement": shares, "first_divergence": None}
    return {mode: own}


@pytest.fixture
def result() -> Result:
    calls = [
        [call("p", 1.0), call("p", 0.0), call("q", 1.0), call("q", None)],
        [call("p", 1.0), call("p", 1.0), call("q", 1.0), call("q", 1.0)],
    ]
    return Result("rssm", {"params": 10.0, "imagine_us": 2.0}, [seed(0.5), seed(1.0)], calls)


def test_a_figure_is_a_mean_of_seeds_of_means_of_calls(result):
    found = interval(result, "open", lambda call: call["figures"]["effect_accuracy"])
    assert found.value == pytest.approx((2 / 3 + 1) / 2)
    # The least that can be drawn: the first seed, and of it the first program alone.
    assert 1 / 2 <= found.low < found.value < found.high <= 1


def test_seeds_that_are_all_alike_make_no_interval_narrower(result):
    one = result._replace(calls=result.calls[:1])
    three = result._replace(calls=result.calls[:1] * 3)
    found = [
        interval(each, "open", lambda call: call["figures"]["effect_accuracy"])
        for each in (one, three)
    ]
    assert (found[0].low, found[0].high) == (found[1].low, found[1].high) == (0.5, 1.0)


def test_a_last_state_that_is_given_does_not_count(result):
    given = call("r", 1.0) | {"true": [{}], "predicted": [{}]}
    assert compare.finals(result._replace(calls=[[given]]), "open")["files"].value != 1.0


def test_a_control_that_was_not_run_is_no_number(result):
    line = line_of(result, "open", "effect_accuracy")
    assert line.copy == 0.25 and line.misled != line.misled


def test_a_horizon_counts_the_calls_that_are_so_long(result):
    assert horizon(result, "open", 1).value == pytest.approx((2 / 4 + 1) / 2)
    assert horizon(result, "open", 2).value != horizon(result, "open", 2).value


def test_accuracy_by_type_is_of_values_and_not_of_calls(result):
    found = compare.shares(result, "open", "by_type")["int"]
    assert found.value == pytest.approx((2 / 4 + 1) / 2)
    assert found.low < found.value < found.high


def test_a_call_is_unbroken_up_to_its_first_mistake(result):
    frames = [{}, {"a": "1"}, {"a": "2"}]
    wrong = call("p", 1.0) | {"true": frames, "predicted": [{}, {"a": "1"}, {"a": "3"}]}
    found = result._replace(calls=[[wrong]])
    assert [compare.unbroken(found, "open", steps).value for steps in (1, 2)] == [1, 0]
    assert [compare.long_enough(found, "open", steps) for steps in (1, 2, 3)] == [1, 1, 0]


def test_effects_are_told_by_corpus_and_by_family(result):
    origins = ["synthetic/lists/1", "synthetic/text/2", "stdlib/textwrap.dedent", "stdlib/b"]
    calls = [[c | {"origin": o} for c, o in zip(s, origins, strict=True)] for s in result.calls]
    found = compare.families(result._replace(calls=calls), "open")
    assert {name: at.value for name, at in found.items()} == {
        "stdlib": 1.0,  # a call without an effect does not count
        "synthetic/lists": 1.0,
        "synthetic/text": 0.5,
    }


def test_last_states_are_told_by_length_in_the_order_of_lengths(result):
    origins = ["swaps/128/1", "swaps/16/2", "swaps/128/3", "swaps/16/4"]
    calls = [[c | {"origin": o} for c, o in zip(s, origins, strict=True)] for s in result.calls]
    found = compare.finals(result._replace(calls=calls), "open")
    assert list(found) == ["swaps/16", "swaps/128"]
    assert found["swaps/128"].value == 1.0 and found["swaps/16"].value == pytest.approx(0.5)


def test_traces_are_taken_from_all_of_a_suite():
    assert spread(iter(range(10)), 4) == [0, 2, 5, 7]
    assert spread(iter(range(3)), 9) == [0, 1, 2]


def test_chains_of_every_length_are_asked():
    cfg = config("ablate", "dataset=none", "out=none")
    [swaps] = [each for each in asked_suites(cfg) if each.name == "swaps"]
    lengths = swaps.cfg.suite.corpus.lengths
    chosen = spread(
        [lengths[i % len(lengths)] for i in range(swaps.cfg.suite.corpus.count)], swaps.cfg.limit
    )
    assert Counter(chosen) == dict.fromkeys(lengths, swaps.cfg.limit // len(lengths))


def test_what_was_stopped_on_the_way_is_not_scored(tmp_path, monkeypatch):
    def stopped(cfg) -> None:
        sys.exit(0)

    monkeypatch.setattr(latent_routes, "train_run", stopped)
    cfg = config("ablate", "dataset=none", f"out={tmp_path}")
    route = latent_routes.LatentRoute(cfg, ROUTE, Size(64, 1, 1.0, 1.0), tmp_path, [])
    with pytest.raises(SystemExit) as ended:
        route.made(1e-3, 0)
    assert ended.value.code == 128 + signal.SIGTERM


def test_what_another_model_wrote_has_a_row_of_its_own(dataset, tmp_path):
    traces = [*open_dataset(dataset).traces("test")]
    path = tmp_path / "theirs.jsonl"
    path.write_text(json.dumps({"id": traces[0].id, "frames": [{}]}) + "\n")
    given = ("experiment=six_routes_smoke", f"dataset={dataset}", f"out={tmp_path / 'out'}")
    cfg = config("ablate", *given, f"+predictions.theirs={path}")
    cfg.routes, cfg.text = {}, {}
    (result,) = ablate(cfg)
    assert (result.name, result.modes) == ("theirs", ["free"])
    assert "theirs,free,state_exact_match" in (tmp_path / "out" / "table.csv").read_text()
    path.write_text(json.dumps({"id": "nobody's", "frames": [{}]}) + "\n")
    with pytest.raises(UserError, match="theirs.jsonl has no `id` of heldout, swaps"):
        ablate(cfg)


def test_lengths_of_programs_are_an_axis_where_their_corpus_names_them(result):
    origins = ["swaps/16/1", "swaps/128/2", "swaps/16/3", "swaps/128/4"]
    calls = [[c | {"origin": o} for c, o in zip(s, origins, strict=True)] for s in result.calls]
    swaps = [result._replace(calls=calls)]
    drawn = charts([result], {"swaps": swaps, "humaneval": [result]})
    assert "lengths_swaps" in drawn and "lengths_humaneval" not in drawn
    [line, *_] = drawn["lengths_swaps"].lines
    assert [dot.text for dot in line.dots] == ["rssm: 100 at 16", "rssm: 50 at 128"]


def test_a_slope_is_the_exponent_of_what_is_wrong():
    points = [(x, Interval(1 - 3 * x**-0.5, 0.0, 1.0)) for x in (100.0, 10.0, 1000.0)]
    found = Curve("rssm", "data", points).slope()
    assert found.value == pytest.approx(-0.5) and found.low < -0.5 < found.high
    sure = [(x, Interval(at.value, at.value, at.value)) for x, at in points]
    assert Curve("rssm", "data", sure).slope() == pytest.approx((-0.5, -0.5, -0.5))
    assert math.isnan(Curve("rssm", "data", points[:1]).slope().value)
    assert set(curve_charts([Curve("rssm", "data", points)])) == {"scaling_data"}


def test_all_sheets_are_written_and_a_route_may_lack_a_mode(result, tmp_path):
    result = result._replace(calls=[3 * seed for seed in result.calls])  # enough of one length
    calls = [[call("p", 1.0, "free")]]
    other = Result("<text>", {"params": 10.0}, [seed(1.0, "free")], calls)
    curve = Curve("rssm", "data", [(2.0, Interval(0.5, 0.4, 0.6)), (1.0, Interval(0.4, 0.3, 0.5))])
    write_sheets([result, other], ["A note & its end."], tmp_path, curves=[curve])
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["route"], row["mode"]) for row in rows} == {("rssm", "open"), ("<text>", "free")}
    assert len(rows) == 2 * len(HEADLINES)
    table = (tmp_path / "table.md").read_text()
    assert "| rssm | 83.3 (" in table
    [row] = [row for row in table.splitlines() if "windows" in row]
    assert row.startswith("| rssm | training windows | ") and row.count(" to ") == 3
    page = (tmp_path / "table.html").read_text()
    assert "&lt;text&gt;" in page and "<text>" not in page and "A note &amp; its end." in page
    names = ("horizon", "unbroken", "by_type", "by_statement", "by_corpus", "cost_imagine_us")
    for name in names:
        assert ET.parse(tmp_path / "plots" / f"{name}.svg").getroot().tag.endswith("svg")
