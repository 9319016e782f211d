"""Detours: real programs go as the text of `finally` and `with` tells, and nowhere else."""

import ast
import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tracer.detours import Detours
from tracer.flow import END, LEFT, route_table
from tracer.sandbox import Limits, Sandbox
from tracer.schema import Event, Program, frames, without_call

MANAGERS = """\
class Lets:
    def __enter__(self): return self
    def __exit__(self, *error): return False

class Keeps(Lets):
    def __exit__(self, *error): return True

class Fails(Lets):
    def __exit__(self, *error): raise KeyError

"""
FUNCTIONS = """\
def returns(n):
    try:
        return n
    finally:
        n = 1
    return 5

def breaks(n):
    total = 0
    for x in range(n):
        try:
            if x == 2:
                break
            if x == 1:
                continue
            total += x
        finally:
            total += 1
    else:
        total = 99
    return total

def raises(n):
    try:
        n = 6 // n
    finally:
        n += 1
        if n > 4:
            n = 2
    return n

def goes_to_an_outer_handler(n):
    try:
        try:
            n = 6 // n
        finally:
            n += 1
            n += 2
    except ZeroDivisionError:
        n = 7
    return n

def twice(n):
    try:
        try:
            return n
        finally:
            n = 1
    finally:
        n = 2
    return 9

def finally_is_last_in_finally(n):
    while True:
        try:
            if n > 2:
                return n
        finally:
            try:
                n += 1
            finally:
                n += 2

def overrides_a_return(n):
    for x in range(n):
        try:
            return n
        finally:
            if x < 2:
                continue
            break
    return 9

def returns_in_finally(n):
    try:
        n = 6 // n
    finally:
        return 4
    return 9

def raises_in_finally(n):
    try:
        try:
            return n
        finally:
            n = 6 // n
    except ZeroDivisionError:
        n = 8
    return n

def loops_in_finally(n):
    try:
        return n
    finally:
        for x in range(n):
            try:
                break
            finally:
                n += 1
        while n > 2:
            n -= 1
    return 5

def has_all_parts(n):
    out = 0
    for x in range(n):
        try:
            y = 6 // x
            if x == 3:
                return out
        except ZeroDivisionError:
            out += 10
            continue
        except TypeError:
            raise
        else:
            out += 1
        finally:
            out += 100
    return out

def is_handled_nowhere(n):
    try:
        n = 6 // n
    except KeyError:
        return 2
    except (ValueError, TypeError):
        return 3
    finally:
        n = 2
    return n

def raises_in_a_handler(n):
    try:
        n = 6 // n
    except ZeroDivisionError as error:
        raise ValueError from error
    finally:
        n = 2
    return n

def raises_again(n):
    try:
        n = 6 // n
    except ZeroDivisionError:
        n = 1
        raise
    finally:
        n += 1
    return n

def on_one_line(n):
    try:
        if n > 1: return n
    finally: n += 1
    for x in range(n):
        with Lets():
            if x == 0: continue
            if x == 1: break
    with Lets(): return n
    return 8

def with_falls(n):
    with Lets(), Lets():
        n += 1
    return n

def with_returns(n):
    with Lets():
        with Lets():
            return n
    return 5

def with_in_a_loop(n):
    while n:
        with Lets():
            n -= 1
            if n == 3:
                continue
            if n == 1:
                break
    return n

def with_raises(n):
    with Lets():
        n += 1
        with Lets():
            n = 6 // (n - 1)
    return n

def with_keeps(n):
    for x in range(n):
        with Keeps():
            n = 6 // x
            n += 1
    return n

def with_fails(n):
    try:
        with Fails():
            return n
    except KeyError:
        n = 1
    return n

def with_in_finally(n):
    for x in range(n):
        try:
            if x:
                break
        finally:
            with Lets():
                n += 1
                if n > 5:
                    return x
    return n

def finally_in_with(n):
    with Lets():
        try:
            return 6 // n
        finally:
            n += 1
            n += 2
    return 5

def generates(n):
    with Lets():
        try:
            yield n
            return
        finally:
            n = 1
    n = 2
"""
NAMES = [node.name for node in ast.parse(FUNCTIONS).body if isinstance(node, ast.FunctionDef)]


def calls(names: list[str], most: int) -> str:
    """A function that calls each with some numbers."""
    return f"""
def run():
    for function in ({", ".join(names)}):
        for n in range({most}):
            try:
                list(function(n))
            except Exception:
                pass
"""


