"""Episodes as a corpus, and what is foreseen of an agent's actions."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny import config

from experiments.agent import GUESSES, actions, episodes, foreseen, majority
from experiments.command import UserError
from experiments.predict import true_frame
from experiments.trace import main as trace
from tracer.agent.play import play
from tracer.agent.state import SET, SET_BY_TESTS, State
from tracer.sandbox import Limits, SandboxError
from tracer.sandbox.shell import Shell
from tracer.schema import Event, Trace
from tracer.store import Dataset
from tracer.tracing import JOB

EDIT, RUN = f"{', '.join(SET)} = edit a.py:1\n- x\n+ y", f"{', '.join(SET)} = !ls"
TEST = f"{', '.join(SET_BY_TESTS)} = !pytest"
WHOLE, BROKEN = (0, None), (2, "TypeError")


def episode(number: int, *steps: tuple[str, int, str | None], project: str = "toolz") -> Trace:
    """From actions, how many tests fail after each, and the error that it shows."""
    states = [State()]
    for _, failed, error in steps:
        passed = None if failed is None else 9 - failed
        states.append(State(int(error is not None), 0, passed, failed, error))
    texts = [*(text for text, _, _ in steps), ""]
    pairs = enumerate(zip(texts, states, strict=True), 1)
    events = [Event("line", 0, 0, n, text, state.values()) for n, (text, state) in pairs]
    name = f"shell({number})"
    return Trace(str(number), "", "shell", name, "", "ok", (), "", events, f"agent/{project}")


class Oracle:
    """Foresees everything; with wrong actions, nothing."""

    def cases(self, traces):
        return [SimpleNamespace(trace=trace) for trace in traces]

    def predict(self, cases, mode, shuffled=False):
        assert mode == "filter"
        for case in reversed(cases):
            true = [true_frame(event) for event in case.trace.events]
            yield SimpleNamespace(case=case, frames=[{} for _ in true] if shuffled else true)


def test_the_answers_are_set_beside_what_is_usual_and_what_was_last():
    broken = [(EDIT, 0, None), (TEST, 2, "TypeError"), (EDIT, 2, None), (TEST, 2, "TypeError")]
    training = [episode(n, *broken, (RUN, 2, None)) for n in range(3)]
    usual = majority(training)
    assert usual["failing tests", "tests"] == "2" and usual["error", "edit"] == "None"
    mended = episode(9, (TEST, 2, "TypeError"), (EDIT, 2, None), (TEST, 0, None), project="boltons")
    found = foreseen(Oracle(), [*training, mended], usual)
    assert (found["n_episodes"], found["n_actions"], found["projects"]) == (4, 18, 2)
    failing = found["questions"]["failing tests"]
    shares = {name: failing[name] for name in GUESSES}
    assert shares == {"model": 1, "majority": 7 / 8, "last": 3 / 8, "alike": 7 / 8, "shuffled": 0}
    assert failing["ci95"]["model"] == [1, 1] and failing["ahead_ci95"]["last"][0] > 0
    assert failing["by_project"]["agent/boltons"]["majority"] == 1 / 2
    assert found["questions"]["status"]["n"] == 18
    assert found["questions"]["any failing"]["n"] == 8


def test_an_action_stands_between_two_states():
    [run, test] = actions(episode(0, (RUN, 0, None), (TEST, 2, "TypeError")))
    assert (run.kind, test.kind) == ("command", "tests")
    assert test.before == run.after and test.after["error"] == "TypeError()"


def test_episodes_become_a_dataset_and_none_is_lost_when_that_is_interrupted(run_main, tmp_path):
    try:
        Shell(Limits(), tmp_path).close()
    except SandboxError as error:
        pytest.skip(str(error))
    folders = [project(tmp_path, name) for name in ("toolz-1.0", "xmltodict-1.0")]
    arguments = ("corpus=agent", f"corpus.projects=[{','.join(folders)}]", "corpus.episodes=10")
    arguments += ("processes=1", "commit_every=0", f"out={tmp_path / 'made'}")
    played = []

    def interrupted(program, *others, **asked):
        if len(played) == JOB + 1:
            raise KeyboardInterrupt
        played.append(program.call)
        return play(program, *others, **asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tracer.tracing.play", interrupted)
        code, out, _ = run_main(trace, *arguments)
    assert code == 130 and "the same command goes on" in out
    code, out, _ = run_main(trace, *arguments)
    assert code == 0 and "10 programs" in out
    dataset = Dataset(tmp_path / "made")
    calls = [trace.input for split in ("train", "test") for trace in dataset.traces(split)]
    assert len(calls) == len(set(calls)) == 10 and set(played[:JOB]) < set(calls)
    sides = {trace.origin: split for split in ("train", "test") for trace in dataset.traces(split)}
    assert sides == {"agent/toolz": "train", "agent/xmltodict": "test"}
    assert [trace.origin for trace in episodes(dataset, "test")] == ["agent/xmltodict"] * 5
    with pytest.raises(UserError, match="has no episodes of agents in its valid split"):
        episodes(dataset, "valid")
    assert dataset.layout.tokens == 64 and not list(dataset.faults())
    code, out, _ = run_main(trace, *arguments)
    assert code == 0 and "already made" in out


def project(place: Path, name: str) -> str:
    folder = place / name
    folder.mkdir()
    (folder / "code.py").write_text("def double(x):\n    return x + x\n")
    (folder / "test_double.py").write_text(
        "from code import double\n\n\ndef test_double():\n    assert double(2) == 4\n"
    )
    return str(folder)


def test_the_window_and_the_limits_are_those_of_actions():
    cfg = config("trace", "corpus=agent", "corpus.projects=[a]")
    assert cfg.window.tokens == 64 and cfg.limits.output_kib == 256
    assert config("trace", "corpus=agent", "limits.wall_s=3").limits.wall_s == 3
    assert "tokens" not in config("trace", "corpus=demo").window
