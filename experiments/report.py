"""`python -m experiments.report runs=GLOB [out=FILE.html]`: figures and imagined runs in one page.

The page asks the network for nothing, and whatever text it shows is another program's: every
string passes through `visible` and the template's escaping.
"""

import glob
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from omegaconf import DictConfig

from experiments.charts import Axis, Chart, Point, Series, chart, linear, logarithmic, thin
from experiments.command import UserError, command
from experiments.episodes import Episode, choose, visible

MODES = ("filter", "open", "free", "nested")
KINDS = ("model", "copy", "shuffled")
BREAKDOWNS = {
    "by_type": "Changed values by type",
    "by_statement": "Effects by statement",
    "by_operation": "Effects by operation",
}
HORIZONS = [str(2**power) for power in range(17)]


class Figure(NamedTuple):
    key: str
    name: str
    digits: int
    percent: bool
    meaning: str


FIGURES = (
    Figure("state_exact_match", "state exact match", 1, True, "steps whose whole state is right"),
    Figure("effect_accuracy", "effect accuracy", 1, True, "changing steps: all changes, no other"),
    Figure("effect_free_accuracy", "effect-free accuracy", 1, True, "other steps: nothing changed"),
    Figure("key_value_match", "key-value match", 1, True, "Jaccard index of (name, value) pairs"),
    Figure("key_match", "key match", 1, True, "Jaccard index of the names"),
    Figure("output_pass_at_1", "output pass@1", 1, True, "returned value, equal and of one type"),
    Figure(
        "first_divergence",
        "first divergence",
        1,
        False,
        "median step of the first mistake, if half err",
    ),
    Figure("coverage", "coverage", 1, True, "values that the encoding can hold exactly"),
    Figure("n_traces", "traces", 0, False, "calls that were followed"),
    Figure("n_steps", "steps", 0, False, "statements in them"),
)
COMPARED = FIGURES[:7]
CONTROLLED = {figure.key for figure in FIGURES} - {"coverage", "n_traces", "n_steps"}


class Suite(NamedTuple):
    name: str
    modes: dict[str, Mapping]  # the figures of each mode that was run
    horizons: list[Chart]
    breakdowns: list[tuple[str, list[tuple[str, int]]]]  # (key, [(name, count)])
    episodes: list[Episode]


class Run(NamedTuple):
    name: str
    config: str
    curves: list[Chart]
    facts: list[tuple[str, float]]
    suites: list[Suite]


class Row(NamedTuple):
    """One line of the comparison."""

    suite: str
    mode: str
    run: int
    figures: Mapping
    best: set[str]


@command("report")
def main(cfg: DictConfig) -> None:
    runs = find_runs(cfg.runs)
    print(write_report(runs, Path(cfg.out or runs[0] / "report.html")))


def find_runs(pattern: str) -> list[Path]:
    found = [Path(path) for path in sorted(glob.glob(str(pattern), recursive=True))]
    runs = [path for path in found if is_run(path)]
    if not runs:
        raise UserError(f"no run at {pattern}: a run is a folder with config.yaml or eval/*.json")
    return runs


def is_run(path: Path) -> bool:
    return (path / "config.yaml").is_file() or any(path.glob("eval/*.json"))


