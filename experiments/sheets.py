"""The comparison of routes as tables for people: CSV, Markdown, one HTML page, and SVG plots."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from experiments import compare
from experiments.charts import Chart
from experiments.charts import Line as Drawn
from experiments.compare import Interval, Line, Result
from experiments.curves import AXES, Curve, curve_charts
from experiments.plots import SHARES, charts
from experiments.score import HEADLINES, HORIZONS

COLORS = ("#2459c9", "#b2660a", "#0f7f74", "#a8327d", "#5a7d1e", "#6b4fc4", "#bb2a22", "#3a8fb7")
STYLE = """.tick{font:10px system-ui,sans-serif;fill:#626b77}.grid{stroke:#e1e5ea}
.line{fill:none;stroke-width:1.8}.bound{stroke-width:.7;stroke-dasharray:3 2}
.dot.bound{display:none}.line.copy{stroke:#7d8794;stroke-dasharray:6 3}.dot.copy{fill:#7d8794}
"""


class Sheet(NamedTuple):
    title: str
    head: list[str]
    rows: list[list[str]]


def write_sheets(
    results: Sequence[Result],
    notes: list[str],
    out: Path,
    others: Mapping[str, Sequence[Result]] = MappingProxyType({}),
    curves: Sequence[Curve] = (),
) -> None:
    """table.csv, table.md, table.html and plots/*.svg, in a folder. `others` are of further
    suites."""
    lines = compare.table(results)
    (out / "table.csv").write_text(as_csv(lines))
    further = [sheet for suite, found in others.items() for sheet in suite_sheets(suite, found)]
    sheets = [*all_sheets(results, lines), *further, *([scaling_sheet(curves)] if curves else [])]
    (out / "table.md").write_text(as_markdown(sheets, notes))
    templates = environment()
    plot = templates.get_template("plot.svg.jinja")
    drawn = charts(results, others) | curve_charts(curves)
    plots = {name: plot.render(chart=chart).strip() for name, chart in drawn.items()}
    (out / "plots").mkdir(exist_ok=True)
    for name, text in plots.items():
        (out / "plots" / f"{name}.svg").write_text(text + "\n")
    page = templates.get_template("ablate.html.jinja")
    shown = [Markup(text) for text in plots.values()]
    (out / "table.html").write_text(page.render(tables=sheets, notes=notes, plots=shown))


def environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    colors = "".join(
        f".line.r{n}{{stroke:{color}}}.dot.r{n}{{fill:{color}}}" for n, color in enumerate(COLORS)
    )
    found.globals |= {"style": STYLE + colors, "legend": legend}
    return found


def legend(chart: Chart) -> list[Drawn]:
    return [line for line in chart.lines if line.name]


def as_csv(lines: Sequence[Line]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Line._fields)
    writer.writerows(
        [["" if isinstance(x, float) and math.isnan(x) else x for x in line] for line in lines]
    )
    return text.getvalue()


def as_markdown(sheets: Sequence[Sheet], notes: list[str]) -> str:
    parts = [*notes]
    for sheet in sheets:
        rows = [sheet.head, ["---"] + ["---:"] * (len(sheet.head) - 1), *sheet.rows]
        text = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        parts += [f"## {sheet.title}", text]
    return "\n\n".join(parts) + "\n"


def all_sheets(results: Sequence[Result], lines: Sequence[Line]) -> list[Sheet]:
    sheets = [cost_sheet(results)]
    for mode in dict.fromkeys(line.mode for line in lines):
        there = [result for result in results if mode in result.modes]
        of_mode = [line for line in lines if line.mode == mode]
        sheets.append(figure_sheet(there, of_mode, mode))
        sheets += horizon_sheets(there, mode)
        for key, what in SHARES.items():
            shares = {each.name: compare.shares(each, mode, key) for each in there}
            sheets.append(share_sheet(shares, f"{mode}, % right by {what}"))
        shares = {each.name: compare.families(each, mode) for each in there}
        sheets.append(share_sheet(shares, f"{mode}, % of effects right by corpus"))
    return sheets


def horizon_sheets(results: Sequence[Result], mode: str) -> list[Sheet]:
    """What is right so many statements after the first state, and how many calls are so long."""
    count = {s: max(compare.long_enough(r, mode, s) for r in results) for s in HORIZONS}
    named = {s: f"{s} (of {n})" for s, n in count.items() if n}
    titles = {
        f"{mode}, % of states exact so many statements on": compare.horizon,
        f"{mode}, % of calls without a mistake so far": compare.unbroken,
    }
    return [
        share_sheet(
            {r.name: {name: figure(r, mode, s) for s, name in named.items()} for r in results},
            title,
        )
        for title, figure in titles.items()
    ]


def suite_sheets(suite: str, results: Sequence[Result]) -> list[Sheet]:
    lines = compare.table(results)
    sheets = []
    for mode in dict.fromkeys(line.mode for line in lines):
        there = [result for result in results if mode in result.modes]
        of_mode = [line for line in lines if line.mode == mode]
        sheets.append(figure_sheet(there, of_mode, f"{suite}, {mode}"))
        shares = {each.name: compare.finals(each, mode) for each in there}
        sheets.append(share_sheet(shares, f"{suite}, {mode}, % of last states exact"))
    return sheets


def cost_sheet(results: Sequence[Result]) -> Sheet:
    names = list(dict.fromkeys(name for result in results for name in result.costs))
    rows = [
        [result.name, *(f"{result.costs[n]:,.5g}" if n in result.costs else "-" for n in names)]
        for result in results
    ]
    return Sheet("What a route costs", ["route", *names], rows)


def figure_sheet(results: Sequence[Result], lines: Sequence[Line], title: str) -> Sheet:
    """Each figure with its interval; the controls of effects beside it."""
    head = ["route", *HEADLINES, "effects: copy", "actions shuffled", "states shuffled"]
    rows = []
    for result in results:
        own = {line.figure: line for line in lines if line.route == result.name}
        cells = [percent(Interval(*own[name][3:6])) for name in HEADLINES]
        effects = own["effect_accuracy"]
        others = [plain(x) for x in (effects.copy, effects.shuffled, effects.misled)]
        rows.append([result.name, *cells, *others, compare.divergence(result, lines[0].mode)])
    return Sheet(f"{title}, %", [*head, "first divergence, by seed"], rows)


def share_sheet(found: Mapping[str, Mapping[str, Interval]], title: str) -> Sheet:
    """A row for each route, a column for each name that any of them has."""
    names = list(dict.fromkeys(name for each in found.values() for name in each))
    rows = [
        [route, *(percent(each[name]) if name in each else "-" for name in names)]
        for route, each in found.items()
    ]
    return Sheet(title, ["route", *names], rows)


def scaling_sheet(curves: Sequence[Curve]) -> Sheet:
    """The exponent is of the share of wrong effects: -0.3 halves it at ten times as much."""
    rows = []
    for curve in curves:
        points = (f"{x:,.0f}: {percent(at)}" for x, at in sorted(curve.points))
        slope = curve.slope()
        fitted = f"{slope.value:.3f} ({slope.low:.3f} to {slope.high:.3f})"
        rows.append([curve.route, AXES[curve.by], "; ".join(points), fitted])
    head = ["route", "by", "effects right in open loop, %", "exponent of the wrong ones"]
    return Sheet("Scaling, one seed", head, rows)


def percent(x: Interval) -> str:
    if math.isnan(x.value):
        return "-"
    return f"{100 * x.value:.1f} ({100 * x.low:.1f} to {100 * x.high:.1f})"


def plain(x: float) -> str:
    return "-" if math.isnan(x) else f"{100 * x:.1f}"
