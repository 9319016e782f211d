"""Scoring what other models wrote, against figures worked out by hand."""

import json

import pytest

from experiments.command import UserError
from experiments.evaluate import main
from experiments.others import judged, read_predictions
from tracer import cwm
from tracer.sandbox import Sandbox
from tracer.schema import Program

SOURCE = """def f(n):
    a = n
    b = a + 1
    a = b
    return a
"""
# The states before each line of f(2), and at its return.
TRUE = [
    {"n": "2"},
    {"n": "2", "a": "2"},
    {"n": "2", "a": "2", "b": "3"},
    {"n": "2", "a": "3", "b": "3"},
    {"n": "2", "a": "3", "b": "3"},
]

MAIN = "<|line_sep|>{}<|action_sep|>    return f(2)\n<|frame_sep|>"
CALL = '<|call_sep|>{"n": "2"}<|action_sep|>def f(n):\n<|frame_sep|>'
LINES = [
    '<|line_sep|>{"n": ".."}<|action_sep|>    a = n\n<|frame_sep|>',
    '<|line_sep|>{"n": "..", "a": "2"}<|action_sep|>    b = a + 1\n<|frame_sep|>',
    '<|line_sep|>{"n": "..", "a": "..", "b": "3"}<|action_sep|>    a = b\n<|frame_sep|>',
    '<|line_sep|>{"n": "..", "a": "3", "b": ".."}<|action_sep|>    return a\n<|frame_sep|>',
]
RETURN = '<|return_sep|><|action_sep|>    return a\n<|arg_sep|>"3"<|frame_sep|>'
LEFT = '<|return_sep|><|action_sep|>    return f(2)\n<|arg_sep|>"3"<|frame_sep|><|end_of_text|>'
RIGHT = "".join([MAIN, CALL, *LINES, RETURN, LEFT])


@pytest.fixture(scope="module")
def trace():
    with Sandbox() as box:
        return box.run_program(Program(SOURCE, "f(2)", "cruxeval/sample_7")).trace


def figures(trace, mode="free", **line) -> dict:
    return judged({"sample_7": [{"id": "sample_7", "mode": mode, **line}]}, [trace]).figures


def three(part) -> list[float]:
    return [part[name] for name in ("state_exact_match", "key_match", "key_value_match")]


def test_the_text_written_by_hand_is_what_a_right_model_writes(trace):
    whole = cwm.write(cwm.as_main(trace))
    prompt = "<|call_sep|>{}<|action_sep|>def main():\n<|frame_sep|>"
    assert whole.partition(prompt)[2] == RIGHT


def test_right_text_gets_full_marks(trace):
    found = figures(trace, generation=RIGHT)
    assert three(found["free"]) == [1, 1, 1]
    assert found["free"]["output_pass_at_1"] == found["free"]["effect_accuracy"] == 1
    for reading in found["free"]["cwm"].values():
        assert three(reading) == [1, 1, 1]
        assert reading["action_exact_match"] == reading["valid_format"] == 1


def test_a_mistake_counts_in_both_readings_as_it_does_by_hand(trace):
    """b is 4 where it is 3, and a after it."""
    text = RIGHT.replace('"b": "3"', '"b": "4"').replace('"a": "3"', '"a": "4"')
    found = figures(trace, generation=text)
    # lines 2, 3, 4: whole; {n2 a2 b4} of {n2 a2 b3}: 2/4; {n2 a4 b4} of {n2 a3 b3}: 1/5
    assert three(found["free"]) == pytest.approx([1 / 3, 1, (1 + 1 / 2 + 1 / 5) / 3])
    # main's line, the call and four lines
    resolved = [4 / 6, 1, (4 + 1 / 2 + 1 / 5) / 6]
    assert three(found["free"]["cwm"]["resolved"]) == pytest.approx(resolved)
    # as written: {n.. a.. b4} of {n.. a.. b3}: 2/4; {n.. a4 b..} of {n.. a3 b..}: 2/4
    written = [4 / 6, 1, (4 + 1 / 2 + 1 / 2) / 6]
    assert three(found["free"]["cwm"]["as_written"]) == pytest.approx(written)


