"""Every yaml composes, and what it describes can be built."""

from pathlib import Path

import jax
import pytest
from flax import nnx
from omegaconf import OmegaConf
from tiny import DYNAMICS, config

from experiments.build import ROOMS, build, build_programs, room_of, targets
from experiments.command import CONFIGS, UserError
from experiments.model import build_model, build_optimizer, count
from rssm.dynamics.base import Dynamics
from rssm.spec import Spec
from tracer.layout import Layout

COMMANDS = sorted(path.stem for path in Path(CONFIGS).glob("*.yaml"))
GROUPS = [
    (command, group, option)
    for command, group in [
        ("trace", "corpus"),
        ("train", "experiment"),
        ("train", "dynamics"),
        ("train", "size"),
        ("train", "optim"),
        ("evaluate", "suite"),
    ]
    for option in sorted(path.stem for path in Path(CONFIGS, group).glob("*.yaml"))
]


@pytest.fixture(scope="module")
def spec() -> Spec:
    return Spec.from_schema(Layout().schema())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_config_that_composes(name):
    assert (Path(__file__).parents[1] / "experiments" / f"{name}.py").is_file()
    cfg = config(name)
    assert OmegaConf.to_container(cfg, resolve=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_config_begins_with_its_command(name):
    first = Path(CONFIGS, f"{name}.yaml").read_text().partition("\n")[0]
    assert first.startswith(f"# python -m experiments.{name}")


@pytest.mark.parametrize("command, group, option", GROUPS)
def test_every_option_composes_and_names_what_is_there(command, group, option):
    cfg = OmegaConf.to_container(config(command, f"{group}={option}"), resolve=True)
    for target in targets(cfg):
        assert room_of(target) in ROOMS


def test_every_number_that_is_reported_says_how_it_is_made():
    for path in Path(CONFIGS, "experiment").glob("*.yaml"):
        package, *lines = path.read_text().splitlines()
        assert package == "# @package _global_"
        assert lines[0].startswith("# ") and lines[1].startswith("#   "), path.name


def test_only_programs_of_our_own_are_trusted_by_default():
    trusted = {path.stem for path in Path(CONFIGS, "sandbox").glob("*.yaml")}
    for path in Path(CONFIGS, "corpus").glob("*.yaml"):
        cfg = config("trace", f"corpus={path.stem}")
        assert cfg.sandbox.trusted_programs == (path.stem in trusted)
        assert cfg.sandbox.tier is None and not cfg.sandbox.allow_weaker
    assert trusted == {"synthetic", "stdlib", "demo", "swaps", "drills", "exercises", "loops"}
    assert not config("trace", "sandbox.trusted_programs=false").sandbox.trusted_programs


@pytest.mark.parametrize("name", DYNAMICS)
def test_every_model_can_be_built_and_is_smaller_at_the_debug_size(name, spec):
    counts = []
    for size in ("debug", "small"):
        cfg = config("train", f"size={size}", f"dynamics={name}")
        # The shapes alone: to fill them with numbers takes longer.
        model = nnx.eval_shape(lambda cfg=cfg: build_model(cfg, spec, 0))
        assert isinstance(model.dynamics, Dynamics)
        counts.append(count(nnx.state(model)))
    assert counts[0] < counts[1]


def test_the_optimizer_can_be_built():
    params = {"w": jax.numpy.ones(3)}
    assert build_optimizer(config("train")).init(params)


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "tracer.sandbox.worker.os.system",  # in reach of a room, and not of it
        "tracer.sandbox.supervisor.subprocess.Popen",
        "experiments.train.train_run",
        "rssm.model.jax.jit",
        "rssm.model.NamedTuple",
        "rssm.model",  # a module
        "tracer.vocab.SYMBOLS.append",  # which has no module
        "builtins.eval",
        "hydra.utils.instantiate",
        "rssmx.dynamics.RSSM",
        "rssm.dynamics.nowhere.RSSM",
        "rssm.model.Nothing",
        "",
    ],
)
def test_what_is_not_of_our_rooms_is_not_called(target):
    for cfg in ({"_target_": target}, {"_target_": "optax.adam", "x": [{"_target_": target}]}):
        with pytest.raises(UserError) as error:
            build(OmegaConf.create(cfg))
        assert repr(target) in str(error.value)
        assert "\n" not in str(error.value)


def test_a_target_is_looked_at_after_it_is_resolved():
    cfg = OmegaConf.create({"name": "os.system", "made": {"_target_": "${name}", "command": "ls"}})
    with pytest.raises(UserError, match=r"'os\.system' is not under rssm, tracer, optax"):
        build(cfg.made)


def test_a_name_that_another_room_of_ours_lends_is_welcome():
    assert room_of("tracer.pool.Sandbox") == "tracer"
    assert room_of("optax.scale_by_adam") == "optax"


def test_an_argument_that_is_not_taken_is_named_in_one_line():
    cfg = config("trace", "corpus=synthetic", "+corpus.size=3")
    with pytest.raises(UserError, match=r"tracer\.corpora\.synthetic\.programs.*'size'") as error:
        build(cfg.corpus)
    assert "\n" not in str(error.value)


def test_a_corpus_that_finds_its_settings_wrong_says_so_in_one_line():
    cfg = config("trace", "corpus=synthetic", "corpus.difficulty=7")
    with pytest.raises(UserError, match="^difficulty 7 is not 1, 2 or 3$"):
        next(build_programs(cfg.corpus))
