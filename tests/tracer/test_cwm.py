"""Meta's trace text: what is written is read back, and means the same to Meta's own client."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_schema import TRACES

from tracer.corpora import synthetic
from tracer.cwm import Options, as_main, check, parse, resolve, scopes, unmarked, write
from tracer.cwm.grammar import MARKER, TOKEN, escape, unescape
from tracer.sandbox import Limits, Sandbox
from tracer.schema import Program, Trace
from tracer.values import render

READABLE = [
    Options(diff, dialect, unwind=unwind, action="line" if unwind else "statement", newline=unwind)
    for diff, dialect, unwind in product(["boundary", "none"], ["cwm", "debugger"], [True, False])
]
TOKENS = ["<|begin_of_text|>", "<|end_of_text|>", "<|frame_sep|>", "<|action_sep|>", "<|arg_sep|>"]
TOKENS += ["<|call_sep|>", "<|line_sep|>", "<|return_sep|>", "<|exception_sep|>"]
TOKENS += ["<|trace_context_start|>"]

HOSTILE = {
    "tokens": f'''
def f(token):  # {TOKENS[2]}
    text = {TOKENS!r}; again = "".join(text)
    table = {{token: "<|arg_sep|>", "<\\\\|frame_sep|>": r"<\\|frame_sep|>"}}
    return token + "{TOKENS[1]}"
f("{TOKENS[0]}{TOKENS[3]}")
''',
    "texts": '''
lone, pair, face = "\\ud800", "\\ud83d\\ude00", "\\U0001f600"
nul, lines, quotes = "a\\0b", "a\\nb\\r\\n\\u2028c", """it's "so" \\\\"""
data, mark, dots = b"\\xff\\0<|frame_sep|>", "  # << START_OF_TRACE", ".."
naïve = {None: "é", (1, "2"): ["ключ"], 1.5: {b"": ...}}
done = 1
''',
    "names": """
space = globals()
space[".."] = 1
space["a b"] = 2
space["\\ud83d\\ude00"] = 3
space["\\U0001f600"] = 4
space["<|frame_sep|>"] = type("\\ud83d\\ude00", (), {})()
x = 1
del space[".."]
space[".."] = ".."
x = 2
""",
    "deleted": """
x = 1
y = 2
del x
x = 1
for y in [2, 2, 3]:
    del x
    x = y
""",
    "calls": """
def up(n):
    total = n
    if n > 0:
        below = up(n - 1)
        total = total + below
        total = total
    return total
def fails(n):
    copy = n
    raise KeyError("n", n)
def main(n):
    copy = n
    total = up(n)
    try:
        fails(n)
    except KeyError as error:
        total = total
        copy = [n]
    return total
main(3)
""",
    "generators": """
def count(n):
    i = 0
    while i < n:
        got = yield i
        i += 1
    return i
def both(n):
    a, b = count(n), count(n)
    for i in a:
        j = next(b)
    rest = list(b)
    yield from count(1)
found = list(both(3))
""",
    "cut": """
text, data = "<|frame_sep|>" * 1000, b"\\0" * 5000
items, number = list(range(1000)), 10 ** 2000
deep = [[[[[[[[1]]]]]]]]
loop = [1]; loop.append(loop)
end = None
""",
    "raised": """
def f(x):
    return [][x]
f(3)
""",
}


@pytest.fixture(scope="module")
def traces(real_traces) -> list[Trace]:
    programs = [Program(source, origin=name) for name, source in HOSTILE.items()]
    programs += synthetic.programs(30, difficulty=2)
    with Sandbox(Limits(events=1500)) as box:
        outcomes = [box.run_program(program) for program in programs]
    assert all(outcome.trace.events for outcome in outcomes)
    return [*real_traces, *(outcome.trace for outcome in outcomes)]


def stated(trace: Trace, options: Options) -> list:
    """The truth: all locals of each event for which the format has any, else None."""
    events = [event for event in trace.events if options.unwind or event.kind != "unwind"]
    bare = ("return", "yield", "unwind", "exception")
    return [
        None if e.kind in bare else {name: render(value) for name, value in e.locals.items()}
        for e in events
    ]


def by_metas_client(frames) -> list:
    """`CWMDebugger.local_vars` of facebookresearch/cwm, in our words."""
    found = []
    for number, frame in enumerate(frames):
        if frame.locals is None:
            found.append(None)
            continue
        state = dict(frame.locals)
        for name in [name for name, text in state.items() if text == ".."]:
            for before in reversed(frames[:number]):
                text = (before.locals or {}).get(name, "..")
                if text != "..":
                    state[name] = text
                    break
                if before.kind in ("call", "return"):
                    break
        found.append(state)
    return found


@pytest.mark.parametrize("options", READABLE, ids=lambda options: "-".join(map(str, options)))
def test_the_locals_of_every_trace_are_read_back(traces, options):
    for trace in traces:
        text = parse(write(trace, options))
        assert list(resolve(text.frames)) == stated(trace, options), trace.origin
        assert text.ended == (trace.outcome in ("ok", "exception") and not trace.flags)


@settings(max_examples=200, deadline=None)
@given(TRACES, st.sampled_from(READABLE))
def test_the_locals_of_any_trace_are_read_back(trace, options):
    text = parse(write(trace, options))
    assert list(resolve(text.frames)) == stated(trace, options)


def test_metas_client_reads_the_same_locals(traces):
    for trace in traces:
        frames = parse(write(trace)).frames
        assert by_metas_client(frames) == stated(trace, Options()), trace.origin


def test_unchanged_values_are_abbreviated_until_a_call_or_return(traces):
    (trace,) = (trace for trace in traces if trace.origin == "calls")
    frames = parse(write(trace)).frames
    shortened = [frame.locals for frame in frames if ".." in (frame.locals or {}).values()]
    assert len(shortened) > 10
    for before, frame in zip(frames, frames[1:], strict=False):
        if frame.kind == "call" or before.kind == "return":
            assert ".." not in (frame.locals or {}).values()


def test_the_check_counts_what_is_read_back_and_what_is_not(traces):
    for trace in traces:
        states = [state for state in stated(trace, Options()) if state is not None]
        count = sum(map(len, states))
        assert check(trace, write(trace), Options()) == (len(states), count, 0)
    (trace,) = (trace for trace in traces if trace.origin == "calls")
    options = Options(diff="scope")
    assert check(trace, write(trace, options), options).lost > 0


def test_a_diff_per_scope_is_not_readable_once_a_call_lies_between(traces):
    (trace,) = (trace for trace in traces if trace.origin == "calls")
    frames = parse(write(trace, Options(diff="scope"))).frames
    with pytest.raises(ValueError, match="^frame [0-9]+: '.*' is '..', and has no value before$"):
        list(resolve(frames))
    loose = list(resolve(frames, strict=False))
    assert any(".." in (state or {}).values() for state in loose)
    truth = stated(trace, Options())
    for state, true in zip(loose, truth, strict=True):
        assert (state is None) == (true is None)
        assert all(text in ("..", true[name]) for name, text in (state or {}).items())


def test_the_text_is_the_one_of_the_guide():
    source = "def f(c):\n    word = c * 2\n    return word\n"
    with Sandbox() as box:
        trace = box.run(source.encode(), "f('a')").trace
    head = "<|begin_of_text|><|trace_context_start|>def f(c):  # << START_OF_TRACE\n"
    head += "    word = c * 2\n    return word\n<|frame_sep|>"
    last = "<|return_sep|><|action_sep|>    return word\n<|arg_sep|>\"'aa'\"<|frame_sep|>"
    start = '<|call_sep|>{"c": "\'a\'"}<|action_sep|>def f(c):\n<|frame_sep|>'
    assert write(trace) == (
        head
        + start
        + '<|line_sep|>{"c": ".."}<|action_sep|>    word = c * 2\n<|frame_sep|>'
        + '<|line_sep|>{"c": "..", "word": "\'aa\'"}<|action_sep|>    return word\n<|frame_sep|>'
        + last
        + "<|end_of_text|>"
    )
    assert write(trace, Options(dialect="debugger")) == (
        head
        + start
        + '<|line_sep|>{"..": ".."}<|action_sep|>    word = c * 2\n<|frame_sep|>'
        + '<|line_sep|>{"..": "..", "word": "\'aa\'"}<|action_sep|>    return word\n<|frame_sep|>'
        + last
        + "<|end_of_text|>"
    )


@pytest.mark.parametrize(
    ("rendering", "shown"),
    [("repr", "KeyError('n', 3)"), ("type_name", "'KeyError'"), ("message", "\"('n', 3)\"")],
)
def test_an_exception_is_shown_as_one_likes(traces, rendering, shown):
    (trace,) = (trace for trace in traces if trace.origin == "calls")
    options = Options(exception_value=rendering)
    frames = parse(write(trace, options)).frames
    raised = [frame.arg for frame in frames if frame.kind == "exception"]
    assert raised == [shown, shown]  # where it is raised, and where it is caught


def test_a_call_may_stand_in_a_main_as_in_the_prompts_of_cruxeval(traces):
    source = "def f(c):\n    return c * 2"
    with Sandbox() as box:
        trace = as_main(box.run(source.encode(), "f('a')").trace)
    call = "    return f('a')\n"
    assert write(trace) == (
        f"<|begin_of_text|><|trace_context_start|>\n{source}\n"
        f"def main():  # << START_OF_TRACE\n{call}<|frame_sep|>"
        f"<|call_sep|>{{}}<|action_sep|>def main():\n<|frame_sep|>"
        f"<|line_sep|>{{}}<|action_sep|>{call}<|frame_sep|>"
        '<|call_sep|>{"c": "\'a\'"}<|action_sep|>def f(c):\n<|frame_sep|>'
        '<|line_sep|>{"c": ".."}<|action_sep|>    return c * 2\n<|frame_sep|>'
        "<|return_sep|><|action_sep|>    return c * 2\n<|arg_sep|>\"'aa'\"<|frame_sep|>"
        f"<|return_sep|><|action_sep|>{call}<|arg_sep|>\"'aa'\"<|frame_sep|><|end_of_text|>"
    )
    plain = [t for t in traces if t.origin.startswith("synthetic")]
    plain = [t for t in plain if all(event.kind != "yield" for event in t.events)]
    assert len(plain) >= 25
    for trace in map(as_main, plain):
        assert list(scopes(parse(write(trace)).frames)) == [event.scope for event in trace.events]
        assert check(trace, write(trace), Options()).lost == 0


def test_main_is_left_as_the_call_was():
    source = b"def f(n):\n    while n:\n        n = n - 1\n    return 1 / n"
    for call, events, kinds in [("f(0)", 99, ["exception", "return"]), ("f(9)", 5, ["line"])]:
        with Sandbox(Limits(events=events)) as box:
            frames = parse(write(as_main(box.run(source, call).trace))).frames
        assert [frame.kind for frame in frames[-len(kinds) :]] == kinds
    with Sandbox() as box:
        for call in (None, "f(0) + 1", "print(f(1))", "lambda: f(1)"):
            with pytest.raises(ValueError, match=" is not a plain call of "):
                as_main(box.run(source, call).trace)


def test_addresses_can_be_left_out():
    with Sandbox() as box:
        trace = box.run(b"x = '<object at 0x7f00ab12>'\ny = 1\n").trace
    (*_, state, _) = resolve(parse(write(trace, Options(strip_addresses=True))).frames)
    assert state == {"x": "'<object>'"}


def test_a_long_statement_is_its_first_line_or_all_of_it():
    source = "def f():\n    x = [\n        1,\n    ]\n    return x\n"
    with Sandbox() as box:
        trace = box.run(source.encode(), "f()").trace
    for action, shown in [("line", "    x = ["), ("statement", "    x = [\n        1,\n    ]")]:
        frames = parse(write(trace, Options(action=action))).frames
        assert frames[1].source == shown


@pytest.mark.parametrize("options", [{"diff": "x"}, {"dialect": "x"}, {"exception_value": "x"}])
def test_an_unknown_option_is_named_with_those_that_there_are(traces, options):
    ((name, _),) = options.items()
    with pytest.raises(ValueError, match=f"^unknown {name} 'x'; there are: "):
        write(traces[0], Options(**options))


def test_only_what_the_format_means_is_a_token(traces):
    for trace in traces:
        text = write(trace)
        frames = sum(1 for _ in stated(trace, Options()))
        assert len(TOKEN.findall(text)) >= 3 * frames
        assert text.count("<|frame_sep|>") == frames + 1
        assert text.count("<|begin_of_text|>") == 1


@given(st.lists(st.sampled_from([*TOKENS, "<", "\\", "|frame_sep|>", "x"])).map("".join))
def test_escaped_source_has_no_token_and_comes_back(source):
    assert not TOKEN.search(escape(source))
    assert unescape(escape(source)) == source


def test_the_marker_is_a_suffix_of_the_entry_line_and_of_no_action(traces):
    for trace in traces:
        text = parse(write(trace))
        assert text.context and text.source
        lines = [line for line in text.context.split("\n") if line.endswith(MARKER)]
        assert len(lines) == 1
        assert text.source == re.sub(r"\r\n?", "\n", trace.source)
        own = [frame.source.endswith(MARKER) for frame in text.frames]
        assert not any(own) or MARKER in trace.source
    # `rstrip` would take these characters for a part of the marker
    assert unmarked(f"    return START{MARKER}") == "    return START"


def test_scopes_are_counted_as_they_were_traced(traces):
    plain = [t for t in traces if not any(e.kind in ("yield", "resume") for e in t.events)]
    plain = [t for t in plain if not t.flags and "await" not in t.source]
    assert len(plain) > 30
    for trace in plain:
        frames = parse(write(trace)).frames
        assert list(scopes(frames)) == [event.scope for event in trace.events], trace.origin
