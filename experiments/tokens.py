"""`python -m experiments.tokens dataset=DIR run_dir=DIR [form=full|delta]`: the text route.

A Transformer over the trace text, trained and scored. The same command resumes the training; then
it writes NAME.json and NAME.predictions.jsonl into run_dir/eval, with the modes

    open   the statements are given, locals and values are written
    free   all that follows the first state is written

and what a state costs: symbols, seconds and operations.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from omegaconf import DictConfig

from experiments.atomic import write_whole
from experiments.build import build
from experiments.checkpoint import Checkpointer, write_run
from experiments.command import UserError, command
from experiments.data import check_share, open_dataset
from experiments.evaluate import spread, suite_traces
from experiments.model import build_optimizer, compute_dtype, count
from experiments.others import judged
from experiments.score import finite
from experiments.sizing import flops, nearest
from experiments.writer import Writer
from rssm.guard import Guard
from rssm.step import TrainState
from rssm.tokens import CLOSE, END, Grammar, TextModel
from rssm.types import Array
from tracer import cwm
from tracer.cwm.symbols import SYMBOLS, Automaton, decode, encode
from tracer.schema import Trace

STATES = [cwm.KINDS[kind] for kind in ("call", "line")]  # frames with locals
MODES = ("open", "free")
FORMS = {"full": "none", "delta": "boundary"}  # how locals are written: cwm.Options.diff


class Scripted(NamedTuple):
    """A trace as the model is asked about it."""

    trace: Trace
    prompt: list[int]  # up to the first frame
    first: list[int]  # the frames that are given: up to the call under test
    rest: list[list[int]]  # its other frames


@command("tokens")
def main(cfg: DictConfig) -> None:
    run_tokens(cfg)


def run_tokens(cfg: DictConfig) -> dict:
    if cfg.form not in FORMS:
        raise UserError(f"unknown form {cfg.form!r}; there are: {', '.join(FORMS)}")
    if unknown := [mode for mode in cfg.modes if mode not in MODES]:
        raise UserError(f"unknown mode {unknown[0]!r}; there are: {', '.join(MODES)}")
    check_share(cfg.share, "share")
    run_dir = Path(cfg.run_dir)
    graph, params = nnx.split(build_text_model(cfg), nnx.Param)
    write_run(run_dir, cfg, {})
    params = train(cfg, graph, params, run_dir)
    return score_texts(cfg, nnx.merge(graph, params), run_dir / "eval")


def build_text_model(cfg: DictConfig) -> TextModel:
    make = build(cfg.model)
    dtype = compute_dtype(cfg.dtype)
    return nnx.jit(lambda: make(SYMBOLS, rngs=nnx.Rngs(cfg.seed), dtype=dtype))()


def width_of(cfg: DictConfig, params: float, within: float) -> int:
    """At which the model has so many parameters."""
    make = build(cfg.model)

    def measure(width: int) -> int:
        model = nnx.eval_shape(lambda: make(SYMBOLS, width=width, rngs=nnx.Rngs(0)))
        return count(nnx.state(model, nnx.Param))

    what = f"text in its form {cfg.form}: params at model.width"
    return nearest(measure, 2 * cfg.model.heads, params, within, what)


def train(cfg: DictConfig, graph: Any, params: Any, run_dir: Path) -> Any:
    optimizer = optax.with_extra_args_support(build_optimizer(cfg))

    @jax.jit
    def step(state: TrainState, batch: dict[str, Array]) -> tuple[TrainState, dict[str, Array]]:
        def loss(params: Any) -> tuple[Array, dict[str, Array]]:
            return nnx.merge(graph, params).loss(batch)

        grads, metrics = jax.grad(loss, has_aux=True)(state.params)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        return TrainState(params, opt_state, state.step + 1, state.guard), metrics

    zero = jnp.zeros((), jnp.int32)
    state = TrainState(params, optimizer.init(params), zero, Guard.initial())
    checkpointer = Checkpointer(run_dir)
    if checkpointer.latest() is not None:
        state, _ = checkpointer.restore(state)
    done = int(state.step)
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
            if done % cfg.save_every == 0 or done == cfg.steps:
                checkpointer.save(state, {}, {"score": 0.0})
    finally:
        writer.close()
        checkpointer.close()
    return state.params


def batches(cfg: DictConfig) -> Iterator[dict[str, np.ndarray]]:
    """Rows of texts behind one another, for ever, each epoch in an order of its own."""
    texts = [
        text for trace in open_dataset(cfg.dataset).traces("train") if (text := example(trace, cfg))
    ]
    if not texts:
        raise UserError(f"{cfg.dataset} has no text in its train split")
    texts = texts[: math.ceil(cfg.share * len(texts))]
    draw, row, found = np.random.default_rng(cfg.seed), [], []
    while True:
        for number in draw.permutation(len(texts)):
            text = texts[number]
            if sum(len(numbers) for numbers, _ in row) + len(text[0]) > cfg.length:
                found.append(packed(row, cfg.length))
                row = []
            row.append(text)
            if len(found) == cfg.batch_size:
                yield {name: np.stack([each[name] for each in found]) for name in found[0]}
                found = []


def example(trace: Trace, cfg: DictConfig) -> tuple[list[int], int] | None:
    """A text, and where its frames begin; None where it cannot be asked about."""
    found = scripted(trace, cfg.form)
    if found is None:
        return None
    head = [*found.prompt, *found.first]
    numbers = [*head, *(symbol for frame in found.rest for symbol in frame)][: cfg.length]
    return (numbers, len(head)) if len(numbers) > len(head) else None


def packed(row: Sequence[tuple[list[int], int]], length: int) -> dict[str, np.ndarray]:
    text, reset, mask = np.zeros(length, np.int32), np.zeros(length, bool), np.zeros(length, bool)
    at = 0
    for numbers, head in row:
        text[at : at + len(numbers)] = numbers
        reset[at], mask[at + head : at + len(numbers)] = True, True
        at += len(numbers)
    if at < length:
        reset[at] = True
    return {"text": text, "reset": reset, "mask": mask}


def scripted(trace: Trace, form: str) -> Scripted | None:
    """The call under test, as `main` makes it: the prompt, the frames up to its first state, and
    those after it."""
    try:
        whole = cwm.write(cwm.as_main(trace), cwm.Options(diff=FORMS[form]))
    except ValueError:
        return None
    head, *frames = whole.split(cwm.FRAME)
    *frames, tail = frames
    if len(frames) < 3:
        return None
    ends = [encode(frame + cwm.FRAME) for frame in frames]
    first = [symbol for frame in ends[:3] for symbol in frame]  # main, its line, the call
    rest = [*ends[3:], *([encode(tail)] if tail else [])]
    return Scripted(trace, encode(head + cwm.FRAME), first, rest)


def script(found: Scripted, mode: str) -> list[int]:
    given = [*found.prompt, *found.first]
    if mode == "free":
        return [*given, END]
    return given + [symbol for frame in found.rest for symbol in blanked(frame)]


def blanked(frame: list[int]) -> list[int]:
    """A frame with its locals or its value left to write."""
    text = decode(frame)
    begin, opened = text.partition(cwm.ARG)[::2]
    if opened:
        return [*encode(begin + cwm.ARG), CLOSE, *encode(cwm.FRAME)]
    before, action, after = text.partition(cwm.ACTION)
    kind = next((token for token in cwm.KINDS.values() if before.startswith(token)), None)
    return [*encode(kind), CLOSE, *encode(action + after)] if kind else frame


def score_texts(cfg: DictConfig, model: TextModel, out: Path) -> dict:
    automaton = Automaton()
    grammar = Grammar(
        jnp.asarray(automaton.table), automaton.context, automaton.closed, automaton.done
    )
    write = jax.jit(lambda scripts: model.write(scripts, grammar, cfg.length))
    asked = spread(suite_traces(cfg, cfg.dataset), cfg.limit)
    result: dict = {"suite": cfg.suite.name, "run": str(cfg.run_dir), "step": cfg.steps}
    lines: list[dict] = []
    for mode in cfg.modes:
        began = time.monotonic()
        written = dict(generations(cfg, write, asked, mode))
        seconds = time.monotonic() - began
        found = judged(
            {id: [{"id": id, "mode": mode, "generation": text}] for id, text in written.items()},
            asked,
        )
        lines += found.lines
        result[mode] = found.figures[mode] | {
            "cwm": found.figures["cwm"],
            "n_missing": found.figures["n_missing"],
            "params": count(nnx.state(model, nnx.Param)),
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
