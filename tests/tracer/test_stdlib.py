import ast
import sys
from contextlib import redirect_stdout
from io import StringIO
from types import FunctionType, ModuleType

import pytest

from tracer.corpora import stdlib
from tracer.corpora.examples import examples
from tracer.corpora.excerpt import excerpt
from tracer.corpora.pure import pure_source, without_accelerators
from tracer.corpora.signatures import SIGNATURES


def load(source, name):
    """The namespace of a module executed from text, as the tracer does it."""
    module = ModuleType(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, name, module)
        exec(compile(source, "<module>", "exec", dont_inherit=True), module.__dict__)
    return module.__dict__


def run(program):
    """How a program ends, and how many events the code of its source gives."""
    events = 0

    def trace(frame, kind, arg):
        nonlocal events
        if frame.f_code.co_filename != "<module>":
            return None
        events += 1
        return trace

    before = sys.gettrace()
    with redirect_stdout(StringIO()), pytest.MonkeyPatch.context() as patch:
        module = ModuleType(program.name)
        patch.setitem(sys.modules, program.name, module)
        exec(compile(program.source, "<module>", "exec", dont_inherit=True), module.__dict__)
        call = compile(program.call, "<call>", "exec")
        sys.settrace(trace)
        try:
            exec(call, module.__dict__)
            end = "ok"
        except Exception as error:
            end = type(error).__name__
        finally:
            sys.settrace(before)
    return end, events


@pytest.mark.parametrize(
    "module, function",
    [
        ("heapq", "heappush"),
        ("bisect", "bisect_left"),
        ("functools", "reduce"),
        ("statistics", "_normal_dist_inv_cdf"),
        ("operator", "indexOf"),
        ("posixpath", "normpath"),
        ("stat", "filemode"),
        ("json.encoder", "encode_basestring"),
    ],
)
def test_accelerators_are_gone(module, function):
    assert isinstance(load(pure_source(module), module)[function], FunctionType)


def test_only_what_python_defines_too_is_taken_from_c():
    space = load(pure_source("collections"), "collections")
    assert isinstance(space["OrderedDict"], type) and "__reduce__" in vars(space["OrderedDict"])
    assert isinstance(space["_count_elements"], FunctionType)
    assert space["defaultdict"].__module__ == "collections"  # there is no other


def test_the_text_around_an_accelerator_stays():
    source = "# first\ntry:\n    from _x import f\nexcept ImportError:\n    f = 1  # why\n\ng = 2\n"
    assert without_accelerators(source) == "# first\nf = 1  # why\n\ng = 2\n"
    source = "def f(): pass\ntry:\n    from _x import f\nexcept ImportError: pass\n"
    assert without_accelerators(source) == "def f(): pass\npass\n"
    source = "try:\n    from _x import f\nexcept ImportError:\n    pass\n"
    assert without_accelerators(source) == source  # nothing else defines f


def test_an_unknown_module_is_named():
    with pytest.raises(ValueError, match="no module 'no_such' in the Python source"):
        pure_source("no_such")


def test_an_example_brings_the_statements_that_it_needs_and_no_others():
    source = '''
def push(heap, x):
    """
    >>> other = 1
    >>> heap = []
    >>> push(heap, 2)
    >>> other + 1
    2
    >>> len(heap)
    1
    """
'''
    calls = [example.call for example in examples(source)]
    assert calls == ["other = 1\nother + 1", "heap = []\npush(heap, 2)\nlen(heap)"]


def test_an_excerpt_has_what_the_call_can_reach():
    source = '"""Doc."""\nimport os, re\nA = 1\nB = 2\n\ndef f():\n    return g() + A\n\n'
    source += "def g():\n    return 0\n\n@f\ndef h():\n    return B\n"
    kept = excerpt(source, "f()")
    assert kept.split() == "A = 1 def f(): return g() + A def g(): return 0".split()
    assert "@f\ndef h" in excerpt(source, "h()") and "B = 2" in excerpt(source, "h()")


def test_an_excerpt_does_what_the_module_does():
    for program in stdlib.programs(inputs=1, doctests=False):
        module = program.name.removesuffix(".pure")
        assert run(program) == run(program._replace(source=pure_source(module))), program.call


def test_examples_run_and_are_traced():
    programs = [program for program in stdlib.programs(inputs=0) if program.call]
    assert len(programs) > 100
    for program in programs[::3]:
        end, events = run(program)
        # One example relies on what another docstring did to the context.
        assert end == "ok" or end == "InvalidOperation", program.call
        assert events > 0, program.call


def test_a_tutorial_is_a_program_for_each_of_its_examples():
    programs = [program for program in stdlib.programs(inputs=0) if not program.call]
    if not programs:
        pytest.skip("this Python comes without its own tests")
    assert len(programs) > 200
    assert len({program.origin for program in programs}) > 5
    for program in programs:
        ast.parse(program.source)


def test_few_inputs_raise_and_nearly_all_are_traced():
    programs = list(stdlib.programs(inputs=3, doctests=False))
    ends = [run(program) for program in programs]
    raised = sum(end != "ok" for end, _ in ends)
    assert 0.01 * len(ends) < raised < 0.12 * len(ends)
    assert sum(events == 0 for _, events in ends) < 0.01 * len(ends)
    assert not {end for end, _ in ends} & {"NameError", "ImportError", "SyntaxError"}


def test_every_signature_gives_programs_that_are_python():
    origins = {program.origin for program in stdlib.programs(inputs=1, doctests=False)}
    for module, signatures in SIGNATURES.items():
        assert any(origin.startswith(f"stdlib/{module}.") for origin in origins)
        for signature in signatures:
            assert stdlib._KIND.search(signature), signature
    for program in stdlib.programs(inputs=40, doctests=False):
        ast.parse(program.call)


def test_one_seed_gives_one_list_of_inputs_and_more_inputs_keep_the_first():
    few = [p.call for p in stdlib.programs(inputs=2, seed=1, doctests=False)]
    more = {p.call for p in stdlib.programs(inputs=5, seed=1, doctests=False)}
    assert few == [p.call for p in stdlib.programs(inputs=2, seed=1, doctests=False)]
    assert set(few) <= more
    assert set(few) != {p.call for p in stdlib.programs(inputs=2, seed=2, doctests=False)}
