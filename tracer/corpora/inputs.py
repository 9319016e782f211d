"""Typed inputs for functions of the standard library, drawn at random as Python text."""

from collections.abc import Callable
from random import Random

_WORDS = "moon tree Blue level apple cat ab to a x1 river stone red noon".split()
_HOSTS = ("example.org", "a.b", "localhost:80", "user@host:8080", "[::1]:443", "x.org:")
_MARKS = ("a&b", "x < y", '"q"', "1 > 0", "it's", "&lt;b&gt;", "&amp;", "&#65;", "&#x41;", "no")


class Code(str):
    """The text of an expression, where a value would have no literal."""


def _word(rng: Random) -> str:
    return rng.choice(_WORDS)


def _text(rng: Random) -> str:
    return " ".join(_word(rng) for _ in range(rng.randint(1, 5)))


def _ints(rng: Random) -> list[int]:
    return [rng.randint(-9, 20) for _ in range(rng.randint(1, 6))]


def _letters(rng: Random) -> str:
    return "".join(rng.choice("abc") for _ in range(rng.randint(1, 6)))


def _path(rng: Random, separator: str = "/") -> str:
    parts = [rng.choice(("a", "b", "..", ".", "", "c.py", "lib", "x.tar.gz")) for _ in range(4)]
    return rng.choice(("", separator, "")) + separator.join(parts[: rng.randint(1, 4)])


def _rooted(rng: Random) -> str:
    return "/" + "/".join(rng.choice(("a", "b", "c")) for _ in range(rng.randint(1, 4)))


def _ntpath(rng: Random) -> str:
    return rng.choice(("", "C:", "c:\\", "\\\\host\\share\\")) + _path(rng, rng.choice("\\/"))


def _url(rng: Random) -> str:
    scheme = rng.choice(("http://", "ftp://", "//", "mailto:"))
    tail = rng.choice(("", "?a=1&b=2", "#top", ";p?q#f"))
    return scheme + rng.choice(_HOSTS) + _rooted(rng) + tail


def _query(rng: Random) -> str:
    pairs = [f"{rng.choice('abc')}={rng.choice(('1', '', 'x+y', '%41'))}" for _ in range(3)]
    return rng.choice("&&;").join(pairs[: rng.randint(1, 3)])


def _escaped(rng: Random) -> str:
    return "".join(rng.choice(("a", "%41", "%20", "+", "%zz", "b", "%C3%A4")) for _ in range(4))


def _host(rng: Random) -> str:
    return ".".join(str(rng.choice((0, 1, 10, 127, 168, 192, 255))) for _ in range(4))


def _cidr(rng: Random) -> str:
    return f"{rng.choice(('10.0.0.0', '192.168.0.0', '10.1.0.0'))}/{rng.randint(16, 32)}"


def _host6(rng: Random) -> str:
    return rng.choice(("::1", "1::2", "2001:db8::", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "a::b::c"))


def _shell(rng: Random) -> str:
    parts = ("ls", "-l", "'a b'", '"c d"', "x\\ y", "# note", "a=1", "&&")
    return " ".join(rng.choice(parts) for _ in range(rng.randint(1, 3)))


def _pattern(rng: Random) -> str:
    return "".join(rng.choice(("*", "?", "a", ".py", "[a-c]", "[!x]", "b", "[")) for _ in range(3))


def _data(rng: Random) -> bytes:
    return bytes(rng.choice(b"abc =\n\x00\xe4Z~") for _ in range(rng.randint(0, 7)))


def _graph(rng: Random) -> dict[str, list[str]]:
    # An edge mostly leads to a later letter; one that leads back makes a cycle.
    edges = {node: [rng.choice("abcd"[i + 1 :]) for _ in "1"] for i, node in enumerate("abc")}
    return edges | ({"d": [rng.choice("abc")]} if rng.random() < 0.1 else {})


def _nested(rng: Random) -> object:
    leaf = (None, True, rng.randint(-9, 99), _word(rng), [], {}, 1.5)
    kind, size = rng.randint(0, 2), rng.randint(1, 3)
    if kind == 0:
        return [rng.choice(leaf) for _ in range(size)]
    if kind == 1:
        return {rng.choice("abc"): rng.choice(leaf) for _ in range(size)}
    return {"k": [rng.choice(leaf), _ints(rng)[:2]]}


