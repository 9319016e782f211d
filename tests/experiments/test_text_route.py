"""The text route: what the model is asked, and that it trains and gets its scores."""

import signal
from itertools import islice

import numpy as np
import pytest
from flax import nnx
from tiny import config

from experiments import tokens
from experiments.checkpoint import Checkpointer, write_run
from experiments.claim import Stop, claim
from experiments.command import UserError
from experiments.data import open_dataset
from experiments.model import count
from experiments.others import judged
from experiments.scripts import (
    batches,
    blanked,
    eval_batches,
    example,
    examples,
    packed,
    script,
    scripted,
)
from experiments.tokens import (
    build_text_model,
    run_tokens,
    score_texts,
    train,
    trained_text,
    width_of,
)
from rssm.tokens import CLOSE, END
from tracer import cwm
from tracer.cwm.symbols import decode, encode


@pytest.fixture(scope="module")
def asked(traces) -> list:
    return [found for trace in traces if (found := scripted(trace, "delta"))]


def test_a_script_ends_its_given_part_with_the_first_state(asked):
    for each in asked:
        text = decode(each.first)
        assert text.count(cwm.FRAME) == 3 and text.rpartition(cwm.KINDS["call"])[1]
        assert script(each, "free") == [*each.prompt, *each.first, END]


def test_what_a_script_leaves_open_is_all_that_is_not_said_of_the_statements(asked):
    for each in asked:
        whole = [symbol for frame in each.rest for symbol in frame]
        open_script = script(each, "open")[len(each.prompt) + len(each.first) :]
        gaps = open_script.count(CLOSE)
        assert gaps == sum(decode(frame).count(cwm.ACTION) for frame in each.rest)
        given = decode([symbol for symbol in open_script if symbol != CLOSE])
        assert given.count(cwm.ACTION) == decode(whole).count(cwm.ACTION)
        assert "{" not in "".join(part.partition(cwm.ACTION)[0] for part in given.split(cwm.FRAME))


def test_a_frame_is_blanked_up_to_its_statement_or_at_its_value():
    line = cwm.KINDS["line"] + '{"a": "1"}' + cwm.ACTION + "b = a\n" + cwm.FRAME
    expected = [*encode(cwm.KINDS["line"]), CLOSE, *encode(cwm.ACTION + "b = a\n" + cwm.FRAME)]
    assert blanked(encode(line)) == expected
    begin = cwm.KINDS["return"] + cwm.ACTION + "return a\n" + cwm.ARG
    assert blanked(encode(begin + '"1"' + cwm.FRAME)) == [
        *encode(begin),
        CLOSE,
        *encode(cwm.FRAME),
    ]


def test_a_model_that_wrote_the_truth_would_get_full_marks(asked):
    written = {}
    for each in asked:
        text = decode([*each.first, *(symbol for frame in each.rest for symbol in frame)])
        line = {"id": each.trace.id, "mode": "free", "generation": text.partition(cwm.FRAME)[2]}
        written[each.trace.id] = [line]
    figures = judged(written, [each.trace for each in asked]).figures["free"]
    assert figures["state_exact_match"] == figures["output_pass_at_1"] == 1
    assert figures["cwm"]["resolved"]["state_exact_match"] == 1


def test_frames_are_learnt_and_programs_are_not(asked):
    cfg = config("tokens", "dataset=none", "run_dir=none", "length=512")
    texts = [text for each in asked if (text := example(each.trace, cfg))]
    row = packed(texts[:1], 512)
    numbers, head = texts[0]
    assert row["reset"][0] and not row["mask"][:head].any()
    assert row["mask"].sum() == len(numbers) - head
    np.testing.assert_array_equal(row["text"][: len(numbers)], numbers)


