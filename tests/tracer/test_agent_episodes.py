"""Episodes in a project of a few lines: what is recorded, and that a seed gives it again."""

import shutil
from pathlib import Path

import pytest

from tracer.agent import play as player
from tracer.agent import policies
from tracer.agent.episode import Episode, kind_of
from tracer.agent.play import play, prepared
from tracer.agent.policies import POLICIES
from tracer.agent.subject import prepare
from tracer.agent.workspace import Files
from tracer.corpora.agent import programs
from tracer.corpora.split import group
from tracer.sandbox import Limits, SandboxError
from tracer.sandbox.shell import Shell
from tracer.schema import Event, Program, dump_trace, load_trace
from tracer.tokens import encode_statement
from tracer.values import render

LIMITS = Limits(wall_s=10, cpu_s=10, output_kib=256, memory_mib=1024)
STACK = """\
class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)
        return len(self.items)

    def pop(self):
        return self.items.pop()

    def never_called(self):
        return self.items[0] + 1
"""
TESTS = """\
from stack import Stack


def test_push():
    assert Stack().push(3) == 1


def test_pop():
    stack = Stack()
    stack.push(3)
    assert stack.pop() == 3
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("projects") / "tiny_stack-1.0.2"
    (folder / "docs").mkdir(parents=True)
    (folder / "stack.py").write_text(STACK)
    (folder / "test_stack.py").write_text(TESTS)
    (folder / "test_broken.py").write_text("import nowhere\n")
    return folder


@pytest.fixture(scope="module")
def sandboxed(tmp_path_factory) -> None:
    try:
        Shell(LIMITS, tmp_path_factory.mktemp("workspace")).close()
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture
def episode(project, tmp_path, sandboxed):
    shutil.copytree(project, tmp_path / "work")
    with Shell(LIMITS, tmp_path / "work") as shell:
        yield Episode(shell)


def frames(events: list[Event]) -> list[dict[str, str]]:
    return [{name: render(value) for name, value in event.locals.items()} for event in events]


def test_an_episode_is_a_trace_of_its_actions_and_of_what_they_showed(episode):
    assert episode.run("wc -l < stack.py; false").status == 1
    assert episode.edit("stack.py", 10, "        return self.items.pip()").changed == 1
    assert episode.run("python -m pytest test_stack.py").error == "AttributeError"
    trace = episode.trace("by_hand", "example/stack")
    assert trace.source == (
        "status, changed, error = !wc -l < stack.py; false\n"
        "status, changed, error = edit stack.py:10\n"
        "-         return self.items.pop()\n"
        "+         return self.items.pip()\n"
        "status, passed, failed, error = !python -m pytest test_stack.py\n"
    )
    assert [event.lineno for event in trace.events] == [1, 2, 5, 6]
    assert {event.kind for event in trace.events} == {"line"}
    kinds = [kind_of(event.statement) for event in trace.events[:-1]]
    assert kinds == ["command", "edit", "tests"]
    shown = [render(event.arg) if event.arg else None for event in trace.events]
    assert shown == [None, "'13'", "'1 changed'", "'1 failed, 1 passed'"]
    first, after_command, after_edit, last = frames(trace.events)
    assert first == {
        "status": "0",
        "changed": "0",
        **dict.fromkeys(("passed", "failed"), "None"),
    } | {"error": "None"}
    assert after_command == first | {"status": "1"}
    assert after_edit == first | {"changed": "1"}
    counts = {"passed": "1", "failed": "1", "error": "AttributeError()"}
    assert last == after_edit | counts | {"status": "1"}
    assert trace.stdout.startswith("$ wc -l < stack.py; false\n13\n$ edit stack.py:10\n-   ")
    assert load_trace(dump_trace(trace)) == trace


def test_an_action_refers_to_the_variables_that_it_sets(episode):
    episode.run("ls")
    episode.edit("stack.py", 3, "        self.items = [error, passed]")
    episode.run("python -m pytest test_stack.py")
    trace = episode.trace("by_hand", "example/stack")
    slots = {name: number for number, name in enumerate(trace.events[0].locals)}
    named = [encode_statement(event.statement, slots, 64)[1:] for event in trace.events]
    assert named == [((0, 1, 4), True), ((0, 1, 4, 2), True), ((0, 2, 3, 4), True), ((), True)]


def test_an_edit_changes_the_lines_that_it_names_and_no_others(episode):
    episode.edit(
        "stack.py", 9, "    def pop(self, at=-1):", "        return self.items.pop(at)", old=2
    )
    text = (episode.shell.workspace / "stack.py").read_text()
    assert text == STACK.replace("pop(self)", "pop(self, at=-1)").replace(".pop()", ".pop(at)")
    assert episode.edit("new.py", 1, "x = 1", old=0).changed == 2
    assert episode.run("cat new.py").status == 0 and episode.response == "x = 1\n"
    for path, line in (("stack.py", 99), ("nowhere.py", 1), ("stack.py", 0)):
        before = Files(episode.shell.workspace).now()
        assert episode.edit(path, line, "x").status == 1
        assert Files(episode.shell.workspace).now() == before


def test_files_are_compared_with_how_the_episode_began_and_no_link_is_followed(episode, tmp_path):
    (tmp_path / "outside").write_text("1")
    assert episode.run("echo x > a; ln -s ../outside b; mkfifo c; mkdir d e").changed == 3
    (tmp_path / "outside").write_text("2")
    assert episode.run("rm a b c; python -c 'import stack'").changed == 0
    assert episode.run("cp stack.py d; rm stack.py; mv d/stack.py .").changed == 0


def test_a_file_that_is_longer_than_a_terminal_holds_is_edited_whole(episode):
    text = "".join(f"x{number} = {number}\n" for number in range(9000))
    episode.given("long.py", text)
    assert episode.edit("long.py", 8000, "x = 0").changed == 1
    written = (episode.shell.workspace / "long.py").read_text()
    assert written == text.replace("x7999 = 7999\n", "x = 0\n")


def test_a_subject_has_what_passing_tests_call(project, tmp_path, sandboxed):
    subject = prepare(project, tmp_path / "copy", LIMITS)
    assert subject.name == "tiny-stack" and subject.tests == ["test_stack.py"]
    [module] = subject.modules
    assert (module.path, module.tests) == ("stack.py", ("test_stack.py",))
    assert {mutation.line for mutation in module.mutations} == {3, 6, 7, 10}
    assert not (tmp_path / "copy/docs").exists()


def test_a_project_whose_tests_do_not_pass_is_refused_in_one_line(tmp_path, sandboxed):
    folder = tmp_path / "none-1.0"
    folder.mkdir()
    (folder / "test_a.py").write_text("def test_a():\n    assert 0\n")
    with pytest.raises(ValueError, match="none-1.0: none of its 1 files of tests passes"):
        prepare(folder, tmp_path / "copy", LIMITS)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_seed_gives_the_same_episode_again(project, policy, sandboxed):
    program = Program(str(project), f"{policy}(3, seed=0)", "agent/tiny-stack")
    once, again = play(program, LIMITS), play(program, LIMITS)
    assert once == again
    assert once.kind == "ok" and len(once.trace.events) > 3
    assert once.trace.entry == policy and once.trace.input == program.call


def test_who_does_not_give_up_ends_with_tests_that_pass(project, sandboxed, monkeypatch):
    monkeypatch.setattr(policies, "GIVEN_UP", 0.0)
    noticed = 0
    for number in range(4):
        call = f"mutate_and_fix({number}, seed=0)"
        trace = play(Program(str(project), call, "agent/tiny-stack"), LIMITS).trace
        last = frames(trace.events)[-1]
        assert (last["status"], last["passed"], last["failed"]) == ("0", "2", "0")
        noticed += any(frame["failed"] not in ("0", "None") for frame in frames(trace.events))
    assert noticed >= 2


def test_an_episode_that_ends_its_shell_is_kept_as_far_as_it_came(project, sandboxed, monkeypatch):
    def violent(episode, subject, random):
        episode.run("echo begun")
        while True:
            episode.run("kill -9 -1; sleep 1")

    monkeypatch.setitem(player.POLICIES, "violent", violent)
    outcome = play(Program(str(project), "violent(0)", "agent/tiny-stack"), LIMITS)
    assert outcome.kind == outcome.trace.outcome == "killed"
    assert outcome.stdout.startswith("$ echo begun\nbegun\n")
    assert frames(outcome.trace.events)[-1]["status"] == "None"


def test_nothing_of_an_episode_is_left(project, sandboxed, tmp_path, monkeypatch):
    prepared(str(project), LIMITS)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    play(Program(str(project), "shell(1)", "agent/tiny-stack"), LIMITS)
    assert list(tmp_path.iterdir()) == []


def test_episodes_go_round_the_projects_and_a_project_is_on_one_side(tmp_path):
    folders = [tmp_path / "a-1.0", tmp_path / "b_c-2.1"]
    for folder in folders:
        folder.mkdir()
    found = list(programs(folders, 12, {"mutate_and_fix": 2, "shell": 1}))
    assert [each.origin for each in found[:3]] == ["agent/a", "agent/b-c", "agent/a"]
    assert len({group(each) for each in found}) == 2
    assert len({each.call for each in found}) == 12
    assert sum("shell" in (each.call or "") for each in found) == 4
    assert found[:6] == list(programs(folders, 6, {"mutate_and_fix": 2, "shell": 1}))


@pytest.mark.parametrize(
    "projects, policies, said",
    [
        (["nowhere-1.0"], {"shell": 1}, "no folder nowhere-1.0 of a project"),
        ([], {"shell": 1}, "one folder of each"),
        (["a-1.0", "a-2.0"], {"shell": 1}, "one folder of each"),
        (["a-1.0"], {"dance": 1}, "unknown policy 'dance'; there are: mutate_and_fix, shell"),
    ],
)
def test_what_is_no_corpus_is_refused_in_one_line(projects, policies, said):
    with pytest.raises((ValueError, OSError), match=said) as error:
        next(programs(projects, 1, policies))
    assert "\n" not in str(error.value)
