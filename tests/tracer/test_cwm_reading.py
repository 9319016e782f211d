"""Meta's trace text, read: of a part of it, and of what is none."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cwm import TOKENS

from tracer.cwm import BadText, parse, resolve, write


@pytest.fixture(scope="module")
def text(real_traces) -> str:
    return write(real_traces[0])


def test_a_text_may_begin_with_a_frame_and_stop_after_any(text):
    whole = parse(text)
    _, *bodies = re.split(r"(?<=<\|frame_sep\|>)", text)
    for number in range(1, len(bodies)):
        assert parse("".join(bodies[number - 1 :])).frames == whole.frames[number - 1 :]
        begun = parse("".join(bodies[:number]))
        assert (begun.frames, begun.ended) == (whole.frames[:number], False)


FRAME = "<|line_sep|>{}<|action_sep|>x\n<|frame_sep|>"


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("", "frame 1, character 0: expected <|begin_of_text|>, found the end"),
        ("hello", "frame 1, character 0: expected <|begin_of_text|>, found 'hello'"),
        ("<|begin_of_text|>x", "character 17: expected a token, found 'x'"),
        ("<|begin_of_text|>", "expected <|trace_context_start|>, found the end"),
        ("<|trace_context_start|>x", "character 24: expected <|frame_sep|>, found the end"),
        ("<|action_sep|>", "expected <|begin_of_text|>, found <|action_sep|>"),
        (FRAME + "x", "frame 1, character 43: expected a token, found 'x'"),
        (FRAME + "<|arg_sep|>", "expected <|call_sep|>, <|line_sep|>, <|return_sep|>, <|exc"),
        (FRAME + "<|end_of_text|>" + FRAME, "expected nothing after the end, found <|line_sep|>"),
        (FRAME + "<|line_sep|>{}", "frame 2, character 57: expected <|action_sep|>, found the end"),
        (
            FRAME + "<|line_sep|>{<|action_sep|>x<|frame_sep|>",
            "frame 2, character 55: expected locals as a JSON object of strings, found '{'",
        ),
        ("<|line_sep|>[]<|action_sep|>x<|frame_sep|>", "expected locals as a JSON object of str"),
        ('<|line_sep|>{"x": 1}<|action_sep|>x<|frame_sep|>', "expected locals as a JSON object"),
        ("<|line_sep|>" + "[" * 10**5, "expected locals as a JSON object"),
        ("<|return_sep|>{}<|action_sep|>", "expected <|action_sep|>, found '{}'"),
        ("<|return_sep|><|action_sep|>x<|frame_sep|>", "expected <|arg_sep|>, found <|frame_sep|>"),
        (
            "<|return_sep|><|action_sep|>x<|arg_sep|>1<|frame_sep|>",
            "expected a value as a JSON str",
        ),
        ("<|return_sep|><|action_sep|>x<|arg_sep|>'1'<|frame_sep|>", "expected a value as a JSON"),
    ],
)
def test_bad_text_is_one_line_that_names_the_place_and_what_was_expected(bad, complaint):
    with pytest.raises(ValueError) as error:
        parse(bad)
    assert complaint in str(error.value)
    assert re.match(r"frame \d+, character \d+: expected ", str(error.value))
    assert "\n" not in str(error.value)


def test_what_was_read_before_bad_text_is_not_lost(text):
    good = parse(text).frames
    with pytest.raises(BadText) as error:
        parse(text.removesuffix("<|frame_sep|><|end_of_text|>"))
    assert error.value.frames == good[:-1]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*TOKENS, "{}", '"1"', '{"x": ".."}', "x", "[", ""])))
def test_any_text_is_read_or_refused_in_one_line(parts):
    try:
        frames = parse("".join(parts)).frames
        assert json.dumps(list(resolve(frames)))
    except ValueError as error:
        assert re.match(r"frame \d+", str(error)) and "\n" not in str(error)