def _json(rng: Random) -> str:
    leaf = ("1", "-2.5", "true", "null", '"a"', '"\\n"', "[]", '{"b": 2}', "3e2", "x")
    inner = ", ".join(rng.choice(leaf) for _ in range(rng.randint(0, 2)))
    return rng.choice((f"[{inner}]", f'{{"k": [{inner}]}}', inner))


def _quoted(rng: Random) -> str:
    parts = ("ab", "\\n", "\\u0041", "c", "\\/", "\\x", "\\ud834\\udd20", "\n")
    return '"' + "".join(rng.choice(parts[: rng.choice((5, 8))]) for _ in range(3)) + '" '


def _stamp(rng: Random) -> str:
    day, month = rng.randint(1, 30), rng.choice(("Jan", "Nov", "may", "x"))
    clock, zone = rng.choice(("13:32:02", "7:05")), rng.choice(("+0100", "-0330", "GMT", ""))
    return f"{rng.choice(('Mon, ', ''))}{day} {month} {rng.choice((2009, 99, 7))} {clock} {zone}"


def _address(rng: Random) -> str:
    forms = ("{w} <{w}@a.org>", "{w}@b.c", '"{w}, {w}" <x@y>', "({w}) {w}@d", "{w}", "g: {w}@e;")
    return rng.choice(forms).replace("{w}", _word(rng)).replace("Blue", "Al")


def _fraction(rng: Random) -> Code:
    return Code(f"Fraction({rng.randint(-20, 20)}, {rng.randint(1, 12)})")


def _date(rng: Random) -> Code:
    return Code(f"date({rng.randint(1970, 2040)}, {rng.randint(1, 12)}, {rng.randint(1, 28)})")


INPUTS: dict[str, Callable[[Random], object]] = {
    "int": lambda rng: rng.randint(-20, 99),
    "small": lambda rng: rng.randint(1, 5),
    "positive": lambda rng: rng.randint(1, 99),
    "large": lambda rng: rng.randint(0, 9999),
    "unit": lambda rng: rng.randint(0, 10) / 10,
    "ints": _ints,
    "series": lambda rng: [rng.randint(1, 9) for _ in range(4)],
    "sorted": lambda rng: sorted(_ints(rng)),
    "heap": lambda rng: sorted(_ints(rng)),  # what is sorted is a heap
    "letters": _letters,
    "word": _word,
    "words": lambda rng: [_word(rng) for _ in range(rng.randint(1, 4))],
    "text": _text,
    "marked": lambda rng: " ".join(rng.choice(_MARKS) for _ in range(rng.randint(1, 2))),
    "data": _data,
    "path": _path,
    "rooted": _rooted,
    "ntpath": _ntpath,
    "pattern": _pattern,
    "shell": _shell,
    "url": _url,
    "query": _query,
    "escaped": _escaped,
    "host": _host,
    "host6": _host6,
    "cidr": _cidr,
    "address": _address,
    "json": _json,
    "nested": _nested,
    "quoted": _quoted,
    "stamp": _stamp,
    "hex": lambda rng: f"{rng.randint(0, 255):02x}".encode(),
    "graph": _graph,
    "counts": lambda rng: {rng.choice("abc"): rng.randint(0, 9) for _ in range(3)},
    "year": lambda rng: rng.randint(1900, 2100),
    "month": lambda rng: rng.randint(1, 12),
    "day": lambda rng: rng.randint(1, 28),
    "weekday": lambda rng: rng.randint(0, 6),
    "date": _date,
    "fraction": _fraction,
    "mode": lambda rng: rng.randint(0, 0o7777) | rng.choice((0o40000, 0o100000, 0o120000)),
}
ODD = (None, -1, "?", [], 1.5, b"x")  # what few functions expect


def draw(kind: str, rng: Random) -> str:
    value = INPUTS[kind](rng)
    return str(value) if isinstance(value, Code) else repr(value)
