"""The command line: what is wrong is said in one line, with what would be right."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from experiments.command import CONFIGS, UserError, check_overrides, guarded, quoted, user_errors

ROOT = Path(CONFIGS).parent
COMMANDS = sorted(path.stem for path in Path(CONFIGS).glob("*.yaml"))


@pytest.mark.parametrize(
    "name, overrides, said",
    [
        ("train", ["stps=3"], "unknown key 'stps'; the nearest is 'steps'"),
        (
            "train",
            ["steps=3", "optim.learning_rte=1"],
            "unknown key 'optim.learning_rte'; the nearest is 'optim.learning_rate'",
        ),
        ("imagine", ["cal='f(3)'"], "unknown key 'cal'; the nearest is 'call'"),
        (
            "trace",
            ["corpus=mbpp", "corpus.path=x", "ot=D"],
            "unknown key 'ot'; the nearest is 'out'",
        ),
        (
            "trace",
            ["corpus=synthetic", "corpus.cont=3"],
            "unknown key 'corpus.cont'; the nearest is 'corpus.count'",
        ),
        ("train", ["hydra.job.name=x", "sed=1"], "unknown key 'sed'; the nearest is 'seed'"),
        (
            "trace",
            ["corpus=mbp"],
            "unknown corpus 'mbp'; there are: agent, base, cruxeval",
        ),
        ("train", ["size=tiny"], "unknown size 'tiny'; there are: base, debug, medium, small"),
        ("train", ["experiment=dem"], "unknown experiment 'dem'; there are: agent, balance, base"),
        (
            "evaluate",
            ["suite=held"],
            "unknown suite 'held'; there are: arithmetic, containers, cruxeval",
        ),
        ("imagine", ["corpus=demo"], "Could not override 'corpus'. No match in the defaults list"),
    ],
)
def test_a_wrong_override_is_named_with_the_nearest_right_one(name, overrides, said):
    with pytest.raises(UserError) as error:
        check_overrides(name, overrides)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name, overrides, said",
    [
        (
            "imagine",
            ["limits=null"],
            "limits=null is no value of its own; there are: limits.wall_s,",
        ),
        ("foresee", ["sandbox=null"], "sandbox=null is no value of its own; there are: sandbox.ti"),
        ("counterfactual", ["limit=abc"], "limit=abc is no number; by itself it is 100"),
        ("plan", ["steps=abc"], "steps=abc is no number; by itself it is 128"),
        (
            "trace",
            ["corpus=synthetic", "corpus.count=abc"],
            "corpus.count=abc is no number; by itself it is 20000",
        ),
        ("trace", ["sandbox.allow_weaker=3"], "sandbox.allow_weaker=3 is neither true nor false"),
        ("imagine", ["limits.events=0"], "limits.events=0 is below 1"),
        ("imagine", ["limits.events=1.5"], "limits.events=1.5 is no whole number"),
        ("imagine", ["limits.events=null"], "limits.events=None is no whole number"),
        ("imagine", ["limits.wall_s=-1"], "limits.wall_s=-1 is no time above 0"),
        ("imagine", ["limits.wall_s=nan"], "limits.wall_s=nan is no time above 0"),
        ("imagine", ["limits.memory_mib=1"], "limits.memory_mib=1 is below 48"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_was_possible(name, overrides, said):
    with pytest.raises(UserError) as error:
        check_overrides(name, overrides)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    "name, arguments, said",
    [
        ("plan", ["steps=0"], "error: steps=0 is no whole number of at least 1"),
        ("counterfactual", ["limit=0"], "error: limit=0 is no whole number of at least 1"),
        ("trace", ["verify"], "error: verify DIR: one dataset, and not 0"),
    ],
)
def test_a_value_out_of_its_range_is_said_in_one_line(run_main, name, arguments, said):
    main = importlib.import_module(f"experiments.{name}").main
    assert run_main(main, *arguments) == (1, "", said)


@pytest.mark.parametrize(
    "name, overrides",
    [
        ("imagine", ["limits.cpu_s=0.5", "sandbox.tier=A", "call=null"]),
        ("train", ["guard.spike=null", "steps=1e3", "+further=3"]),
        ("train", ["dynamics=rssm", "size=debug", "steps=3", "optim.beta1=0.5"]),
        ("train", ["experiment=demo", "run_dir=x"]),
        ("trace", ["corpus=files", "corpus.path=x.py", "corpus.call='f(3)'", "out=x"]),
        ("trace", ["+window.slots=16", "limits.wall_s=1"]),
        ("evaluate", ["run=x", "suite=mbpp", "suite.path=FILE", "modes=[open]"]),
    ],
)
def test_a_right_override_passes(name, overrides):
    check_overrides(name, overrides)


@pytest.mark.parametrize(
    "argument",
    [
        "call=f(3)",
        "call=f([1, 2], 'a')",
        'call=f("it\'s", {1: 2}, x=[])',
        "call=f('a\\n', \"\\\\\")",
        "call=range(3)",
        "call=int('3')",
        "call=[1, 2].index(2)",
        "call=f(3) + 1",
        "out=a b (2)",
        "program=it's.py",
    ],
)
def test_what_hydra_would_take_for_its_own_grammar_is_a_text(argument):
    key, _, value = argument.partition("=")
    name = "imagine" if key != "out" else "trace"
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(CONFIGS, version_base=None):
        assert compose(name, [quoted(argument)])[key] == value


@pytest.mark.parametrize(
    "argument",
    ["steps=3", "call='f(3)'", "modes=[open]", "--cfg", "job", "dynamics=rssm,slots", "a.b=null"],
)
def test_what_hydra_reads_as_it_was_meant_is_left_alone(argument):
    assert quoted(argument) == argument


def test_a_sweep_is_left_to_hydra(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["command", "-m", "seed=range(3)"])
    assert quoted("seed=range(3)") == "seed=range(3)"


@pytest.mark.parametrize(
    "cfg, key", [({"out": "???"}, "out"), ({"corpus": {"path": "???"}}, "corpus.path")]
)
def test_a_value_that_is_missing_is_named(cfg, key):
    with pytest.raises(SystemExit, match=f"^error: {key} must be given: {key}=...$"):
        guarded(lambda: print(OmegaConf.select(OmegaConf.create(cfg), key, throw_on_missing=True)))


@pytest.mark.parametrize(
    "name, arguments, missing",
    [
        ("trace", ["corpus=synthetic"], "out"),
        ("trace", ["corpus=mbpp", "out=nowhere", "processes=1"], "corpus.path"),
        ("train", ["dataset=nowhere"], "run_dir"),
        ("train", ["run_dir=nowhere"], "dataset"),
        ("evaluate", [], "run"),
        ("imagine", ["run=nowhere"], "program"),
        ("report", [], "runs"),
    ],
)
def test_a_command_says_which_value_is_missing(run_main, name, arguments, missing, in_tmp_path):
    code, _, error = run_main(importlib.import_module(f"experiments.{name}").main, *arguments)
    assert (code, error) == (1, f"error: {missing} must be given: {missing}=...")
    assert not list(in_tmp_path.iterdir())


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_the_config_are_printed(run_main, name, in_tmp_path):
    main = importlib.import_module(f"experiments.{name}").main
    code, printed, _ = run_main(main, "--help")
    assert code == 0
    assert "Override anything in the config" in printed
    code, printed, _ = run_main(main, "--cfg", "job")
    assert code == 0
    assert OmegaConf.create(printed).keys()
    assert not list(in_tmp_path.iterdir())


@pytest.mark.parametrize("error", [UserError, OSError, FloatingPointError])
def test_what_we_foresaw_is_one_line(error, monkeypatch):
    def fail():
        raise error("it is so\nand so")

    with pytest.raises(SystemExit, match="^error: it is so$"):
        guarded(fail)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(error):
        guarded(fail)


def test_what_we_did_not_foresee_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: print(1 / 0))


def test_an_error_is_the_users_where_we_say_so():
    with pytest.raises(UserError, match="^no$"), user_errors(ValueError):
        raise ValueError("no")
    with pytest.raises(KeyError), user_errors(ValueError):
        raise KeyError("no")


def test_from_a_shell_an_error_is_one_line_and_no_traceback(tmp_path):
    arguments = ["run=nowhere", f"program={__file__}", "call=f(3)"]
    command = [sys.executable, "-m", "experiments.imagine", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == "error: no run at nowhere: config.yaml is missing\n"


@pytest.mark.parametrize("path", sorted(Path(CONFIGS).glob("*.yaml")), ids=lambda path: path.stem)
def test_every_command_runs_as_a_module(path):
    text = (Path(CONFIGS).parent / "experiments" / f"{path.stem}.py").read_text()
    assert f'@command("{path.stem}"' in text
    assert text.endswith('\n\n\nif __name__ == "__main__":\n    main()\n')
