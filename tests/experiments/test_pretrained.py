"""Weights to share: a card that tells what they are, and the same predictions as the run's."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tiny import config, training

from experiments import evaluate, pretrained, publish, train
from experiments.checkpoint import named
from experiments.command import UserError
from experiments.predict import Predictor
from experiments.pretrained import read_pretrained, write_pretrained
from experiments.score import HEADLINES
from tracer.store import Dataset


@pytest.fixture(scope="module")
def folder(run, predictor, traces, tmp_path_factory) -> Path:
    """With the weights `tiny`, of a run with scores."""
    evaluate.evaluate(predictor, traces[:3], ["open"], run.folder / "eval", "heldout")
    out = tmp_path_factory.mktemp("weights")
    given = (f"run={run.folder}", "name=tiny", f"out={out}", "limits=[it knows nothing]")
    publish.publish(config("publish", *given))
    return out


@pytest.fixture
def here(folder, monkeypatch) -> None:
    monkeypatch.setattr(read_pretrained, "__defaults__", (folder,))


def test_pretrained_weights_are_those_of_the_run(here, predictor):
    loaded = Predictor.of_run(Path("pretrained:tiny"))
    assert loaded.step == predictor.step
    jax.tree.map(np.testing.assert_array_equal, loaded.params, predictor.params)
    assert loaded.layout == predictor.layout


def test_a_card_tells_what_the_weights_are_and_nothing_of_where(folder, run, dataset):
    card = json.loads((folder / "tiny.json").read_text())
    assert card["scores"]["heldout"]["open"]["figures"].keys() == set(HEADLINES)
    assert card["limits"] == ["it knows nothing"] and card["data"]["counts"]["train"]["steps"] > 0
    for place in (run.folder, dataset, folder):
        assert str(place) not in json.dumps(card)


def test_weights_scored_again_keep_what_their_card_has(folder, here, predictor, traces, tmp_path):
    evaluate.evaluate(predictor, traces[:3], ["filter"], tmp_path / "eval", "swaps")
    given = ("run=pretrained:tiny", "name=tiny", f"scores={tmp_path / 'eval'}", "dtype=float16")
    publish.publish(config("publish", *given, f"out={tmp_path}"))
    (old, whole), (new, halves) = (read_pretrained("tiny", at) for at in (folder, tmp_path))
    assert new["scores"].keys() == {"heldout", "swaps"}
    assert new["limits"] == old["limits"] and new["config"] == old["config"]
    for name, x in whole.items():
        np.testing.assert_allclose(halves[name], x, rtol=1e-3, atol=1e-6)


def test_weights_are_kept_in_a_type_that_holds_them(run, tmp_path):
    given = (f"run={run.folder}", "name=tiny", f"out={tmp_path}", "dtype=int8")
    with pytest.raises(UserError, match="unknown dtype 'int8'; there are: float32, float16"):
        publish.publish(config("publish", *given))
    assert not list(tmp_path.iterdir())


def test_unknown_weights_are_told_with_those_there_are(here):
    with pytest.raises(UserError, match="no weights 'large'; there are: tiny"):
        Predictor.of_run(Path("pretrained:large"))


def test_weights_that_do_not_fit_are_told_by_name(folder, tmp_path, monkeypatch):
    weights = load_file(folder / "tiny.safetensors")
    gone = sorted(weights)[0]
    del weights[gone]
    save_file(weights, tmp_path / "tiny.safetensors")
    (tmp_path / "tiny.json").write_text((folder / "tiny.json").read_text())
    monkeypatch.setattr(read_pretrained, "__defaults__", (tmp_path,))
    with pytest.raises(UserError, match=f"do not fit its config: {gone} has the shape None"):
        Predictor.of_run(Path("pretrained:tiny"))
    (tmp_path / "tiny.safetensors").write_bytes(b"no tensors")
    with pytest.raises(UserError, match="the weights 'tiny' cannot be read: "):
        Predictor.of_run(Path("pretrained:tiny"))


def test_weights_that_are_too_large_are_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "LARGEST", 7)
    with pytest.raises(UserError, match="big has 8 bytes; a file may have 7"):
        write_pretrained("big", {}, {"x": np.zeros(2, np.float32)}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_run_without_scores_is_not_published(run, tmp_path):
    (tmp_path / "run").symlink_to(run.folder)
    missing = config("publish", f"run={tmp_path / 'run'}", "name=tiny", f"out={tmp_path}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "results", lambda *_: {})
        with pytest.raises(UserError, match="has no scores"):
            publish.publish(missing)


def test_scores_of_another_step_are_left_out_and_said_to_be(tmp_path, capsys):
    scores = {"step": 3}
    (tmp_path / "swaps.json").write_text(json.dumps(scores))
    assert publish.results(tmp_path, 4) == {}
    assert "swaps is left out: it was scored at step 3, and this is 4" in capsys.readouterr().out
    assert publish.results(tmp_path, 3) == {"swaps": scores}


def test_a_dataset_that_was_imported_has_no_plan_to_tell_of():
    found = publish.described({"counts": {}, "files": {"a": {"sha256": "0"}}})
    assert found["origins"] == {} and found["leaks"]["against"] == {}


def test_training_goes_on_from_weights_that_are_there(here, predictor, dataset, tmp_path):
    still = ("steps=1", "optim.learning_rate=0.0")
    run = train.train_run(training(dataset, tmp_path / "run", "init=pretrained:tiny", *still))
    begun = Predictor.of_run(run)
    jax.tree.map(np.testing.assert_array_equal, begun.params, predictor.params)
    card, (first, _) = publish.card_of(run), read_pretrained("tiny")
    assert card["before"] == {key: first[key] for key in ("commands", "step", "data")}
    assert first["before"] is None


def test_training_goes_on_from_a_run(run, predictor, dataset, tmp_path):
    still = ("steps=1", "optim.learning_rate=0.0", f"init={run.folder}")
    further = train.train_run(training(dataset, tmp_path / "run", *still))
    jax.tree.map(np.testing.assert_array_equal, Predictor.of_run(further).params, predictor.params)
    before = publish.card_of(further)["before"]
    assert (
        before["step"] == predictor.step and before["data"] == publish.card_of(run.folder)["data"]
    )


def test_a_critic_is_no_condition_for_training_to_go_on(run, predictor, dataset, tmp_path):
    still = ("steps=1", "optim.learning_rate=0.0")
    begun = (f"init={run.folder}", "dynamics.judged=false")
    alone = train.train_run(training(dataset, tmp_path / "alone", *still, *begun))
    again = train.train_run(training(dataset, tmp_path / "again", *still, f"init={alone}"))
    first, found = named(predictor.params), named(Predictor.of_run(again).params)
    kept = named(Predictor.of_run(alone).params)
    assert first.keys() == found.keys() > kept.keys()
    assert all("critic" in name for name in first.keys() - kept.keys())
    for name, x in kept.items():
        np.testing.assert_array_equal(x, first[name])
        np.testing.assert_array_equal(found[name], x)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["init=runs/tiny"], "no run at runs/tiny: config.yaml is missing"),
        (["init=pretrained:none"], "no weights 'none'; there are: tiny"),
        (["init=pretrained:tiny", "size.read=12"], "pretrained:tiny do not fit its config"),
    ],
)
def test_weights_that_training_cannot_begin_with(here, dataset, tmp_path, overrides, message):
    with pytest.raises(UserError, match=message):
        train.train_run(training(dataset, tmp_path / "run", *overrides))
    assert not (tmp_path / "run").exists()


def test_weights_want_windows_of_the_form_that_they_know(here, dataset, tmp_path):
    other = Dataset(dataset)
    other.layout = other.layout._replace(steps=8)
    with pytest.raises(UserError, match="pretrained:tiny wants windows of another form: steps=32"):
        train.begun_with("pretrained:tiny", None, other)


def test_results_of_pretrained_weights_need_a_folder(here, run_main):
    code, _, error = run_main(evaluate.main, "run=pretrained:tiny", "suite=heldout")
    assert code == 1 and error.endswith("give one for the results, out=DIR")
