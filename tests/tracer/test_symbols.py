"""CWM text as symbols, and the automaton that says which may follow."""

import random

import pytest

from tracer import cwm
from tracer.corpora.synthetic import programs
from tracer.cwm.symbols import NOTHING, SYMBOLS, Automaton, decode, encode
from tracer.sandbox import Sandbox


@pytest.fixture(scope="module")
def automaton() -> Automaton:
    return Automaton()


@pytest.fixture(scope="module")
def texts() -> list[str]:
    with Sandbox() as box:
        traces = [box.run_program(program).trace for program in programs(12, difficulty=2)]
    return [cwm.write(t, cwm.Options(diff=diff)) for t in traces for diff in ("none", "boundary")]


def frames_of(text: str) -> str:
    return text.partition(cwm.FRAME)[2]


def test_symbols_give_back_the_text(texts):
    for text in [*texts, "naïve <|frame_sep|>\udc80\n", ""]:
        numbers = encode(text)
        assert all(NOTHING < number < SYMBOLS for number in numbers)
        assert (
            decode([*numbers, NOTHING]) == text.encode("utf-8", "replace").decode()
            or "\udc80" in text
        )


def test_what_is_written_is_accepted(automaton, texts):
    assert all(automaton.accepts(encode(frames_of(text))) for text in texts)


@pytest.mark.parametrize(
    "text",
    [
        "<|line_sep|>{}<|frame_sep|>",
        "<|line_sep|>{,}<|action_sep|>x\n<|frame_sep|>",
        '<|line_sep|>{"a": 1}<|action_sep|>x\n<|frame_sep|>',
        '<|line_sep|>{"a": "\\x"}<|action_sep|>x\n<|frame_sep|>',
        "<|line_sep|>{}<|action_sep|>x\n<|arg_sep|>",
        '<|return_sep|>{}<|action_sep|>x\n<|arg_sep|>"1"<|frame_sep|>',
        "<|end_of_text|><|end_of_text|>",
    ],
)
def test_what_is_broken_is_not(automaton, text):
    assert not automaton.accepts(encode(text))


def test_wherever_it_goes_the_text_can_be_read(automaton):
    draw = random.Random(0)
    for _ in range(200):
        state, numbers = automaton.start, []
        while state != automaton.done and len(numbers) < 400:
            row = automaton.table[state]
            state_options = [symbol for symbol in range(SYMBOLS) if row[symbol] >= 0]
            # Characters are many: what ends a text or a line comes as often as all of them.
            others = [s for s in state_options if row[s] != state]
            symbol = draw.choice(draw.choice([state_options, others or state_options]))
            numbers.append(symbol)
            state = row[symbol]
        if state == automaton.done and len(numbers) > 1:  # no frame at all is no text
            assert cwm.parse(decode(numbers)).ended


def test_every_state_can_go_on(automaton):
    assert (automaton.table >= 0).any(1).all()
