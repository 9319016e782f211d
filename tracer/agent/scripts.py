"""What is typed into a shell: commands on a project's files, and small scripts, right and wrong."""

from collections.abc import Callable
from pathlib import PurePath
from random import Random

from tracer.agent.episode import Episode
from tracer.agent.subject import Subject

Command = Callable[[Subject, Random], str]

_MISSING = ("missing.txt", "nope.py", "old/main.py", "README.old", "lib/core.py", "data.csv")
_OPTIONS = ("-l", "-a", "-1", "-d")
# An expression that is printed, and one that raises, of the same kind.
_EXPRESSIONS = (
    ("{a} + {b}", "{a} / 0"),
    ("{a} * {b}", "{a} + '{w}'"),
    ("[{a}, {b}][1]", "[{a}, {b}][{c}]"),
    ("len('{w}')", "len({a})"),
    ("'{w}'.upper()", "'{w}'.uper()"),
    ("int('{a}')", "int('{w}')"),
    ("{{'{w}': {a}}}['{w}']", "{{'{w}': {a}}}['{v}']"),
    ("max({a}, {b})", "max([])"),
    ("'{w}' + '{v}'", "'{w}' + {v}"),
    ("sorted([{b}, {a}])", "sorted([{b}, '{w}'])"),
    ("{a} - {b}", "{a} - None"),
    ("'{w}'.index('{w}')", "'{w}'.index('{v}')"),
    ("abs(-{a})", "abs('{w}')"),
    ("{a} // {b}", "{a} // ({b} - {b})"),
    ("list(range({c}))", "next(iter([]))"),
    ("bool({a})", "({a}"),
)
_WORDS = ("ab", "key", "name", "left", "spam", "x1", "total", "row")


def expression(random: Random, right: bool) -> str:
    first, second = random.sample(_WORDS, 2)
    numbers = {name: random.randint(*span) for name, span in (("a", (1, 99)), ("b", (1, 99)))}
    form = random.choice(_EXPRESSIONS)[not right]
    return form.format(**numbers, c=random.randint(2, 9), w=first, v=second)


def script(episode: Episode, random: Random) -> None:
    """Write a script, run it, and where it fails put it right and run it again."""
    name = f"{random.choice(_WORDS)}.py"
    right = random.random() < 0.3
    lines = [f"a = {expression(random, True)}", f"b = {expression(random, right)}", "print(b)"]
    episode.edit(name, 1, *lines, old=0)
    episode.run(f"python {name}")
    if episode.state.status and random.random() < 0.7:
        episode.edit(name, 2, f"b = {expression(random, random.random() < 0.8)}")
        episode.run(f"python {name}")


def path(subject: Subject, random: Random, missing: float = 0.3) -> str:
    """A file of the project, or now and then one that is not there."""
    there = [*(module.path for module in subject.modules), *subject.tests]
    return random.choice(_MISSING if random.random() < missing else there)


def folder(subject: Subject, random: Random) -> str:
    return str(PurePath(path(subject, random)).parent)


def _list(subject: Subject, random: Random) -> str:
    return f"ls {random.choice(_OPTIONS)} {random.choice((path, folder))(subject, random)}"


def _read(subject: Subject, random: Random) -> str:
    many = random.randint(1, 9)
    ways = (f"head -n {many}", f"tail -n {many}", f"sed -n {many}p", "wc -l", "file", "stat -c %s")
    return f"{random.choice(ways)} {path(subject, random)}"


def _find(subject: Subject, random: Random) -> str:
    what = random.choice(("import", "'^def '", "return", "zebra", "'class [A-Z]'", "TODO", "yield"))
    return f"grep {random.choice(('-c', '-n', '-q', '-l'))} {what} {path(subject, random)}"


def _python(subject: Subject, random: Random) -> str:
    return f'python -c "print({expression(random, random.random() < 0.5)})"'


def _import(subject: Subject, random: Random) -> str:
    parts = PurePath(random.choice(subject.modules).path).with_suffix("").parts
    name = ".".join(part for part in parts if part not in ("src", "__init__"))
    attribute = random.choice(("nothing", "__name__", "__doc__", "missing"))
    return random.choice(
        (
            f"python -c 'import {name}'",
            f"python -c 'from {name} import {attribute}'",
            f"python -c 'import {name}.missing'",
            f"python -m py_compile {path(subject, random)}",
        )
    )


def _change(subject: Subject, random: Random) -> str:
    word = random.choice(_WORDS)
    return random.choice(
        (
            f"touch {word}",
            f"rm {word}",
            f"mkdir {word}",
            f"rmdir {word}",
            f"echo {word} > {word}",
            f"cp {path(subject, random)} {word}",
            f"mv {word} {random.choice(_WORDS)}",
            f"rm -f {path(subject, random)}",
            f"echo {word} >> {path(subject, random)}",
        )
    )


def _test(subject: Subject, random: Random) -> str:
    target = random.choice((random.choice(subject.tests), random.choice(_MISSING)))
    return f"python -m pytest {target}{random.choice(('', '', ' -k nothing', ' -x'))}"


def _look(subject: Subject, random: Random) -> str:
    return random.choice(
        (
            "pwd",
            "true",
            "false",
            "cd nowhere",
            f"exit {random.randint(0, 5)}",
            f"test -f {path(subject, random)}",
            f"test -d {path(subject, random)}",
            f"cat {folder(subject, random)}",
            f"expr {random.randint(1, 50)} + {random.randint(1, 50)}",
            f"echo {random.choice(_WORDS)}",
            f"{random.choice(_WORDS)} --version",
            f"./{path(subject, random)}",
            "kill -9 $$",
            "timeout 0.1 sleep 5",
            "echo x > /etc/passwd",
            f"python {path(subject, random, 1.0)}",
        )
    )


COMMANDS: tuple[Command, ...] = (
    *(_list, _read, _read, _find, _find, _python, _python),
    *(_import, _change, _change, _test, _look, _look),
)
