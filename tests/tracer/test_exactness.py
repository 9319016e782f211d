"""The tracer that looks only at what can have changed sees what one that reads everything sees.

Here on a few programs; `reference.py` does the same on as many as one likes.
"""

from itertools import islice

import pytest
from programs import GOLDEN, STDLIB, golden_program, stdlib_program
from reference import first_difference, is_deterministic

from tracer.corpora import synthetic
from tracer.schema import Program

PROGRAMS = [
    *map(golden_program, GOLDEN),
    *(stdlib_program(*row) for row in STDLIB),
    *islice(synthetic.programs(40, difficulty=3), 40),
]

ODD = {
    "a cell that another frame writes": (
        "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n"
        "    a = [g(), n, g()]\n    return a, n\n"
    ),
    "a global that another function writes": (
        "n = 0\ndef g():\n    global n\n    n = [n]\ndef h():\n    global n\n    del n\n"
        "def f():\n    global n\n    n = 1\n    g()\n    g()\n    h()\n    n = 2\n"
    ),
    "names that no line binds": (
        "def f():\n    exec('hidden = 1')\n    locals()['a'] = 2\n    a = 3\n    return a\n"
        "exec('x = 1')\nglobals()['y'] = [x]\ny.append(2)\ndel globals()['x']\nf()\n"
        "class A:\n    exec('z = 1')\n    locals()['u'] = z\n    z = 2\n"
    ),
    "equal objects of other types": (
        "def f():\n    x = 1\n    x = True\n    x = 1.0\n    y = 0.0\n    y = -0.0\n"
        "    z = [1, 'a']\n    z[0] = True\n    z[0] = 1.0\n    z[1] = b'a'\n    return x, y, z\n"
    ),
    "a mutable value in an immutable one": (
        "def f():\n    a = []\n    t = (a, 1)\n    u = (t, frozenset([1]))\n    a.append(t)\n"
        "    a.append(2)\n    a.clear()\n    return u\n"
    ),
    "containers of one length": (
        "def f():\n    d = {'a': 1}\n    d['a'] = 2\n    del d['a']\n    d['b'] = 2\n    s = {1}\n"
        "    s.pop()\n    s.add(2)\n    q = [1, [2]]\n    q[1][0] = 3\n    q[1] = 4\n"
        "    q[0] = [4]\n    return d, s, q\n"
    ),
    "more items than are kept": (
        "def f():\n    a = list(range(300))\n    a[299] = -1\n    a[3] = -1\n    a.append(1)\n"
        "    b = dict.fromkeys(range(300))\n    b[299] = 1\n    b[1] = 1\n    t = tuple(a)\n"
        "    return 'x' * 2000\n"
    ),
    "what is inside of others": (
        "class A:\n    def m(self):\n        pass\n    def n(self):\n        pass\n"
        "def f():\n    a = [range(3), [slice(1)], iter([1])]\n    a[0] = range(4)\n"
        "    a[1][0] = slice(2)\n    a[2] = iter(())\n    b = {'k': [A().m, len, A]}\n"
        "    b['k'][0] = A().n\n    b['k'][1] = max\n    A.__name__ = 'B'\n    b['k'][2] = int\n"
        "    c = [[1], [1]]\n    c[1] = c[0]\n    c[0] = c\n    c[1] = [True]\n    c[1][0] = 1.0\n"
        "    d = A()\n    d.x = [d]\n    d.y = d.x\n    d.x.append({1: d})\n    d.x[1][2] = 'z'\n"
        "    del d.x[1][1]\n    A.m.__qualname__ = 'other'\n    e = [A.m, [0]]\n"
        "    A.m.__qualname__ = 'third'\n    e[1][0] = -0.0\n    d.__dict__[3] = 4\n"
        "    d.__class__ = type('C', (A,), {})\n    return a, b, c, d, e\n"
    ),
    "instances of many kinds": (
        "from dataclasses import dataclass\nfrom enum import Enum\nfrom collections import *\n"
        "@dataclass(slots=True)\nclass P:\n    x: int\n    y: list\n"
        "class E(Enum):\n    A = 1\n    B = 2\n"
        "class L(list):\n    pass\nN = namedtuple('N', 'p q')\n"
        "def f():\n    p = P(1, [2])\n    p.y.append(3)\n    p.x = p.y\n    del p.x\n"
        "    e = [E.A]\n    e[0] = E.B\n    n = N(p, [1])\n    n.q.append(n)\n    l = L([1])\n"
        "    l.append(l)\n    l.a = 1\n    c = Counter('aab')\n    c['b'] += 1\n"
        "    o = OrderedDict(a=[1], b=2)\n    o.move_to_end('a')\n    o['a'].append(2)\n"
        "    k = defaultdict(list)\n    k[1].append(1)\n    x = [ValueError(1)]\n"
        "    x[0].args = (2,)\n    b = [bytearray(b'1')]\n    b[0][0] = 3\n"
        "    q = deque([[1]], 1)\n    q.append([2])\n    return p, e, n, l, c, o, k, x, b, q\n"
    ),
    "attributes": (
        "class A:\n    __slots__ = ('x', '__dict__')\ndef f():\n    a = A()\n    a.x = [1]\n"
        "    a.x.append(2)\n    a.y = a.x\n    del a.x\n    a.__class__ = type('B', (A,), {})\n"
        "    f.__qualname__ = 'other'\n    g = f\n    g.__qualname__ = 'third'\n    return a\n"
    ),
    "a variable that a comprehension borrows": (
        "def f():\n    k = 5\n    try:\n        y = [1 // k for k in (1, 0)]\n"
        "    except ZeroDivisionError:\n        y = k\n    z = [w := k for k in 'ab']\n"
        "    return w\n"
    ),
    "an exception's name": (
        "def f():\n    for n in range(3):\n        try:\n            1 // (n % 2)\n"
        "        except ZeroDivisionError as e:\n            m = str(e)\n"
        "        finally:\n            del n\n    return m\n"
    ),
    "a generator that others change while it waits": (
        "def g(a):\n    b = yield a\n    while b:\n        b = yield (a, b)\n"
        "def f():\n    a = [1]\n    i = g(a)\n    next(i)\n    a.append(2)\n    i.send([3])\n"
        "    a.append(4)\n    i.send(0)\n"
    ),
    "a star among targets, a with and an import": (
        "from contextlib import nullcontext\n"
        "def f():\n    a, (b, *c), *d = 1, (2, 3), 4, 5\n    a, b = b, a\n    a, b, c = c, a, b\n"
        "    with nullcontext(1) as x, nullcontext(2) as y:\n        import os.path as p\n"
        "    for a, c[0] in [(1, 2), (3, 4)]: b = a\n    del a, b\n"
        "    match [1, {'k': 2}]:\n        case [u, {'k': v, **w}] if u:\n            return v\n"
    ),
}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.origin)
def test_nothing_that_changes_is_missed_in_real_programs(program):
    difference, _ = first_difference(program)
    assert difference is None or not is_deterministic(program)  # some look at an `id`


@pytest.mark.parametrize("call", [None, "f()"], ids=["module", "call"])
@pytest.mark.parametrize("source", ODD.values(), ids=ODD)
def test_nothing_that_changes_is_missed_in_odd_ones(source, call):
    source = source if call else f"{source}\ntry:\n    f()\nexcept Exception as error:\n    pass\n"
    assert first_difference(Program(source, call))[0] is None
