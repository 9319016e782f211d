"""What a run's model lacks is told by every command in one line, before weights are read."""

import json
from pathlib import Path

import pytest
from tiny import config, training

from experiments import agent, foresee, imagine, plan
from experiments.checkpoint import write_run
from experiments.predict import Predictor
from tracer.layout import Layout

PROGRAM = "def f(n):\n    return n + 1\n"
COMMANDS = {"foresee": foresee.main, "imagine": imagine.main}


@pytest.fixture
def asked(tmp_path, run_main, monkeypatch):
    """A command, with the run in `tmp_path`: what it says."""
    program = tmp_path / "f.py"
    program.write_text(PROGRAM)

    def ask(main, *more: str) -> str:
        given = () if main is agent.main else (f"program={program}", "call=f(1)")
        code, _, error = run_main(main, f"run={tmp_path / 'run'}", *given, *more)
        assert code == 1 and "\n" not in error
        return error

    return ask


@pytest.mark.parametrize("name", COMMANDS)
def test_a_text_model_is_no_world_model(asked, tmp_path, name):
    cfg = config("tokens", "dataset=none", f"run_dir={tmp_path / 'run'}")
    write_run(tmp_path / "run", cfg, {})
    said = asked(COMMANDS[name])
    assert f"{tmp_path / 'run'} is a text model, of experiments.tokens; this command needs" in said
    assert "heads for slots, kind, branch" in said


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("head", ["kind", "branch"])
def test_a_head_that_is_missing_is_named(asked, tmp_path, name, head):
    schema = Layout().schema()
    schema["fields"] = [field for field in schema["fields"] if field["name"] != head]
    write_run(tmp_path / "run", training(Path("none"), tmp_path / "run"), schema)
    assert f"{tmp_path / 'run'} has no head for {head}; this command needs" in asked(COMMANDS[name])


def trained_on(folder: Path, corpus: str) -> None:
    """A run without weights, on a dataset that has no more than a manifest."""
    (folder / "dataset").mkdir()
    manifest = {"config": {"corpus": {"_target_": f"tracer.corpora.{corpus}.programs"}}}
    (folder / "dataset" / "manifest.json").write_text(json.dumps(manifest))
    cfg = training(folder / "dataset", folder / "run")
    write_run(folder / "run", cfg, Layout().schema())


@pytest.mark.parametrize("main", [foresee.main, imagine.main, plan.main])
def test_a_model_of_agents_is_not_asked_about_programs(asked, tmp_path, main):
    trained_on(tmp_path, "agent")
    more = ()
    if main is plan.main:
        (tmp_path / "f.py").write_text("def f(n):\n    ...\n")
        (tmp_path / "c.txt").write_text("return n\n")
        more = (f"candidates={tmp_path / 'c.txt'}", "wanted={'return': 1}")
    said = "was trained on commands and edits of agents; this command needs a model of statements"
    assert said in asked(main, *more)


def test_a_model_of_programs_is_not_asked_about_agents(asked, tmp_path):
    trained_on(tmp_path, "synthetic")
    said = "was trained on statements of programs; this command needs a model of commands and edits"
    assert said in asked(agent.main)


def test_a_run_whose_dataset_is_gone_is_believed(tmp_path, monkeypatch):
    write_run(tmp_path, training(tmp_path / "gone", tmp_path), Layout().schema())
    monkeypatch.setattr(Predictor, "of_run", lambda folder: folder)
    assert Predictor.of_programs(tmp_path) == Predictor.of_agents(tmp_path) == tmp_path
