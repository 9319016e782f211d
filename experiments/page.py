"""A moment of the imagined debugger as HTML, for notebooks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from experiments.episodes import visible

TEMPLATES = Path(__file__).parent / "templates"


def page(
    headline: str,
    note: str,
    listing: Sequence[tuple[int, str, str]],
    variables: Sequence[Any],
    compared: Sequence[Any],
    known: bool,
) -> str:
    """Values and source are another program's: every text passes through `visible` and escaping."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=lambda x: x if isinstance(x, Markup) else visible(x),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["bits"] = bits
    made.filters["changes"] = changes
    return made.get_template("debugger.html.jinja").render(
        headline=headline,
        note=note,
        listing=listing,
        variables=variables,
        compared=compared,
        known=known,
    )


def bits(surprise: float | None) -> str:
    return "" if surprise is None else f"{surprise:.1f}"


def changes(event: Any) -> str:
    """What an event shows: changed variables, and what is returned or raised."""
    held = [f"del {n}" if new is None else f"{n} = {new}" for n, new in event.change.items()]
    return ", ".join([*held, *([event.outcome] if event.outcome else [])])
