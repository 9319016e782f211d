import json
import subprocess
import sys

import pytest

from tracer.__main__ import main
from tracer.cwm import parse, resolve
from tracer.schema import VERSION, load_trace

SOURCE = """\
def f(n):
    total = [n]
    return total
print('loud')
if __name__ == '__main__':
    m = 7
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(SOURCE)
    return path


def test_the_command_shows_a_table_of_the_call(file):
    command = [sys.executable, "-m", "tracer", str(file), "--call", "f(31)"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("f, Python", "total = [n]", "total = [31]", "return [31]", "n = 31"):
        assert text in done.stdout


def test_without_a_call_the_file_itself_is_run(file, capsys):
    assert main([str(file)]) == 0
    shown = capsys.readouterr()
    assert "m = 7" in shown.out
    assert shown.err == ""


def test_jsonl_is_one_line_that_holds_the_trace(file, capsys):
    assert main([str(file), "--call", "f('é')", "--format", "jsonl"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["version"] == VERSION
    trace = load_trace(line.encode())
    assert (trace.source, trace.input, trace.stdout) == (SOURCE, "f('é')", "loud\n")
    assert [event.kind for event in trace.events] == ["call", "line", "line", "return"]


def test_cwm_is_a_text_that_is_read_back(file, capsys):
    assert main([str(file), "--call", "f('é')", "--format", "cwm"]) == 0
    text = parse(capsys.readouterr().out)
    assert (text.source, text.ended) == (SOURCE, True)
    states = [{"n": "'é'"}, {"n": "'é'"}, {"n": "'é'", "total": "['é']"}, None]
    assert list(resolve(text.frames)) == states
    assert [frame.arg for frame in text.frames] == [None, None, None, "['é']"]


def test_the_dialect_of_cwm_is_an_option(file, capsys):
    arguments = [str(file), "--call", "f(1)", "--format", "cwm"]
    assert main([*arguments, "--dialect", "debugger"]) == 0
    assert '{"..": "..", "total": "[1]"}' in capsys.readouterr().out
    assert main([*arguments, "--diff", "none"]) == 0
    assert '".."' not in capsys.readouterr().out
    assert main([*arguments, "--main"]) == 0
    assert "def main():  # << START_OF_TRACE" in capsys.readouterr().out
    assert main([str(file), "--format", "cwm", "--main"]) == 2
    assert capsys.readouterr().err == "'file' is not a plain call of <module>\n"


@pytest.mark.parametrize(
    ("source", "call", "complaint"),
    [
        ("x = 1\ndef f(:\n", None, "rejected: SyntaxError in line 2: "),
        ("if 1:\nx = 1", None, "rejected: IndentationError in line 2: "),
        ("x = 1\0", None, "rejected: "),
        (b"\xff", None, 'rejected: SyntaxError("invalid or missing encoding'),
        (
            "def f():\n    raise KeyError('missing\\nkey')",
            "f()",
            "f(): exception: KeyError('missing",
        ),
        ("x = 1", "f(3)", "f(3): exception: NameError(\"name 'f' is not defined\")"),
        ("x = 1", "f(", "f(: rejected: SyntaxError in line 1: "),
        ("import os; os._exit(0)", None, ": killed"),
        ("import time; time.sleep(9)", None, ": timeout"),
        ("raise MemoryError", None, ": memory: MemoryError()"),
    ],
)
def test_what_has_no_full_trace_is_one_line_on_stderr(tmp_path, capsys, source, call, complaint):
    path = tmp_path / "program.py"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    arguments = [str(path), "--seconds", "1"] + (["--call", call] if call else [])
    assert main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert "Traceback" not in line


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbfname = '\xc3\xa9'\n",
        b"# -*- coding: latin-1 -*-\nname = '\xe9'\n",
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nname = '\xe9'\n",
    ],
    ids=["byte order mark", "latin-1", "cp1252"],
)
def test_a_file_is_read_in_the_encoding_that_it_names(tmp_path, capsys, source):
    path = tmp_path / "program.py"
    path.write_bytes(source)
    assert main([str(path)]) == 0
    assert "name = 'é'" in capsys.readouterr().out


def test_what_the_program_printed_is_shown_and_cut_where_it_is_long(tmp_path, capsys):
    path = tmp_path / "program.py"
    path.write_text("print('[bold]x[/bold]')\nprint('y' * 5000)\n")
    assert main([str(path)]) == 0
    out = capsys.readouterr().out
    assert "printed:\n[bold]x[/bold]\n" in out
    assert out.endswith("... of 5016 characters\n")


def test_a_trace_that_is_cut_off_or_empty_says_so(tmp_path, capsys):
    path = tmp_path / "program.py"
    path.write_text("def f():\n    for i in range(9):\n        pass\n")
    assert main([str(path), "--call", "f()", "--events", "5"]) == 0
    assert capsys.readouterr().err == "f(): the trace is cut off after 5 events\n"


@pytest.mark.parametrize("call", ["len('x')", "f"])
def test_a_call_that_runs_no_code_of_the_file_is_an_error(file, capsys, call):
    assert main([str(file), "--call", call]) == 1
    assert capsys.readouterr() == ("", f"{call}: no code of {file} ran\n")


def test_what_a_syntax_error_is_in_is_named(tmp_path, capsys):
    path = tmp_path / "program.py"
    path.write_text("x = 1\ndef f(:\n")
    assert main([str(path), "--call", "f(3)"]) == 1
    assert capsys.readouterr().err.startswith(f"{path}: rejected: SyntaxError in line 2: ")
    path.write_text("x = 1\n")
    assert main([str(path), "--call", "f("]) == 1
    assert capsys.readouterr().err.startswith("f(: rejected: SyntaxError in line 1: ")


def test_a_call_that_is_ended_has_the_name_of_its_function(tmp_path, capsys):
    path = tmp_path / "program.py"
    path.write_text("import time\ndef f():\n    time.sleep(9)\n")
    assert main([str(path), "--call", "f()", "--seconds", "1"]) == 1
    assert "f, Python" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--call", ""], "argument --call: '' is no call such as 'f(3)'"),
        (["--main"], "--main: for --format cwm alone"),
        (["--diff=none", "--format=jsonl"], "--diff: for --format cwm alone"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(file, capsys, arguments, said):
    with pytest.raises(SystemExit, match="2"):
        main([str(file), *arguments])
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_deep_calls_are_numbered_and_not_indented_further(tmp_path, capsys):
    path = tmp_path / "program.py"
    path.write_text("def down(number):\n    return number and down(number - 1)\n")
    assert main([str(path), "--call", "down(40)"]) == 0
    out = capsys.readouterr().out
    assert out.count("return number and down(number - 1)") == 2 * 41
    assert "            40: return number" in out


@pytest.mark.parametrize("option", ["--seconds=0", "--seconds=nan", "--events=0", "--events=x"])
def test_a_limit_is_a_number_above_0(capsys, option):
    with pytest.raises(SystemExit, match="2"):
        main(["program.py", option])
    assert option.split("=")[1] in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_a_file_that_cannot_be_read_is_one_line_on_stderr(tmp_path, capsys, name):
    assert main([str(tmp_path / name)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith("cannot read ")


def test_a_program_that_fails_still_shows_how_far_it_came(tmp_path, capsys):
    path = tmp_path / "program.py"
    path.write_text("x = 1\ny = 2\nz = x / 0\n")
    assert main([str(path)]) == 1
    assert "y = 2" in capsys.readouterr().out
