import gzip
import json
import os
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tracer.corpora import cruxeval, doctests, files, humaneval, livecodebench, mbpp, mix
from tracer.records import TRACE, row, write_rows
from tracer.sandbox import Sandbox
from tracer.schema import Program

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("PROGRAM_RSSM_DATA", ROOT.parent / "shared" / "data"))

HUMANEVAL = {
    "task_id": "HumanEval/900",
    "prompt": 'def double(x: int) -> int:\n    """Twice x."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(\n3) == 6\n",
}
MBPP = {
    "task_id": 7,
    "code": "def add(a, b):\r\n    return a + b\r\nclass Node:\r\n    pass\r\n",
    "test_setup_code": "root = Node()\r\n",
    "test_list": ["assert add(1, 2) == 3", "assert set([add(2, add(1, 1))]) == {4}", "assert root"],
}
CRUXEVAL = {
    "code": "def f(x, y):\n    return x",
    "input": "1, 'a'",
    "output": "1",
    "id": "sample_0",
}
LIVECODEBENCH = {
    "question_id": 2777,
    "id": "sample_0",
    "function_name": "sumIndices",
    "code": "def sumIndices(nums: List[int], k: int) -> int:\n    return sum(nums) + k",
    "input": "sumIndices(nums = [5, 10], k = 1)",
    "output": "16",
    "numsteps": 9,
    "problem_id": [2954],
}


def write(path, *records):
    text = "".join(json.dumps(record) + "\n" for record in records)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def public(name):
    if not (DATA / name).is_file():
        pytest.skip(f"{name} is not in {DATA}; set PROGRAM_RSSM_DATA to its folder")
    return DATA / name


def run(program):
    space = {"__name__": program.name}
    exec(program.source, space)
    exec(program.call, space)


# HumanEval, MBPP and CRUXEval


@pytest.mark.parametrize("name", ["h.jsonl", "h.jsonl.gz"])
def test_each_call_of_a_humaneval_check_is_a_program(tmp_path, name):
    programs = list(humaneval.programs(write(tmp_path / name, HUMANEVAL)))
    assert [program.call for program in programs] == ["double(2)", "double(3)"]
    assert {program.origin for program in programs} == {"humaneval/HumanEval/900"}
    for program in programs:
        run(program)


def test_a_call_that_needs_the_rest_of_a_check_brings_it(tmp_path):
    test = "def check(candidate):\n    assert candidate(1) == 2\n    for i in range(3):\n"
    test += "        assert candidate(i) == i + i\n"
    path = write(tmp_path / "h.jsonl", HUMANEVAL | {"test": test})
    first, whole = humaneval.programs(path)
    assert first.call == "double(1)"
    assert whole.call == f"{test.strip()}\n\ncheck(double)"
    run(whole)


def test_a_check_without_calls_is_run_whole(tmp_path):
    path = write(tmp_path / "h.jsonl", HUMANEVAL | {"test": "def check(candidate):\n    pass\n"})
    assert [p.call for p in humaneval.programs(path)] == [
        "def check(candidate):\n    pass\n\ncheck(double)"
    ]


def test_each_call_of_an_mbpp_assert_is_a_program(tmp_path):
    programs = list(mbpp.programs(write(tmp_path / "m.jsonl", MBPP)))
    assert [p.call for p in programs] == ["add(1, 2)", "add(2, add(1, 1))", "assert root"]
    for program in programs:
        assert "\r" not in program.source
        run(program)


def test_a_cruxeval_input_is_the_arguments_of_f(tmp_path):
    (program,) = cruxeval.programs(write(tmp_path / "c.jsonl", CRUXEVAL))
    assert program == Program(CRUXEVAL["code"], "f(1, 'a')", "cruxeval/sample_0")