def test_a_width_is_found_at_which_a_model_has_the_parameters_that_are_wanted():
    cfg = config("tokens", "dataset=none", "run_dir=none", "model.width=64")
    wanted = count(nnx.state(build_text_model(cfg), nnx.Param))
    cfg.model.width = 256
    assert width_of(cfg, 1.01 * wanted, "params", within=0.02) == 64
    with pytest.raises(UserError, match="form delta: params at model.width=8 are .*, not within"):
        width_of(cfg, 10, "params", within=0.02)


def test_every_text_of_a_split_is_validated_on_once(dataset):
    cfg = config("tokens", f"dataset={dataset}", "run_dir=none", "length=512", "batch_size=3")
    found = [*eval_batches(cfg, "valid")]
    learned = sum(len(numbers) - head for numbers, head in examples(cfg, "valid"))
    assert sum(batch["mask"].sum() for batch in found) == learned > 0
    assert {batch["text"].shape for batch in found} == {(3, 512)}


def test_a_share_of_the_data_is_its_first_texts(dataset):
    cfg = config("tokens", f"dataset={dataset}", "run_dir=none", "share=1e-9", "batch_size=1")
    texts = (example(trace, cfg) for trace in open_dataset(dataset).traces("train"))
    first, _ = next(text for text in texts if text)
    for batch in islice(batches(cfg), 3):
        assert batch["text"][0][: len(first)].tolist() == first


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("share=0", "share=0 is no share of the training split"),
        ("share=1.5", "share=1.5 is no share of the training split"),
        ("modes=[filter]", "unknown mode 'filter'; there are: open, free"),
    ],
)
def test_a_share_or_a_mode_that_is_none_is_told(dataset, tmp_path, asked, message):
    run_dir = tmp_path / "run"
    with pytest.raises(UserError, match=message):
        run_tokens(config("tokens", f"dataset={dataset}", f"run_dir={run_dir}", asked))
    assert not run_dir.exists()


SMALL = ("length=512", "batch_size=2", "model.width=16", "model.heads=2", "model.layers=1")


def asked_of(dataset, run_dir, *more: str):
    given = (f"dataset={dataset}", f"run_dir={run_dir}", "valid_batches=0", "limit=1", *SMALL)
    return config("tokens", *given, *more)


def test_training_that_is_told_to_end_saves_what_it_has_and_goes_on(dataset, tmp_path, capsys):
    told = Stop()
    told.signal = signal.SIGTERM
    graph, params = nnx.split(build_text_model(asked_of(dataset, tmp_path)), nnx.Param)
    train(asked_of(dataset, tmp_path), graph, params, tmp_path, told)
    assert f"{tmp_path} is saved at step 1; the same" in capsys.readouterr().out
    train(asked_of(dataset, tmp_path, "steps=3"), graph, params, tmp_path, lambda: False)
    assert Checkpointer(tmp_path).steps() == [1, 3]
    with pytest.raises(UserError, match="is at step 3 already, behind steps=2"):
        train(asked_of(dataset, tmp_path, "steps=2"), graph, params, tmp_path, lambda: False)


def test_a_run_goes_on_as_it_was_begun_and_in_one_process(dataset, tmp_path):
    write_run(tmp_path, asked_of(dataset, tmp_path), {})
    with pytest.raises(UserError, match="was begun with form=delta, now it is full"):
        trained_text(asked_of(dataset, tmp_path, "form=full"))
    with claim(tmp_path), pytest.raises(UserError, match="another process trains in"):
        trained_text(asked_of(dataset, tmp_path, "limit=2"))


def test_texts_that_have_no_room_are_missing(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(tokens, "generations", lambda *_: [])
    cfg = asked_of(dataset, tmp_path, "modes=[open]", "limit=null")
    found = score_texts(cfg, build_text_model(cfg), tmp_path)["open"]
    assert found["n_missing"] == found["n_traces"] > 0 and found["state_exact_match"] == 0


def test_a_form_that_is_not_there_is_told(tmp_path):
    cfg = config("tokens", "dataset=none", f"run_dir={tmp_path}", "form=short")
    with pytest.raises(UserError, match="unknown form 'short'; there are: full, delta"):
        run_tokens(cfg)