def test_broken_text_earns_what_comes_before_the_break(trace):
    text = "".join([MAIN, CALL, *LINES[:2], LINES[2][:30]])
    found = figures(trace, generation=text)
    assert three(found["free"]) == pytest.approx([1 / 3] * 3)
    assert found["free"]["output_pass_at_1"] == 0
    for reading in found["free"]["cwm"].values():
        assert three(reading) == pytest.approx([4 / 6] * 3)
        assert reading["valid_format"] == 0
        assert reading["action_exact_match"] == pytest.approx(4 / 8)  # with both returns


@pytest.mark.parametrize("text", ["", "no frames at all", "<|line_sep|>{}", RIGHT[10:]])
def test_text_that_is_broken_from_the_start_earns_nothing(trace, text):
    found = figures(trace, generation=text)
    assert three(found["free"]) == [0, 0, 0]
    assert three(found["free"]["cwm"]["resolved"]) == [0, 0, 0]


def test_a_line_too_many_is_wrong(trace):
    text = "".join([MAIN, CALL, *LINES, LINES[3], RETURN, LEFT])
    found = figures(trace, generation=text)
    assert three(found["free"]) == pytest.approx([3 / 4] * 3)
    assert three(found["free"]["cwm"]["resolved"]) == pytest.approx([6 / 7] * 3)


def test_the_call_frame_of_the_prompt_may_be_said_again(trace):
    again = "<|call_sep|>{}<|action_sep|>def main():\n<|frame_sep|>" + RIGHT
    assert three(figures(trace, generation=again)["free"]) == [1, 1, 1]


def test_frames_are_scored_from_the_second_on(trace):
    found = figures(trace, frames=[{}, *TRUE[1:]], output="3")
    assert three(found["free"]) == [1, 1, 1]
    assert found["free"]["output_pass_at_1"] == 1
    assert "cwm" not in found["free"]


def test_missing_names_missing_frames_and_what_is_no_frame_are_wrong(trace):
    guess = [TRUE[0], {"n": "2"}, ["no", "frame"], {"n": "2", "a": 3, "b": "3"}]
    found = figures(trace, frames=guess)
    # {n2} of {n2 a2}: 1/2; then nothing, nothing and nothing
    assert three(found["free"]) == pytest.approx([0, 1 / 8, 1 / 8])


def test_steps_that_are_missing_do_not_count_as_unchanged(trace):
    found = figures(trace, frames=TRUE[:1])["free"]
    assert found["effect_free_accuracy"] == found["effect_accuracy"] == 0


def test_frames_beyond_the_end_are_wrong(trace):
    found = figures(trace, frames=[*TRUE, TRUE[4]])
    assert three(found["free"]) == pytest.approx([4 / 5] * 3)


def test_when_filtering_effects_are_from_the_true_frame_before(trace):
    guess = [TRUE[0], {"n": "2", "a": "9"}, *TRUE[2:]]
    found = {mode: figures(trace, mode, frames=guess)[mode] for mode in ("filter", "open")}
    # a=2, b=3, a=3, nothing. Predicted in the open: a=9; a=2 and b=3; a=3; nothing
    assert found["open"]["effect_accuracy"] == pytest.approx(1 / 3)
    assert found["filter"]["effect_accuracy"] == pytest.approx(2 / 3)
    assert (
        found["filter"]["copy"]["effect_accuracy"] == found["open"]["copy"]["effect_accuracy"] == 0
    )


def test_a_call_without_a_prediction_is_wrong_and_counted(trace):
    with Sandbox() as box:
        other = box.run_program(Program(SOURCE, "f(3)", "cruxeval/sample_8")).trace
    line = {"id": "sample_7", "mode": "free", "generation": RIGHT}
    found = judged({"sample_7": [line], "sample_9": []}, [trace, other]).figures
    assert found["free"]["n_missing"] == 1 and found["n_unknown"] == 1
    assert three(found["free"]) == [1 / 2, 1 / 2, 1 / 2]
    assert three(found["free"]["cwm"]["resolved"]) == [1 / 2, 1 / 2, 1 / 2]