def write_report(runs: list[Path], out: Path) -> Path:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    page = Environment(
        loader=loader,
        autoescape=True,
        finalize=lambda x: x if isinstance(x, Markup) else visible(str(x)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.policies["json.dumps_kwargs"] = {"sort_keys": False}  # locals stay in order
    filters = (figure, interval, embedded, of, part, is_number, bar)
    page.filters |= {function.__name__: function for function in filters}
    loaded = [load_run(path, name) for path, name in zip(runs, short_names(runs), strict=True)]
    text = page.get_template("report.html.jinja").render(
        runs=loaded,
        rows=compare(loaded),
        used={mode for run in loaded for suite in run.suites for mode in suite.modes},
        kinds=KINDS,
        breakdowns=BREAKDOWNS,
        figures=FIGURES,
        compared=COMPARED,
        controlled=CONTROLLED,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    return out


def short_names(runs: list[Path]) -> list[str]:
    """What tells the folders apart."""
    whole = [path.resolve() for path in runs]
    if len(whole) == 1:
        return [whole[0].name]
    common = os.path.commonpath(whole)
    return [os.path.relpath(path, common) for path in whole]


def load_run(path: Path, name: str) -> Run:
    config = path / "config.yaml"
    rows = [row for row in json_lines(path / "metrics.jsonl") if is_number(row.get("step"))]
    suites = (load_suite(file) for file in sorted(path.glob("eval/*.json")))
    return Run(
        name,
        config.read_text("utf-8", "replace") if config.is_file() else "",
        training_curves(rows),
        training_facts(rows),
        [suite for suite in suites if suite],
    )


def load_suite(path: Path) -> Suite | None:
    try:
        result = json.loads(path.read_text("utf-8", "replace"))
    except ValueError:
        return None
    if not isinstance(result, dict):
        return None
    modes = {mode: result[mode] for mode in MODES if isinstance(result.get(mode), dict)}
    return Suite(
        path.stem,
        modes,
        [*horizon_charts(modes), *reliability_charts(modes)],
        [(key, counts(modes, key)) for key in BREAKDOWNS],
        choose(path.with_suffix(".predictions.jsonl")),
    )


def json_lines(path: Path) -> Iterator[dict]:
    """Objects of a file, but for a last line that a crash cut short."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def training_curves(rows: list[dict]) -> list[Chart]:
    charts = []
    for name in ("loss", "changed_right"):
        keys = {"train": name, "valid": f"valid/{name}"}
        series = [Series(label, label, thin(points(rows, key))) for label, key in keys.items()]
        values = [value for one in series for _, value in one.points]
        steps = [step for one in series for step, _ in one.points]
        positive = name == "loss" and all(value > 0 for value in values)
        y = (logarithmic if positive else linear)(name, values)
        charts.append(chart(name, series, linear("gradient step", [0, *steps]), y, dots=False))
    return [one for one in charts if one]


def training_facts(rows: list[dict]) -> list[tuple[str, float]]:
    facts = [("gradient steps", max((row["step"] for row in rows), default=math.nan))]
    for key in ("loss", "valid/loss", "valid/changed_right", "steps_per_second"):
        found = points(rows, key)
        facts += [(f"last {key}", found[-1][1])] if found else []
    return facts


def points(rows: list[dict], key: str) -> list[Point]:
    return [(row["step"], row[key]) for row in rows if is_number(row.get(key))]


def horizon_charts(modes: Mapping[str, Mapping]) -> list[Chart]:
    charts = []
    for mode, figures in modes.items():
        for key in ("state_exact_match", "key_value_match"):
            series = [Series(kind, kind, horizons(of(figures, kind), key)) for kind in KINDS]
            last = max([2.0, *(step for one in series for step, _ in one.points)])
            ticks = [2.0**power for power in range(math.ceil(math.log2(last)) + 1)]
            x = Axis("steps since the first observation", ticks, log=True)
            y = Axis(key, [0, 0.25, 0.5, 0.75, 1])
            charts.append(chart(f"{mode}: {key.replace('_', ' ')}", series, x, y))
    return [one for one in charts if one]


def reliability_charts(modes: Mapping[str, Mapping]) -> list[Chart]:
    """How often what was said with some probability is so; on the diagonal, as often as said."""
    charts = []
    x, y = (Axis(name, [0, 0.25, 0.5, 0.75, 1]) for name in ("probability", "share that is right"))
    for mode, figures in modes.items():
        found = part(figures, "calibration")
        series = [
            Series("values that change", "model", reliability(part(found, "values"))),
            Series("whole states", "shuffled", reliability(part(found, "states"))),
        ]
        diagonal = Series("as often as said", "copy", [(0.0, 0.0), (1.0, 1.0)])
        if any(one.points for one in series):
            charts.append(chart(f"{mode}: reliability", [*series, diagonal], x, y))
    return [one for one in charts if one]


def reliability(found: Mapping) -> list[Point]:
    bins = found.get("bins")
    rows = [row for row in bins if isinstance(row, dict)] if isinstance(bins, list) else []
    pairs = [(row.get("probability"), row.get("accuracy")) for row in rows]
    return [(x, y) for x, y in pairs if is_number(x) and is_number(y)]


def horizons(figures: Mapping, key: str) -> list[Point]:
    found = []
    at = part(figures, "by_horizon")
    for horizon in HORIZONS:
        share = part(at, horizon).get(key)
        if is_number(share):
            found.append((float(horizon), min(1.0, max(0.0, share))))
    return found


def counts(modes: Mapping[str, Mapping], key: str) -> list[tuple[str, int]]:
    """Every type or kind of statement, the commonest first."""
    found: dict[str, int] = {}
    for figures in modes.values():
        for name in (at := part(figures, key)):
            n = part(at, name).get("n")
            found[name] = max(found.get(name, 0), int(n) if is_number(n) else 0)
    return sorted(found.items(), key=lambda item: -item[1])


def compare(runs: list[Run]) -> list[Row]:
    """All runs by suite and mode, each with the figures in which no other run is better."""
    rows = [
        Row(suite.name, mode, run, figures, set())
        for run, one in enumerate(runs)
        for suite in one.suites
        for mode, figures in suite.modes.items()
    ]
    for key in (one.key for one in COMPARED if one.percent):
        top: dict[tuple[str, str], float] = {}
        scored = [row for row in rows if is_number(row.figures.get(key))]
        for row in scored:
            at = (row.suite, row.mode)
            top[at] = max(top.get(at, -math.inf), row.figures[key])
        for row in scored:
            if row.figures[key] == top[row.suite, row.mode]:
                row.best.add(key)
    return sorted(rows, key=lambda row: (row.suite, MODES.index(row.mode), row.run))


def embedded(episodes: list[Episode]) -> list[dict]:
    """What player.js reads."""
    return [
        {"title": title, "modes": {name: mode._asdict() for name, mode in modes.items()}}
        for title, modes in episodes
    ]


def of(figures: Mapping, kind: str) -> Mapping:
    """The figures of the model itself, or of one of its controls."""
    return figures if kind == "model" else part(figures, kind)


def part(tree: Any, key: str) -> Mapping:
    """What should be a mapping, or an empty one."""
    found = tree.get(key)
    return found if isinstance(found, dict) else {}


def is_number(x: Any) -> TypeGuard[float]:
    """A finite number; `-1e300 < x` also keeps out nan and integers that no float can hold."""
    return isinstance(x, int | float) and not isinstance(x, bool) and -1e300 < x < 1e300


def figure(x: Any, digits: int = 1, percent: bool = False) -> str:
    """A number as people read it, or a dash."""
    if not is_number(x):
        return "–"
    text = f"{100 * x if percent else x:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text and not percent else text


def bar(share: float) -> float:
    """Length in percent."""
    return round(100 * min(1.0, max(0.0, share)), 2)


def interval(bounds: Any, digits: int = 1, percent: bool = False) -> str:
    if not isinstance(bounds, list) or len(bounds) != 2 or not all(map(is_number, bounds)):
        return ""
    return " – ".join(figure(x, digits, percent) for x in bounds)


if __name__ == "__main__":
    main()
