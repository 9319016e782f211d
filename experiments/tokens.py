"""`python -m experiments.tokens dataset=DIR run_dir=DIR [form=full|delta]`: the text route.

A Transformer over the trace text, trained and scored. The same command resumes the training; then
it writes NAME.json and NAME.predictions.jsonl into run_dir/eval, with the modes

    open   the statements are given, locals and values are written
    free   all that follows the first state is written

and what a state costs: symbols, seconds and operations.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from omegaconf import DictConfig

from experiments.atomic import write_whole
from experiments.build import build
from experiments.checkpoint import Checkpointer, read_run, write_run
from experiments.claim import Stop, claim, exit_on_signals
from experiments.command import UserError, command, user_errors
from experiments.compiled import keep_compiled
from experiments.data import check_share
from experiments.evaluate import asked_traces
from experiments.model import build_optimizer, compute_dtype, count
from experiments.others import judged
from experiments.score import finite, mean
from experiments.scripts import FORMS, batches, eval_batches, script, scripted
from experiments.sizing import flops, nearest
from experiments.train import check_same
from experiments.writer import Writer
from rssm.guard import Guard
from rssm.step import TrainState
from rssm.tokens import Grammar, TextModel
from rssm.types import Array
from tracer import cwm
from tracer.cwm.symbols import SYMBOLS, Automaton, decode, encode
from tracer.schema import Trace

STATES = [cwm.KINDS[kind] for kind in ("call", "line")]  # frames with locals
MODES = ("open", "free")
MAY_DIFFER = ("steps", "run_dir", "log_every", "save_every", "valid_batches", "modes", "together")
MAY_DIFFER += ("suite", "limit", "limits", "processes", "sandbox")  # of scoring
Step = Callable[[TrainState, dict[str, Any]], tuple[TrainState, dict[str, Any]]]
COUNTED = 8  # batches in which states are counted, for what one costs in training


@command("tokens")
def main(cfg: DictConfig) -> None:
    exit_on_signals()
    run_tokens(cfg)


def run_tokens(cfg: DictConfig) -> dict:
    if cfg.form not in FORMS:
        raise UserError(f"unknown form {cfg.form!r}; there are: {', '.join(FORMS)}")
    if unknown := [mode for mode in cfg.modes if mode not in MODES]:
        raise UserError(f"unknown mode {unknown[0]!r}; there are: {', '.join(MODES)}")
    check_share(cfg.share, "share")
    return score_texts(cfg, trained_text(cfg), Path(cfg.run_dir) / "eval")


def trained_text(cfg: DictConfig) -> TextModel:
    """Trained as far as it is asked for; what is done already is not done again. SystemExit where
    it was told to end, when what it has is saved."""
    run_dir = Path(cfg.run_dir)
    if (run_dir / "config.yaml").exists():
        check_same(cfg, read_run(run_dir)[0], run_dir, MAY_DIFFER)
    graph, params = nnx.split(build_text_model(cfg), nnx.Param)
    with claim(run_dir), Stop() as stop:
        write_run(run_dir, cfg, {})
        params = train(cfg, graph, params, run_dir, stop)
    if stop():
        sys.exit(128 + (stop.signal or 0))
    return nnx.merge(graph, params)


def read_text_run(run_dir: Path) -> tuple[DictConfig, TextModel]:
    """The model of a run of this command, as far as it was trained."""
    cfg, _ = read_run(run_dir)
    if cfg.get("form") not in FORMS:
        raise UserError(f"{run_dir} is no text model, of experiments.tokens")
    graph, params = nnx.split(build_text_model(cfg), nnx.Param)
    checkpointer = Checkpointer(run_dir)
    state, _ = checkpointer.restore(stepping(cfg, graph, params)[1])
    checkpointer.close()
    return cfg, nnx.merge(graph, state.params)


def build_text_model(cfg: DictConfig) -> TextModel:
    keep_compiled()
    make = build(cfg.model)
    dtype = compute_dtype(cfg.dtype)
    return nnx.jit(lambda: make(SYMBOLS, rngs=nnx.Rngs(cfg.seed), dtype=dtype))()


def width_of(cfg: DictConfig, target: float, by: str, within: float) -> int:
    """At which the model has so many parameters, or so many operations per state in training."""
    make = build(cfg.model)

    def parameters(width: int) -> float:
        model = nnx.eval_shape(lambda: make(SYMBOLS, width=width, rngs=nnx.Rngs(0)))
        return count(nnx.state(model, nnx.Param))

    def operations(width: int) -> float:
        cfg.model.width = width
        return training_flops(cfg)

    cfg, measure = cfg.copy(), {"params": parameters, "flops": operations}[by]
    what = f"text in its form {cfg.form}: {by} at model.width"
    return nearest(measure, 2 * cfg.model.heads, target, within, what)


def train(
    cfg: DictConfig, graph: Any, params: Any, run_dir: Path, stopped: Callable[[], bool]
) -> Any:
    step, state = stepping(cfg, graph, params)
    checkpointer = Checkpointer(run_dir)
    if checkpointer.latest() is not None:
        state, _ = checkpointer.restore(state)
    done = saved = int(state.step)
    if done > cfg.steps:
        checkpointer.close()
        raise UserError(f"{run_dir} is at step {done} already, behind steps={cfg.steps}")
    print(f"{count(params):,} parameters; {cfg.batch_size * cfg.length} symbols a step")
    writer = Writer(run_dir, done, cfg.steps)
    try:
        for batch in islice(batches(cfg), done, cfg.steps):
            state, metrics = step(state, batch)
            done += 1
            if done % cfg.log_every == 0:
                if not np.isfinite(metrics["loss"]):
                    raise FloatingPointError(f"the loss is {metrics['loss']} at step {done}")
                writer.write(done, metrics, ("loss", "symbols_right"))
            if done == cfg.steps and cfg.valid_batches:
                found = validation(cfg, graph, state.params)
                writer.write(done, {f"valid/{name}": x for name, x in found.items()})
            if done % cfg.save_every == 0 or done == cfg.steps:
                checkpointer.save(state, {}, {"score": 0.0})
                saved = done
            if stopped():
                break
        if saved < done:
            checkpointer.save(state, {}, {"score": 0.0})
            print(f"{run_dir} is saved at step {done}; the same command goes on")
    finally:
        writer.close()
        checkpointer.close()
    return state.params


def stepping(cfg: DictConfig, graph: Any, params: Any) -> tuple[Step, TrainState]:
    """A gradient step, and the state that it begins with."""
    optimizer = optax.with_extra_args_support(build_optimizer(cfg))

    @jax.jit
    def step(state: TrainState, batch: dict[str, Any]) -> tuple[TrainState, dict[str, Any]]:
        def loss(params: Any) -> tuple[Array, dict[str, Array]]:
            return nnx.merge(graph, params).loss(batch)

        grads, metrics = jax.grad(loss, has_aux=True)(state.params)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        return TrainState(params, opt_state, state.step + 1, state.guard), metrics

    zero = jnp.zeros((), jnp.int32)
    return step, TrainState(params, optimizer.init(params), zero, Guard.initial())


def validation(cfg: DictConfig, graph: Any, params: Any) -> dict[str, float]:
    """Means over the first batches of the validation split."""
    evaluate = jax.jit(lambda params, batch: nnx.merge(graph, params).loss(batch)[1])
    found = [
        evaluate(params, each) for each in islice(eval_batches(cfg, "valid"), cfg.valid_batches)
    ]
    return {name: mean(float(row[name]) for row in found) for name in (found[0] if found else ())}


def training_flops(cfg: DictConfig) -> float:
    """Per state that is learned from, as XLA counts them."""
    graph, params = nnx.split(build_text_model(cfg), nnx.Param)
    step, state = stepping(cfg, graph, params)
    some = [*islice(batches(cfg), COUNTED)]
    ends = encode(cwm.FRAME)[-1]
    states = sum(int(((batch["text"] == ends) & batch["mask"]).sum()) for batch in some)
    return flops(step, state, some[0]) * len(some) / max(1, states)


def score_texts(cfg: DictConfig, model: TextModel, out: Path) -> dict:
    write = writing(cfg, model)
    asked = list(asked_traces(cfg, cfg.dataset))
    result: dict = {"suite": cfg.suite.name, "run": str(cfg.run_dir), "step": cfg.steps}
    lines, training = list[dict](), training_flops(cfg)
    for mode in cfg.modes:
        began = time.monotonic()
        written = dict(generations(cfg, write, asked, mode))
        seconds = time.monotonic() - began
        texts = {trace.id: written.get(trace.id, "") for trace in asked}
        with user_errors(ValueError):
            found = judged(
                {id: [{"id": id, "mode": mode, "generation": text}] for id, text in texts.items()},
                asked,
            )
        lines += found.lines
        result[mode] = found.figures[mode] | {
            "n_missing": sum(line["id"] not in written for line in found.lines),
            "params": count(nnx.state(model, nnx.Param)),
            "train_flops": training,
            "seconds": seconds,
            **costs(written, seconds, model),
        }
    out.mkdir(parents=True, exist_ok=True)
    name = cfg.suite.name
    write_whole(out / f"{name}.predictions.jsonl", "".join(json.dumps(x) + "\n" for x in lines))
    write_whole(out / f"{name}.json", json.dumps(finite(result), indent=1) + "\n")
    for mode in cfg.modes:
        shown = {key: result[mode][key] for key in ("state_exact_match", "symbols_per_state")}
        print(mode, ", ".join(f"{key} {value:.3f}" for key, value in shown.items()))
    return result


def writing(cfg: DictConfig, model: TextModel) -> Any:
    """What goes on with scripts, compiled: the seconds of a state are those of its writing."""
    automaton = Automaton()
    table = jnp.asarray(automaton.table)
    grammar = Grammar(table, automaton.context, automaton.closed, automaton.done)
    scripts = jax.ShapeDtypeStruct((cfg.together, cfg.length), jnp.int32)
    write = jax.jit(lambda scripts: model.write(scripts, grammar, cfg.length))
    return write.lower(scripts).compile()


def generations(
    cfg: DictConfig, write: Any, traces: Sequence[Trace], mode: str
) -> Iterator[tuple[str, str]]:
    """Of each trace whose prompt fits: its id, and what was written after the call of `main`."""
    asked = [found for trace in traces if (found := scripted(trace, cfg.form))]
    fitting = [each for each in asked if len(each.prompt) + len(each.first) < cfg.length]
    for start in range(0, len(fitting), cfg.together):
        group = fitting[start : start + cfg.together]
        scripts = np.zeros((cfg.together, cfg.length), np.int32)
        for row, each in zip(scripts, group, strict=False):
            symbols = script(each, mode)[: cfg.length]
            row[: len(symbols)] = symbols
        rows = np.asarray(write(jnp.asarray(scripts)))
        for each, row in zip(group, rows.tolist(), strict=False):
            text = decode(row[len(each.prompt) :])
            yield each.trace.id, text.partition(cwm.FRAME)[2]


def costs(written: dict[str, str], seconds: float, model: TextModel) -> dict[str, float]:
    """Of what was written; the operations of a symbol are those of a step with a full cache."""
    symbols = sum(len(encode(text)) for text in written.values())
    states = sum(text.count(token) for text in written.values() for token in STATES)

    def one(model: TextModel) -> Array:
        cache, h = model.body.step(model.body.initial(1), model.embed(jnp.zeros(1, jnp.int32)))
        return model.out(h)

    per_symbol = flops(one, model)
    return {
        "symbols_per_state": symbols / max(1, states),
        "seconds_per_state": seconds / max(1, states),
        "flops_per_state": per_symbol * symbols / max(1, states),
    }


if __name__ == "__main__":
    main()
