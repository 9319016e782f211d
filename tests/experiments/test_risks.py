"""Risky effects: by whatever name, of whatever is called, and of nothing that only looks so."""

import pytest

from experiments.effects import Effects
from experiments.patterns import static_risk
from experiments.risks import KINDS, risks
from tracer.statements import statement_table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("os.remove(path)", {"deletion"}),
        ("if not path.unlink():", {"deletion"}),
        ("with open(name, 'w') as file:", {"writing"}),
        ("with open(name) as file:", set()),
        ("open(name, mode='rb')", set()),
        ("open(name, mode)", {"writing"}),
        ("open(*given)", {"writing"}),
        ("open(name, **given)", {"writing"}),
        ("io.open(name, 'w')", {"writing"}),
        ("io.open(name)", set()),
        ("path.open('a')", {"writing"}),
        ("path.open()", set()),
        ("path.open(mode='r', encoding='ascii')", set()),
        ("path.rename(other)", {"writing"}),
        ("path.touch()", {"writing"}),
        ("path.mkdir()", {"writing"}),
        ("path.rmdir()", {"deletion"}),
        ("path.replace(other)", {"writing"}),
        ("text.replace('a', 'b')", set()),
        ("os.chmod(path, 0)", {"writing"}),
        ("os.truncate(path, 0)", {"writing"}),
        ("shutil.copytree(a, b)", {"writing"}),
        ("os.posix_spawn(path, [], {})", {"process"}),
        ("data = subprocess.run(args).stdout", {"process"}),
        ("elif os.environ['HOME']:", {"environment"}),
        ("getattr(os, 'remove')(path)", {"deletion"}),
        ("__import__('subprocess').run(args)", {"process"}),
        ("urllib.parse.quote(text)", set()),
        ("remove = x.removes", set()),
        ("not a statement", set()),
    ],
)
def test_effects_are_read_off_a_statement(text, expected):
    assert risks(text) == expected


def kinds(source: str, at: int = -1) -> set[str]:
    """Of a statement of a program, by its place among its lines."""
    line = [*range(len(source.rstrip("\n").split("\n")) + 1)][at]
    return {each.kind for each in Effects(source).of(line, statement_table(source)[line].text)}


@pytest.mark.parametrize(
    ("imports", "text", "expected"),
    [
        ("from os import remove", "remove(x)", {"deletion"}),
        ("from os import *", "remove(x)", {"deletion"}),
        ("from shutil import rmtree as gone", "map(gone, x)", {"deletion"}),
        ("import os as o", "o.remove(x)", {"deletion"}),
        ("import os as o; erase = o.remove", "erase(x)", {"deletion"}),
        ("from subprocess import Popen", "Popen(x)", {"process"}),
        ("from urllib.request import urlopen", "with urlopen(x) as y: pass", {"network"}),
        ("from io import open as o", "o(x, 'w')", {"writing"}),
        ("from pathlib import Path", "Path.open(x, 'w')", {"writing"}),
        ("from pathlib import Path", "Path.open(x)", set()),
        ("import requests", "requests.get(x)", {"network"}),
    ],
)
def test_what_is_imported_is_known_by_any_name(imports, text, expected):
    assert kinds(f"{imports}\ndef f(x):\n    {text}\n") == expected


@pytest.mark.parametrize("name", ["requests", "socket", "subprocess"])
def test_a_variable_that_is_called_like_a_module_is_none(name):
    assert kinds(f"def f(x):\n    {name} = []\n    {name}.append(x)\n") == set()
    assert kinds(f"def f({name}):\n    {name}.append(1)\n") == set()
    assert kinds(f"{name} = []\ndef f(x):\n    {name}.append(x)\n") == set()


CALLING = """\
import os
def wipe(path): os.remove(path)
def tidy(path, depth):
    if depth:
        tidy(path, depth - 1)
    return wipe(path)
class Log:
    def __init__(self, path):
        open(path, 'w')
    def send(self):
        os.system('mail')
class Old(Log):
    pass
send_all = lambda logs: [log.send() for log in logs]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wipe(x)", {"deletion"}),
        ("tidy(x, 3)", {"deletion"}),
        ("list(map(wipe, x))", {"deletion"}),
        ("Old(x)", {"writing"}),
        ("x.send()", {"process"}),
        ("send_all(x)", {"process"}),
        ("x.sent()", set()),
    ],
)
def test_what_a_statement_calls_counts_however_deep(text, expected):
    assert kinds(f"{CALLING}def f(x):\n    {text}\n") == expected


def test_it_is_told_where_in_what_is_called_the_risk_is():
    effects = Effects(f"{CALLING}def f(x):\n    tidy(x, 1)\n")
    [found] = effects.of(16, "tidy(x, 1)")
    assert (found.kind, found.line, found.function) == ("deletion", 2, "wipe")


SCOPED = """import os, subprocess
def other(x):
    gone = os.remove
    import shutil as kept
def logged(function):
    def inner(path):
        os.environ['SEEN'] = path
        return function(path)
    return inner
class Job:
    def run(self): os.remove('a')
"""


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("def f(gone):\n    return gone(1)\n", set()),
        ("def f(x):\n    gone = x + 1\n    return gone\n", set()),
        ("def f(kept):\n    kept.rmtree('a')\n", set()),
        ("def f(x):\n    kept = x\n    kept.rmtree('a')\n", set()),
        ("def f(x, do=os.remove):\n    do(x)\n", {"deletion"}),
        ("def f(x, *, do=os.remove):\n    do(x)\n", {"deletion"}),
        ("def f(x):\n    gone = os.remove\n    def g():\n        gone(x)\n    g()\n", {"deletion"}),
        ("def f(x):\n    subprocess.run(x)\n", {"process"}),
        ("def f(x):\n    x.run()\n", {"deletion"}),
        ("@logged\ndef f(x):\n    'A docstring.'\n    return x\n", {"environment"}),
    ],
)
def test_names_are_those_of_their_scope_and_decorators_run_with_a_function(function, expected):
    assert kinds(f"{SCOPED}{function}") == expected


def test_a_function_that_calls_itself_may_come_to_all_of_its_risks():
    source = "import os\ndef f(x):\n    if x:\n        os.remove('a')\n    return f(x - 1)\n"
    assert kinds(source) == {"deletion"}


def test_only_the_kinds_that_are_asked_for_are_told():
    effects = Effects(CALLING, {"process": KINDS["process"]})
    assert effects.of(1, "wipe(x)") == [] and effects.of(1, "x.send()")


def test_the_static_checker_knows_the_same_names():
    named = {"remove(x)": "from os import remove", "o.remove(x)": "import os as o"}
    for text, imports in named.items():
        assert static_risk(f"{imports}\ndef f(x):\n    {text}\n", "f(1)") == 1
    assert static_risk("def f(requests):\n    requests.append(1)\n", "f([])") == 0
