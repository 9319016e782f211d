"""Planning: a hole is filled, what is imagined to end as wanted is run first, and runs decide."""

import json

import pytest
from tiny import config

from experiments.begin import begin
from experiments.command import UserError
from experiments.plan import Guess, agreement, fill, ranked, read_wanted, tried, true_end
from experiments.puzzles import main
from experiments.rivals import executed, puzzles

PROGRAM = "def f(n, k):\n    total = n\n    ...\n    return total * 2\n"
CALL = "f(3, 4)"
CANDIDATES = ["total -= k", "total += k", "pass"]


@pytest.mark.parametrize(
    ("source", "candidates", "message"),
    [
        (PROGRAM.replace("...", "pass"), CANDIDATES, "f has no hole"),
        (PROGRAM.replace("total = n", "..."), CANDIDATES, "f has 2 holes"),
        (PROGRAM, [], "no candidates"),
        (PROGRAM, ["total +"], "'total \\+' makes no program"),
        (PROGRAM, ["break"], "'break' makes no program"),
        (PROGRAM.replace("def f", "def g"), CANDIDATES, "no function 'f'.*there are: g"),
    ],
)
def test_what_cannot_be_filled_is_told_in_one_line(source, candidates, message):
    with pytest.raises(UserError, match=message) as error:
        fill(source, CALL, candidates)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("written", ["3", "{}", "{'1x': 3}", "{x: 3}", "{"])
def test_what_is_wanted_is_named_values(written):
    with pytest.raises(UserError, match="wanted"):
        read_wanted(written)


def test_what_ends_as_wanted_comes_first_and_then_what_ends_nearly_so():
    guesses = [
        Guess(0, 0.5, 0.6, -0.1, {}),
        Guess(1, 1.0, 1.0, -5.0, {}),
        Guess(2, 0.5, 0.9, -9.0, {}),
        Guess(3, 1.0, 1.0, -2.0, {}),
    ]
    assert [each.candidate for each in sorted(guesses, key=lambda g: g.rank)] == [3, 1, 2, 0]


def test_candidates_are_run_in_order_until_one_ends_as_wanted(predictor):
    wanted = read_wanted("{'return': 14, 'total': 7}")
    filled = fill(PROGRAM, CALL, CANDIDATES)
    start = begin(PROGRAM, CALL, {}, 12)
    guesses = ranked(predictor, [start._replace(source=each) for each in filled], wanted)
    assert sorted(each.candidate for each in guesses) == [0, 1, 2]
    cfg = config("plan", "run=r", "program=p", f"call='{CALL}'", "candidates=c", "wanted=w")
    found = tried(guesses, CANDIDATES, filled, cfg, wanted)
    [right] = [number for number, each in enumerate(found) if each.reached]
    assert found[right].statement == "total += k"
    assert [each.true is not None for each in found] == [n <= right for n in range(3)]


def test_a_puzzle_has_the_statement_that_was_taken_out_and_no_other_twice(traces):
    posed = list(puzzles(traces, 4, 0))
    assert posed
    for puzzle in posed:
        own = puzzle.candidates[puzzle.right]
        assert puzzle.hole.filled(own) == puzzle.trace.source
        assert len(set(puzzle.candidates)) == 4
        assert puzzle.hole.line in {each.line for each in executed(puzzle.trace)}
        end = true_end(puzzle.trace)
        assert agreement(end, end) == 1


def test_puzzles_with_one_right_candidate_are_measured_against_one_in_so_many(
    run_main, run, predictor, tmp_path, monkeypatch
):
    monkeypatch.setattr("experiments.puzzles.Predictor.of_run", lambda folder: predictor)
    given = (f"run={run.folder}", "suite=heldout", "candidates=3", f"out={tmp_path / 'found.json'}")
    code, printed, error = run_main(main, *given, "processes=1", "limit=6")
    assert (code, error) == (0, "")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["n"] == len(found["puzzles"]) > 0 and found["right"] == 1
    assert found["first_random"] == pytest.approx(1 / 3) and found["runs_random"] == 2
    for puzzle in found["puzzles"]:
        assert [each["taken_out"] for each in puzzle["candidates"]] == [
            each["right"] for each in puzzle["candidates"]
        ]
    assert f"{found['n']} programs" in printed