def test_a_livecodebench_input_is_a_call_and_its_code_has_typing_at_hand(tmp_path):
    older = {name: LIVECODEBENCH[name] for name in ("code", "input", "output")}
    path = write(tmp_path / "l.jsonl", LIVECODEBENCH, older)
    first, second = livecodebench.programs(path)
    assert first.call == LIVECODEBENCH["input"]
    assert (first.origin, second.origin) == ("livecodebench/sample_0", "livecodebench/1")
    run(first)


# Doctests

MODULE = '''
from fractions import Fraction
__all__ = ["half"]

def half(x):
    """
    >>> from pack.numbers import half
    >>> xs = [half(4)]
    >>> xs.append(half(2)); xs
    [2.0, 1.0]
    >>> half("a")
    Traceback (most recent call last):
    TypeError: unsupported
    >>> half(Fraction(1))
    Fraction(1, 2)
    """
    return x / 2

def save(x):
    """
    >>> open("file", "w").write(half(x))
    """

class Pair:
    """
    >>> Pair().one
    1
    """
    one = 1
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit\n")
    (folder / "numbers.py").write_text(MODULE)
    (folder / "broken.py").write_text("def f(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_the_examples_of_a_docstring_are_one_program_in_their_order(package):
    half, pair = doctests.programs(path=package)
    assert (half.origin, pair.origin) == (
        "doctests/pack.numbers.half",
        "doctests/pack.numbers.Pair",
    )
    assert half.call.startswith("xs = [half(4)]\nxs.append(half(2))\nxs\ntry:\n    half('a')")
    assert "class Pair" not in half.source
    for program in (half, pair):
        run(program)


def test_a_package_is_found_by_its_name_and_not_imported(package):
    programs = list(doctests.programs(path=package))
    assert list(doctests.programs(package="pack")) == programs
    assert list(doctests.programs(package="pack.numbers")) == programs
    assert len(list(doctests.programs(path=package / "numbers.py"))) == 2


@pytest.mark.parametrize(
    "given, reason",
    [
        ({}, "give either corpus.path=FILE or corpus.package=NAME"),
        ({"path": "a", "package": "b"}, "give either"),
        ({"package": "no_such_package"}, "no package 'no_such_package'"),
        ({"package": "json.nothing"}, "no module 'json.nothing'"),
        ({"package": "sys"}, "has no Python source"),
    ],
)
def test_what_has_no_examples_is_named(given, reason):
    with pytest.raises(ValueError, match=reason):
        list(doctests.programs(**given))


@pytest.mark.filterwarnings("ignore:.*invalid escape sequence")
@pytest.mark.parametrize(
    "corpus, name, problems",
    [(humaneval, "HumanEval.jsonl.gz", 164), (mbpp, "mbpp-train.jsonl", 474)],
)
def test_no_problem_is_lost(corpus, name, problems):
    programs = list(corpus.programs(public(name)))
    assert len({program.origin for program in programs}) == problems
    assert all(program.call for program in programs)
    for program in programs:
        compile(program.source, program.origin, "exec")
        compile(program.call, program.origin, "exec")


def test_the_public_cruxeval_functions_give_their_outputs():
    path = public("cruxeval-dev.jsonl")
    outputs = [json.loads(line)["output"] for line in path.read_text().splitlines()]
    for program, output in zip(cruxeval.programs(path), outputs, strict=True):
        space = {}
        exec(program.source, space)
        assert eval(program.call, space) == eval(output)


# Errors


@pytest.mark.parametrize(
    "corpus, home",
    [
        (humaneval, "openai/human-eval"),
        (mbpp, "google-research/google-research"),
        (cruxeval, "facebookresearch/cruxeval"),
        (livecodebench, "datasets/livecodebench"),
    ],
)
def test_a_missing_file_is_an_error_that_says_where_to_get_it(corpus, home, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        list(corpus.programs(tmp_path / "none.jsonl"))
    assert home in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "line, reason",
    [
        ('{"code": "", "id": "1"}', "no field 'input'; there are: code, id"),
        ('{"code": "", "input": 3, "id": "1"}', "field 'input' is a int, not a str"),
        ("[1]", "a list where an object was expected"),
        ('{"code": ', "Expecting value"),
    ],
)
def test_a_bad_line_is_an_error_that_names_file_line_and_field(line, reason, tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps(CRUXEVAL) + "\n\n" + line + "\n")
    with pytest.raises(ValueError) as error:
        list(cruxeval.programs(path))
    assert str(error.value).startswith(f"{path}, line 3: {reason}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(b'{"a": 1}\n' * 99, mtime=0)[:-20]])
def test_a_broken_gzip_file_is_an_error_that_names_it(data, tmp_path):
    path = tmp_path / "c.jsonl.gz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"c\.jsonl\.gz, line \d+: "):
        list(cruxeval.programs(path))


# Files


def test_a_call_comment_is_the_call_of_its_file(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(
        'def f(x):\n    # call: f(9)\n    return x\n# call: f(3)\ns = """\n# call: f(4)\n"""\n'
    )
    assert [p.call for p in files.programs(file)] == ["f(3)"]
    assert [p.call for p in files.programs(file, call="f(5)")] == ["f(5)"]


def test_a_file_without_a_call_is_run_as_a_script(tmp_path):
    file = tmp_path / "a.py"
    file.write_bytes(b"x = 1\r\n")
    assert list(files.programs(file)) == [Program("x = 1\n", None, "files/a.py", "__main__")]


def test_a_folder_gives_all_its_python_files_in_order(tmp_path):
    for name in ["b.py", "a.py", "sub/c.py", ".hidden/d.py", "e.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    origins = [program.origin for program in files.programs(tmp_path)]
    assert origins == ["files/a.py", "files/b.py", "files/sub/c.py"]


def test_a_file_that_is_not_python_is_still_a_program(tmp_path):
    file = tmp_path / "a.py"
    file.write_bytes(b"\xff\xfe not python (")
    (program,) = files.programs(file)
    with pytest.raises((SyntaxError, ValueError)):
        compile(program.source, "a.py", "exec")


def test_a_path_without_python_files_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        list(files.programs(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match=r"no \*\.py file below"):
        list(files.programs(tmp_path))


# Configs


def test_a_mix_has_the_programs_of_its_parts():
    one, two = Program("a = 1"), Program("b = 2")
    assert list(mix.programs(first=[one], second=iter([two, one]))) == [one, two, one]


@pytest.mark.parametrize(
    "file", sorted((ROOT / "configs" / "corpus").glob("*.yaml")), ids=lambda f: f.stem
)
def test_a_config_is_the_call_of_its_corpus(file, tmp_path):
    cfg = OmegaConf.load(file)
    if OmegaConf.is_missing(cfg, "path"):
        records = {"humaneval": HUMANEVAL, "mbpp": MBPP, "cruxeval": CRUXEVAL}
        records["livecodebench"] = LIVECODEBENCH
        if file.stem == "files":
            cfg.path = str(tmp_path / "a.py")
            Path(cfg.path).write_text("x = 1\n")
        elif file.stem == "records":
            cfg.path = str(tmp_path / "a.jsonl")
            with Sandbox() as box:
                write_rows(Path(cfg.path), [row(box.run(b"x = 1\n").trace)], TRACE)
        elif file.stem in records:
            cfg.path = str(write(tmp_path / "a.jsonl", records[file.stem]))
    if file.stem == "doctests":
        (tmp_path / "a.py").write_text(MODULE)
        cfg.path = str(tmp_path)
    if file.stem == "agent":
        cfg.projects = [str(tmp_path)]
    if file.stem in ("small", "base", "further"):
        cfg.mbpp.corpus.path = str(write(tmp_path / "a.jsonl", MBPP))
    assert isinstance(next(iter(instantiate(cfg))), Program)
