"""Imports run one way: the order of the rooms, and of the files in each."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A file imports from rows above its own, or from its left in the same row.
ORDER = {
    "tracer": """
        tree foreign atoms classes values vocab sandbox.limits sandbox.frames
        bytecode statements schema witness cells tokens
        flow detours state layout stack
        monitor project
        flatten lowering working iterating
        trace script entry encode watch table sandbox.guard
        windows shards part store parquet
        cwm.grammar cwm.writer cwm.reader cwm.check cwm.prompt cwm cwm.symbols
        sandbox.kernel sandbox.syscalls sandbox.landlock sandbox.seccomp sandbox.confine
        sandbox.seen sandbox.folder sandbox.streams sandbox.view sandbox.private sandbox.probes
        sandbox.command sandbox.child sandbox.serve sandbox.worker
        sandbox.tiers sandbox.verdict sandbox.start sandbox.supervisor sandbox sandbox.shell
        agent agent.mutations agent.state agent.workspace agent.episode agent.subject
        agent.scripts agent.policies agent.play
        corpora corpora.syntax
        corpora.synthetic.template corpora.synthetic.literals corpora.synthetic.scope
        corpora.synthetic.basic corpora.synthetic.numbers corpora.synthetic.text
        corpora.synthetic.sequences corpora.synthetic.mappings corpora.synthetic.sets
        corpora.synthetic.flow corpora.synthetic.functions corpora.synthetic.classes
        corpora.synthetic.exceptions corpora.synthetic.endless
        corpora.synthetic.inference corpora.synthetic.operations corpora.synthetic.families
        corpora.synthetic.writer corpora.synthetic.balanced corpora.synthetic.probe
        corpora.synthetic.drills corpora.synthetic.handling corpora.synthetic.changing
        corpora.synthetic.holes corpora.synthetic.exercises corpora.synthetic.loops
        corpora.jsonl corpora.calls corpora.examples corpora.excerpt corpora.inputs corpora.pure
        corpora.signatures records
        corpora.synthetic corpora.synthetic.__main__
        corpora.cruxeval corpora.humaneval corpora.mbpp corpora.stdlib
        corpora.livecodebench corpora.files corpora.doctests corpora.mix corpora.split
        corpora.mutate corpora.swaps corpora.risky corpora.records corpora.near
        corpora.agent
        pool leaks plan tracing derive gather pytest_plugin __main__
    """,
    "rssm": """
        types
        spec dists tables nets
        losses causal dynamics dynamics.base
        encoder heads interpreter drawing
        dynamics.rssm dynamics.slots dynamics.transformer dynamics.jepa
        dynamics.diffusion dynamics.wam
        model optim guard tokens
        step
    """,
    "experiments": """
        pages command measure operations score others charts episodes atomic writer claim
        crew progress
        compare plots curves sheets
        build compiled data snapshot checkpoint
        model loop pretrained
        control worth free suited
        predict bench_tracer bench_sandbox bench_model sizing
        calibration course scales scaled detection
        names risks effects begin chances unwanted expected foresee holes plan rivals
        altered walk calls truth frames nested page debugger terminal debug
        patterns faults foreseen
        trace train evaluate imagine report bench scripts tokens suites latent_routes text_routes
        ablate
        publish agent puzzles
        text_runs foresight
        export stats budget counterfactual
    """,
}
ROOMS = {
    # room: what it never imports, here or anywhere below
    "tracer": {"jax", "jaxlib", "flax", "optax", "orbax", "grain", "hydra", "rssm", "experiments"},
    "rssm": {"hydra", "orbax", "grain", "array_record", "tracer", "experiments"},
}


def name_of(path: Path, room: str) -> str:
    parts = path.relative_to(ROOT / room).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files(room: str) -> dict[str, Path]:
    found = {name_of(path, room): path for path in sorted((ROOT / room).rglob("*.py"))}
    return {name: path for name, path in found.items() if name}


def imported(path: Path) -> set[str]:
    """The modules that a file imports: of `from a import b`, a.b where that is a module."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if is_module(name) else node.module for name in inner}
    return names


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("room", ORDER)
def test_every_file_has_a_place_in_the_order_and_every_place_a_file(room):
    assert sorted(ORDER[room].split()) == sorted(files(room))


@pytest.mark.parametrize("room", ORDER)
def test_a_file_imports_only_from_files_before_it(room):
    order = ORDER[room].split()
    for name, path in files(room).items():
        if name not in order:
            continue  # the test above complains
        within = {each.removeprefix(f"{room}.") for each in imported(path)} & set(order)
        late = [each for each in within if order.index(each) >= order.index(name)]
        assert not late, f"{room}.{name} imports {late}, which come after it"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_does_not_import_from_another(room):
    for path in (ROOT / room).rglob("*.py"):
        outside = {name.partition(".")[0] for name in imported(path)} & ROOMS[room]
        assert not outside, f"{path.relative_to(ROOT)} imports {outside}"


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_does_not_bring_in_what_it_must_not_know(room):
    modules = [f"{room}.{name}" for name in files(room) if not name.endswith("__main__")]
    program = f"import sys, {', '.join(modules)}\nprint(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tops = {name.partition(".")[0] for name in loaded.split()}
    assert f"{room}" in tops
    assert not tops & ROOMS[room]


def test_a_sandbox_worker_needs_the_standard_library_alone():
    program = "import sys, tracer.sandbox.worker\nprint(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tops = {name.partition(".")[0] for name in loaded.split()}
    others = {name for name in tops - sys.stdlib_module_names if not name.startswith("_")}
    assert others <= {"tracer", "site", "sitecustomize", "usercustomize", "distutils-precedence"}
