"""A further route is one Python file and one config: it is trained, predicts and is scored."""

import sys
from pathlib import Path

import pytest
from tiny import MODEL, config

from experiments import build as building
from experiments.evaluate import evaluate
from experiments.predict import Predictor
from experiments.score import HEADLINES
from experiments.train import train_run

ROUTE = '''
"""Expects that nothing is known but the statement."""

import einops
import jax.numpy as jnp
from flax import nnx

from rssm.dynamics.base import Rollout
from rssm.nets import CellFeatures, zero_where
from rssm.tables import pick_slots


class Forgetful(nnx.Module):
    def __init__(self, sizes, *, feat_dim, rngs, dtype=jnp.float32):
        self.feat_dim, self.summary_dim = feat_dim, sizes.cells * feat_dim
        widths = sizes.a_dim, sizes.slots, sizes.cells, feat_dim
        self.feat = CellFeatures(*widths, rngs=rngs, dtype=dtype)

    def initial(self, batch_size):
        return jnp.zeros(batch_size)

    def observe(self, carry, inputs, key):
        feat = self.feat(zero_where(inputs.reset, inputs.a.embedding))
        return carry, Rollout(feat, feat, None)

    def imagine(self, carry, a, key):
        feat = self.feat(a.embedding)
        return carry, Rollout(feat, feat, None)

    def loss(self, rollout, mask=None, key=None):
        return {}

    def summary(self, latents):
        return einops.rearrange(latents, "b t v l f -> b t v (l f)")

    def cells(self, latents, chosen):
        return pick_slots(latents, chosen)
'''

YAML = """
_target_: rssm.dynamics.forgetful.Forgetful
_partial_: true
feat_dim: 4
"""


@pytest.fixture
def forgetful(tmp_path, monkeypatch) -> Path:
    """The two files, beside those of the repository."""
    code, configs = tmp_path / "code", tmp_path / "configs"
    (configs / "dynamics").mkdir(parents=True)
    code.mkdir()
    (code / "forgetful.py").write_text(ROUTE)
    (configs / "dynamics" / "forgetful.yaml").write_text(YAML)
    package = sys.modules["rssm.dynamics"]
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(code)])
    monkeypatch.delitem(sys.modules, "rssm.dynamics.forgetful", raising=False)
    return configs


def test_a_seventh_route_is_one_python_file_and_one_config(forgetful, dataset, traces, tmp_path):
    lengths = ("steps=2", "save_every=2", "log_every=1", "valid_batches=0")
    places = (f"dataset={dataset}", f"run_dir={tmp_path / 'run'}", "dynamics=forgetful")
    search = f"hydra.searchpath=[file://{forgetful}]"
    cfg = config("train", *MODEL, *lengths, *places, search)
    assert building.room_of(cfg.dynamics._target_) == "rssm"
    run = train_run(cfg)
    predictor = Predictor.of_run(run)
    result = evaluate(predictor, traces[:1], ["open"], tmp_path / "eval", "tiny")
    assert set(HEADLINES) <= result["open"].keys()