def true_frames(functions: str, names: list[str], most: int) -> dict[str, list[list[Event]]]:
    """Of each function the events of all its calls."""
    source = MANAGERS + functions + calls(names, most)
    with Sandbox(Limits(wall_s=20, cpu_s=20, events=20000)) as box:
        trace = box.run_program(Program(source, "run()")).trace
    lines = {node.lineno: node.name for node in ast.parse(source).body if hasattr(node, "name")}
    found: dict[str, list[list[Event]]] = {name: [] for name in names}
    for events in frames(trace).values():
        name = lines[max(line for line in lines if line <= events[0].lineno)]
        if name in found:
            found[name].append(without_call(events))
    return found


def check(table, events: list[Event]) -> int:
    """Every event is one that may come; and how many of them had to."""
    detours, forced = Detours(table), 0
    for event, after in pairwise(events):
        here, case = detours.open(event.lineno), (event.kind, event.lineno, after.kind, detours)
        to = {"line": after.lineno, "return": END, "unwind": LEFT}.get(after.kind)
        if event.kind == "exception":
            assert (here.raised or LEFT) == to, case
        elif event.kind == "line" and to is not None:
            assert to in here.lines, case
            assert to != LEFT or after.lineno == here.left, case
            forced += not here.fork
        detours = detours.on((event.kind, event.lineno), (after.kind, after.lineno))
    return forced


@pytest.fixture(scope="module")
def real() -> dict[str, list[list[Event]]]:
    return true_frames(FUNCTIONS, NAMES, 6)


@pytest.mark.parametrize("name", NAMES)
def test_a_real_run_takes_the_ways_that_are_open(real, name):
    table = route_table(MANAGERS + FUNCTIONS)
    assert len(real[name]) == 6
    assert sum(check(table, events) for events in real[name]) > 5


@pytest.mark.parametrize("seed", range(3))
def test_so_do_runs_of_programs_that_were_drawn(seed):
    draw, names = random.Random(seed), [f"f{number}" for number in range(12)]
    drawn = [f"def {name}(n):\n" + "\n".join(block(draw, 4)) + "\n    return n\n" for name in names]
    found = true_frames("\n".join(drawn), names, 4)
    table = route_table(MANAGERS + "\n".join(drawn))
    assert sum(check(table, events) for each in found.values() for events in each) > 100


def block(draw: random.Random, depth: int, loop=False, final=False, indent="    ") -> Iterator[str]:
    """Statements; none that raises stands in `finally`, where Python 3.11 shows one line more."""
    for _ in range(draw.randint(1, 2)):
        kind = draw.choice(["plain", "plain", "try", "try", "with", "for"]) if depth else "plain"

        def inner(loop: bool = loop, final: bool = final) -> Iterator[str]:
            return block(draw, depth - 1, loop, final, indent + "    ")  # noqa: B023

        if kind == "plain":
            leaving = ["return n", "return 1", *["break", "continue"] * loop]
            raising = [] if final else ["raise KeyError", "n = 1 // (n % 3)"]
            yield f"{indent}if n % {draw.randint(2, 3)} == {draw.randint(0, 1)}:"
            yield f"{indent}    {draw.choice([*leaving, *raising])}"
            yield f"{indent}n += 1"
        elif kind == "try":
            yield f"{indent}try:"
            yield from inner()
            handled = draw.random() < 0.5
            if handled:
                yield f"{indent}except {draw.choice(['KeyError', 'Exception as error'])}:"
                yield from inner()
            if not handled or draw.random() < 0.5:
                yield f"{indent}finally:"
                yield from inner(final=True)
        elif kind == "with":
            managers = ["Lets()", "Lets(), Lets()", *["Keeps()", "Fails()"] * (not final)]
            yield f"{indent}with {draw.choice(managers)}:"
            yield from inner()
        else:
            yield f"{indent}for _ in range(3):"
            yield from inner(loop=True)


def test_where_nobody_saw_how_a_detour_began_it_goes_on_as_the_text_does():
    source = "try:\n    a\nfinally:\n    b\nc\n"
    detours = Detours(route_table(source))
    assert detours.open(4).lines == (5,)
    assert detours.on(("resume", 9), ("line", 4)).open(4).lines == (5,)


def test_a_raise_goes_nowhere_but_to_its_handler():
    source = "try:\n    raise a\nexcept b:\n    raise\n"
    detours = Detours(route_table(source))
    assert detours.open(2)[:2] == ((), 3)
    assert detours.open(4)[:2] == ((LEFT,), END)
