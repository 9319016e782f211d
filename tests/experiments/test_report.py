"""The HTML report: what it shows, and that nothing in it runs or leaves the page."""

import json
import math
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from experiments.charts import linear, logarithmic, thin
from experiments.command import UserError
from experiments.episodes import SHOWN, choose, visible
from experiments.report import find_runs, write_report

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=https://example.org/x onerror=alert(1)>",
    "\"><b onclick='alert(1)'>",
    "<!--",
    "{{ 7 * 191 }}",
    "\x1b[31mred\x00",
    "right\u202eto left\u2066",
    "line\u2028paragraph\u2029end",
    "half \ud800",
)
EVIL = " ".join(HOSTILE)


class Page(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, str]] = []  # last tag that opened, text
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.tags[-1][0] if self.tags else "", data))

    def inside(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags]

    @property
    def text(self) -> str:
        shown = (text for tag, text in self.texts if tag not in ("script", "style"))
        return " ".join(" ".join(shown).split())

    def embedded(self) -> list:
        """What the player reads."""
        return [json.loads(text) for text in self.inside("script") if text.startswith("[")]


def figures(share: float, **more: object) -> dict:
    at = {"n": 9, "state_exact_match": share, "key_value_match": share}
    return {
        "n_traces": 12,
        "n_steps": 345,
        "state_exact_match": share,
        "effect_accuracy": share / 2,
        "first_divergence": None,
        "by_horizon": {"1": at, "2": at, "4": at},
        "by_type": {"int": {"n": 5, "accuracy": share}},
        "by_statement": {"Assign": {"n": 5, "accuracy": share}},
        "by_operation": {".replace()": {"n": 5, "accuracy": share}},
        "ci95": {"state_exact_match": [share - 0.05, share + 0.05]},
        "params": 1234,
        **more,
    }


def record(name: str, mode: str, wrong: int, length: int = 10, **more: object) -> dict:
    """A followed call that imagines its first steps wrongly."""
    true = [{"n": str(step)} for step in range(length)]
    guess = [{"n": "0"}, *({"n": "?"} for _ in range(wrong)), *true[wrong + 1 :]]
    return {
        "id": name,
        "scope": 0,
        "mode": mode,
        "entry": name,
        "origin": "test",
        "kinds": ["line"] * length,
        "lines": list(range(1, length + 1)),
        "statements": [f"n = {step}" for step in range(length)],
        "true": true,
        "predicted": guess,
        "true_output": "1",
        "predicted_output": None,
        **more,
    }


def make_run(folder: Path, suite: str = "small", share: float = 0.75) -> Path:
    (folder / "eval").mkdir(parents=True)
    (folder / "config.yaml").write_text("dynamics: slots\n")
    metrics = [{"step": s, "loss": 9 / s, "changed_right": s / 200} for s in range(1, 100)]
    metrics.append({"step": 100, "valid/loss": 0.5, "valid/changed_right": 0.4})
    write_lines(folder / "metrics.jsonl", metrics)
    mode = figures(share, copy=figures(0.25), shuffled=figures(0.125))
    result = {"suite": suite, "filter": mode, "open": mode}
    (folder / "eval" / f"{suite}.json").write_text(json.dumps(result))
    records = [record(f"call {n}", mode, n % 3) for n in range(4) for mode in ("filter", "open")]
    write_lines(folder / "eval" / f"{suite}.predictions.jsonl", records)
    return folder


