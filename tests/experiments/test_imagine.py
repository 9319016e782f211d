"""One program, imagined beside what truly happens."""

import pytest

from experiments.imagine import main

ADD = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n"
WIDE = "def f():\n    text = 'ab' * 100\n    number = 10**59 + 1\n    small = 3\n    return small\n"


@pytest.fixture
def file(tmp_path):
    def write(source: str) -> str:
        (tmp_path / "program.py").write_text(source)
        return f"program={tmp_path / 'program.py'}"

    return write


@pytest.fixture
def imagine(run_main, run, predictor, monkeypatch):
    """The command; its model is loaded once for all tests."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("experiments.imagine.Predictor.of_run", lambda folder: predictor)
        return run_main(main, f"run={run.folder}", *arguments)

    return call


@pytest.mark.parametrize("mode", ["open", "filter"])
def test_every_step_is_shown_as_it_was_and_as_it_was_imagined(imagine, file, mode):
    code, printed, error = imagine(file(ADD), "call=f(2)", f"mode={mode}")
    assert (code, error) == (0, "")
    assert f"f, {mode} mode: true and imagined" in printed
    assert printed.count("total += i") == 2
    assert "total = 1" in printed
    assert "returned 1, imagined" in printed
    assert "of 7 states are wholly right" in printed


def test_the_model_of_the_run_is_what_imagines(run_main, run, file):
    code, printed, error = run_main(main, f"run={run.folder}", file(ADD), "call=f(1)")
    assert (code, error) == (0, "")
    assert "returned 0, imagined" in printed


def test_a_file_can_be_run_as_it_is(imagine, file):
    code, printed, error = imagine(file("a = 1\nb = a + 1\n"))
    assert (code, error) == (0, "")
    assert "b = 2" in printed


def test_values_that_the_encoding_cannot_hold_are_named_and_the_rest_goes_on(imagine, file):
    code, printed, error = imagine(file(WIDE), "call=f()")
    assert (code, error) == (0, "")
    first, second, *rest = printed.splitlines()
    assert first == f"step 1: the encoding cannot hold text = {repr('ab' * 100)[:60]}..."
    assert second == f"step 2: the encoding cannot hold number = {10**59 + 1}"
    assert not any("cannot hold" in line for line in rest)
    assert "returned 3, imagined" in printed


def test_more_variables_than_slots_are_counted(imagine, file):
    body = "".join(f"    v{n} = {n}\n" for n in range(11))
    code, printed, error = imagine(file(f"def f():\n{body}    return 0\n"), "call=f()")
    assert (code, error) == (0, "")
    assert "3 variables have no slot and are left out" in printed


def test_a_call_that_raises_is_shown_and_then_said(imagine, file):
    source = "def f(n):\n    a = n\n    return a // 0\n"
    code, printed, error = imagine(file(source), "call=f(3)")
    assert code == 1
    assert "a = n" in printed and "states are wholly right" in printed
    zero = "f(3): exception: ZeroDivisionError('integer division or modulo by zero')"
    assert error == f"error: {zero}"


@pytest.mark.parametrize("mode", ["open", "free", "nested"])
def test_an_exception_is_shown_as_one_and_which(imagine, file, mode):
    source = "def f(n):\n    a = n\n    return {}[a]\n"
    _, printed, _ = imagine(file(source), "call=f(3)", f"mode={mode}")
    raised = "KeyError(3)"
    if mode == "open":
        assert "raises KeyError(3), imagined" in printed
    else:
        assert f"truly raised {raised}; imagined: " in printed
        assert "unwind;" not in printed


@pytest.mark.parametrize("mode", ["open", "free"])
def test_a_true_trace_that_is_cut_off_is_said_to_be(imagine, file, mode):
    code, printed, error = imagine(file(ADD), "call=f(9)", "limits.events=6", f"mode={mode}")
    assert (code, error) == (0, "")
    assert printed.startswith("f(9): the trace is cut off after 6 events\n")
    if mode == "free":
        assert "truly at line 4, without an end; imagined: " in printed


def test_the_call_itself_is_imagined_and_those_of_its_arguments_are_named(imagine, file):
    source = "def two():\n    n = 2\n    return n\n" + ADD
    code, printed, error = imagine(file(source), "call=f(two())")
    assert (code, error) == (0, "")
    assert printed.startswith("calls before it that are not imagined: two\n")
    assert "f, open mode" in printed and "returned 1, imagined" in printed


@pytest.mark.parametrize("first", [b"\xef\xbb\xbf", b"# -*- coding: latin-1 -*-\n"])
def test_a_program_is_read_in_the_encoding_that_it_names(imagine, tmp_path, first):
    letter = b"\xe9" if b"latin" in first else "é".encode()
    path = tmp_path / "program.py"
    path.write_bytes(first + b"def f():\n    name = '" + letter + b"'\n    return name\n")
    code, printed, error = imagine(f"program={path}", "call=f()")
    assert (code, error) == (0, "")
    assert "returned 'é', imagined" in printed


@pytest.mark.parametrize(
    "source, arguments, said",
    [
        ("def f(:\n", ("call=f(3)",), "{file}: rejected: SyntaxError in line 1: "),
        (
            "# coding: nothing\n",
            ("call=f(3)",),
            "{file}: rejected: SyntaxError(",
        ),
        (ADD, ("call=len([1])",), "len([1]): no code of {file} ran"),
        (ADD, ("call=f(",), "f(: rejected: SyntaxError in line 1: "),
        (ADD, ("call=g(3)",), """g(3): exception: NameError("name 'g' is not defined")"""),
        ("raise ValueError(1)", ("call=f(3)",), "f(3): exception: ValueError(1)"),
        (ADD, ("call=f(3)", "mode=opn"), "unknown mode 'opn'; this model has: filter, open"),
        (ADD, ("call=f(3)", "program=nowhere.py"), "[Errno 2] No such file or directory: 'nowhe"),
        (ADD, ("cal=f(3)",), "unknown key 'cal'; the nearest is 'call'"),
    ],
)
def test_what_cannot_be_imagined_is_said_in_one_line(imagine, file, source, arguments, said):
    given = file(source)
    code, printed, error = imagine(given, *arguments)
    assert code == 1
    assert error.startswith(f"error: {said}".replace("{file}", given.partition("=")[2]))
    assert "\n" not in error.strip()
    assert printed == ""


def test_a_run_that_is_not_there_is_said_in_one_line(run_main, file):
    code, printed, error = run_main(main, "run=nowhere", file(ADD), "call=f(3)")
    assert (code, printed) == (1, "")
    assert error == "error: no run at nowhere: config.yaml is missing"


def test_a_run_of_another_version_is_said_in_one_line(run_main, run, file, tmp_path):
    (tmp_path / "run").mkdir()
    for name, old, new in (("config.yaml", "", ""), ("schema.json", "windows-v2", "windows-v0")):
        text = (run.folder / name).read_text()
        (tmp_path / "run" / name).write_text(text.replace(old, new) if old else text)
    code, _, error = run_main(main, f"run={tmp_path / 'run'}", file(ADD), "call=f(3)")
    assert code == 1
    assert error.endswith("has schema version 'windows-v0'; this program reads 'windows-v2'")