def test_every_mode_has_all_calls_and_figures_of_its_own(trace):
    with Sandbox() as box:
        other = box.run_program(Program(SOURCE, "f(3)", "cruxeval/sample_8")).trace
    right = {"id": "sample_7", "mode": "open", "generation": RIGHT}
    lines = [right, right | {"mode": "free", "generation": ""}]
    found = judged({"sample_7": lines, "sample_8": [right | {"id": "sample_8"}]}, [trace, other])
    figures = found.figures
    assert [figures[mode]["n_traces"] for mode in ("open", "free")] == [2, 2]
    assert [figures[mode]["n_missing"] for mode in ("open", "free")] == [0, 1]
    assert figures["open"]["cwm"]["resolved"]["valid_format"] == 1
    assert figures["free"]["cwm"]["resolved"]["valid_format"] == 0


def test_one_call_by_two_names_is_told(trace):
    lines = {id: [{"id": id, "mode": "free", "frames": TRUE}] for id in ("sample_7", trace.id)}
    with pytest.raises(ValueError, match="'sample_7' and id .* are the same call"):
        judged(lines, [trace])


def test_the_call_under_test_is_the_last_one_and_not_what_made_its_arguments():
    with Sandbox() as box:
        trace = box.run_program(Program(SOURCE, "f(f(1))", "cruxeval/sample_7")).trace
    assert three(figures(trace, frames=TRUE)["free"]) == [1, 1, 1]


def test_what_is_missing_is_no_state_without_variables():
    with Sandbox() as box:
        source = "def g():\n    print()\n    return 1\n"
        trace = box.run_program(Program(source, "g()", "cruxeval/sample_7")).trace
    line = {"id": "sample_7", "mode": "free", "frames": [{}]}
    [found] = judged({"sample_7": [line]}, [trace]).lines
    assert found["true"][-1] == {} and found["predicted"][-1] is None


@pytest.mark.parametrize(
    "text, message",
    [
        ("[]", "line 1: no object with an `id`"),
        ("{", "line 1: Expecting property name"),
        ('{"id": "a"}', "line 1: neither `frames`"),
        ('{"id": "a", "frames": [], "mode": "shut"}', "line 1: unknown mode 'shut'"),
        ('{"id": "a", "frames": []}\n{"id": "a", "frames": []}', "line 2: id 'a' was there"),
        ('{"id": "a", "frames": []}\n{"id": "a", "frames": [], "mode": "free"}', "line 2: id 'a'"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path, text, message):
    path = tmp_path / "predictions.jsonl"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_predictions(path)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_line_ends_where_json_lines_do_and_bytes_are_utf_8(tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_text('{"id": "a", "frames": [{"s": "\u2028"}]}\n', encoding="utf-8")
    assert read_predictions(path)["a"][0]["frames"] == [{"s": "\u2028"}]
    path.write_bytes(b'{"id": "\xff", "frames": []}')
    with pytest.raises(UserError, match="predictions.jsonl is no text in UTF-8: .*0xff"):
        read_predictions(path)


def test_the_command_scores_a_file_against_a_suite(tmp_path, run_main):
    suite, path = tmp_path / "cruxeval.jsonl", tmp_path / "theirs.jsonl"
    suite.write_text(json.dumps({"code": SOURCE, "input": "2", "output": "3", "id": "sample_7"}))
    path.write_text(json.dumps({"id": "sample_7", "generation": RIGHT}))
    arguments = (f"predictions={path}", "suite=cruxeval", f"suite.path={suite}", "processes=1")
    code, printed, _ = run_main(main, *arguments)
    assert code == 0 and "state_exact_match" in printed
    result = json.loads((tmp_path / "theirs.eval" / "cruxeval.json").read_text())
    assert (
        result["free"]["state_exact_match"] == result["free"]["cwm"]["as_written"]["key_match"] == 1
    )
    line = json.loads((tmp_path / "theirs.eval" / "cruxeval.predictions.jsonl").read_text())
    assert line["true"] == line["predicted"] == TRUE[:4]


def test_predictions_of_another_suite_are_told_in_one_line(tmp_path, run_main):
    suite, path = tmp_path / "cruxeval.jsonl", tmp_path / "theirs.jsonl"
    suite.write_text(json.dumps({"code": SOURCE, "input": "2", "output": "3", "id": "sample_7"}))
    path.write_text(json.dumps({"id": "sample_70", "generation": RIGHT}))
    arguments = (f"predictions={path}", "suite=cruxeval", f"suite.path={suite}", "processes=1")
    code, _, error = run_main(main, *arguments)
    assert code == 1 and "no `id` of the predictions is in the suite" in error
    assert not (tmp_path / "theirs.eval").exists()