def write_lines(path: Path, rows: list) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def read(runs: list[Path], out: Path) -> Page:
    return Page(write_report(runs, out).read_text("utf-8"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


def test_a_report_shows_figures_controls_intervals_charts_and_config(run, tmp_path):
    page = read([run], tmp_path / "report.html")
    for words in ("75.0 70.0 – 80.0", "25.0 20.0 – 30.0", "12.5", "1,234 parameters", "345"):
        assert words in page.text
    assert "dynamics: slots" in page.text
    for words in ("Changed values by type", "Effects by statement", "Effects by operation"):
        assert words in page.text
    labels = [attrs["aria-label"] for tag, attrs in page.tags if tag == "svg"]
    assert labels == [
        "filter: state exact match",
        "filter: key value match",
        "open: state exact match",
        "open: key value match",
        "loss",
        "changed_right",
    ]
    assert "Comparison" not in page.text


def test_several_runs_are_compared_and_the_best_is_marked(tmp_path):
    runs = [make_run(tmp_path / f"seed{n}", share=share) for n, share in enumerate((0.5, 0.75))]
    page = read([*runs, tmp_path / "seed1"], tmp_path / "report.html")
    assert "Comparison" in page.text
    rows = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert rows[:3] == ["#run-0", "#run-1", "#run-2"]
    best = sum("best" in attrs.get("class", "").split() for tag, attrs in page.tags if tag == "td")
    assert best == 2 * 2 * 2  # two figures, two modes, and one of the runs came twice


def test_nothing_is_fetched_and_a_policy_forbids_it(run, tmp_path):
    page = read([run], tmp_path / "report.html")
    policy = [
        a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy[0].startswith("default-src 'none'; style-src 'unsafe-inline';")
    check_nothing_leaves(page)


def test_hostile_texts_are_texts(tmp_path):
    run = make_run(tmp_path / "<b onclick=1>run", suite="<i>suite")
    part = {EVIL: {"n": 3, "accuracy": 0.5}}
    mode = figures(
        0.5, by_type=part, by_statement=part, by_operation=part, params=EVIL, coverage=EVIL
    )
    mode["by_horizon"][EVIL] = {"n": 1, "state_exact_match": 1.0}
    mode["ci95"] = {"state_exact_match": [EVIL, EVIL], EVIL: EVIL}
    result = {"suite": EVIL, "open": mode, EVIL: mode}
    (run / "eval" / "<i>suite.json").write_text(json.dumps(result))
    texts = {"id": EVIL, "entry": EVIL, "origin": EVIL, "kinds": [EVIL], "statements": [EVIL]}
    states = {"true": [{EVIL: EVIL}], "predicted": [{EVIL: EVIL + "!"}], "true_output": EVIL}
    bad = record("x", EVIL, 0, 1, **texts, **states)
    write_lines(run / "eval" / "<i>suite.predictions.jsonl", [bad])
    (run / "config.yaml").write_text(EVIL.replace("\ud800", ""))
    text = write_report([run, run], tmp_path / "report.html").read_text("utf-8")
    page = Page(text)

    check_nothing_leaves(page)
    assert all(c.isprintable() or c in "\n\t" for c in text)
    assert text.count("<!--") == 0 and "1337" not in text
    assert sum(tag == "script" for tag, _ in page.tags) == 3  # two players' texts, one program
    (episode,), _ = page.embedded()
    (mode,) = episode["modes"].values()
    assert mode["statements"] == [visible(EVIL)]
    (((name, true, guess),),) = mode["steps"]
    assert name.startswith(visible(EVIL)[:80])
    assert (true, guess) == (visible(EVIL), visible(EVIL + "!"))
    assert visible(EVIL) in page.text


def check_nothing_leaves(page: Page) -> None:
    quiet = {"html", "head", "meta", "title", "style", "body", "header", "section", "div", "span"}
    quiet |= {"p", "b", "em", "h1", "h2", "h3", "h4", "small", "table", "thead", "tbody", "tr"}
    quiet |= {"th", "td", "figure", "figcaption", "svg", "line", "text", "polyline", "circle"}
    quiet |= {"noscript", "script", "dl", "dt", "dd", "details", "summary", "pre", "code", "a"}
    for tag, attrs in page.tags:
        assert tag in quiet
        for name, value in attrs.items():
            assert not name.startswith("on")
            assert name not in ("src", "srcset", "action", "data", "background", "xlink:href")
            assert name != "href" or value.startswith("#run-")
            assert name != "style" or all(c.isalnum() or c in ":.% " for c in value)
    style = "".join(page.inside("style"))
    assert "url(" not in style and "@import" not in style
    program = page.inside("script")[-1]
    assert not any(word in program for word in ("fetch(", "http", "innerHTML", "eval(", "import("))


def test_what_hides_is_made_visible():
    assert visible("\x1b[1m\x00") == "⟨U+001B⟩[1m⟨U+0000⟩"
    assert visible("a\u202eb\u2066c\u200bd") == "a⟨U+202E⟩b⟨U+2066⟩c⟨U+200B⟩d"
    assert visible("plain ünicode 数\n\t") == "plain ünicode 数\n\t"


def test_missing_and_broken_files_do_not_break_a_report(tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.yaml").write_text("seed: 1\n")
    broken = make_run(tmp_path / "broken")
    with (broken / "metrics.jsonl").open("a") as file:
        file.write('{"step": 101, "loss": NaN}\n[1]\n{"step": 102, "lo')
    (broken / "eval" / "cut.json").write_text('{"open": {')
    (broken / "eval" / "list.json").write_text("[]")
    (broken / "eval" / "empty.json").write_text('{"open": {}, "filter": null}')
    huge = {"open": {"n_traces": 10**400, "by_type": 3, "by_horizon": [], "ci95": None}}
    (broken / "eval" / "odd.json").write_text(json.dumps(huge))
    rows = [{"id": 1}, [2], {"true": [1], "predicted": [{}]}, record("ok", "open", 1, lines=None)]
    write_lines(broken / "eval" / "empty.predictions.jsonl", rows)
    page = read([bare, broken], tmp_path / "out" / "report.html")
    assert "bare is not evaluated yet" in page.text
    assert "No evaluation yet" in page.text
    assert [one[0]["title"] for one in page.embedded()] == ["ok (test)", "call 1 (test)"]


def test_a_pattern_that_matches_nothing_is_one_clear_line(tmp_path):
    (tmp_path / "not-a-run").mkdir()
    with pytest.raises(UserError, match="no run at .*: a run is a folder with config.yaml"):
        find_runs(f"{tmp_path}/*")
    argument = f"runs={tmp_path}/*"
    command = [sys.executable, "-m", "experiments.report", argument]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: no run at") and ended.stderr.count("\n") == 1


def test_a_pattern_finds_runs_and_one_folder_is_a_pattern(run, tmp_path):
    other = make_run(tmp_path / "other")
    (tmp_path / "note.txt").write_text("not a run")
    assert find_runs(f"{tmp_path}/*") == [other, run]
    assert find_runs(str(run)) == [run]


def test_the_player_shows_short_calls_with_right_and_wrong_steps_first(tmp_path):
    right = [record(f"right {n}", "open", 0) for n in range(20)]
    wrong = [record(f"wrong {n}", "open", 9) for n in range(20)]
    long = [record(f"long {n}", "open", 3, length=90) for n in range(9)]
    mixed = [record(f"mixed {n}", "open", 3, length=14) for n in range(6)]
    write_lines(tmp_path / "rows.jsonl", right + wrong + long + mixed)
    titles = [episode.title.split()[0] for episode in choose(tmp_path / "rows.jsonl")]
    assert titles == ["mixed"] * 6 + ["long"] * (SHOWN - 6)


def test_a_step_of_the_player_says_what_agrees_and_what_is_not_bound(tmp_path):
    true, guess = [{"a": "1", "b": "2"}], [{"a": "1", "b": "3", "c": "4"}]
    write_lines(tmp_path / "rows.jsonl", [record("x", "open", 0, true=true, predicted=guess)])
    mode = choose(tmp_path / "rows.jsonl")[0].modes["open"]
    assert mode.steps == [[("a", "1"), ("b", "2", "3"), ("c", None, "4")]]
    assert mode.right == [False]


@pytest.mark.parametrize("values", [[], [0.0], [3, 3], [-4.2, 0.13], [0.001, 0.002], [5, 1e6]])
def test_axes_hold_their_values_between_few_round_ticks(values):
    axes = [linear("x", values)]
    if all(value > 0 for value in values):
        axes.append(logarithmic("x", values))
    for axis in axes:
        assert 2 <= len(axis.ticks) <= 9
        assert all(-1e-9 <= axis.share(value) <= 1 + 1e-9 for value in values)


def test_thinning_keeps_the_end_and_the_mean():
    points = [(float(x), float(x % 2)) for x in range(1000)]
    thinned = thin(points, 50)
    assert len(thinned) <= 50 and thinned[-1][0] == 999
    assert math.isclose(sum(y for _, y in thinned) / len(thinned), 0.5)
