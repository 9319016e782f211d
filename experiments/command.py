"""What every entry point shares: hydra, and errors of one line."""

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from tracer.sandbox.limits import Limits

CONFIGS = str(Path(__file__).resolve().parents[1] / "configs")

_CALL = re.compile(r"[A-Za-z_]\w*\(.*\)", re.DOTALL)


class UserError(Exception):
    """Something that the user can put right; its text is the whole message."""


@contextmanager
def user_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Where these errors speak of what the user gave us."""
    try:
        yield
    except kinds as error:
        raise UserError(first_line(error)) from error


def command(
    name: str, spelled: Callable[[list[str]], list[str]] = list
) -> Callable[[Callable[[DictConfig], None]], Callable[[], None]]:
    """A function of a config becomes `python -m experiments.NAME key=value`.

    `spelled` puts what users may write otherwise into hydra's words.
    HYDRA_FULL_ERROR=1 shows where an error comes from.
    """

    def wrap(function: Callable[[DictConfig], None]) -> Callable[[], None]:
        @hydra.main(version_base=None, config_path=CONFIGS, config_name=name)
        def run(cfg: DictConfig) -> None:
            guarded(lambda: function(cfg))

        def spell() -> None:
            sys.argv[1:] = map(quoted, spelled(sys.argv[1:]))

        def main() -> None:
            guarded(spell)
            if not any(argument.startswith("-") for argument in sys.argv[1:]):
                guarded(lambda: check_overrides(name, sys.argv[1:]))
            run()

        return main

    return wrap


def guarded(call: Callable[[], None]) -> None:
    """Mistakes that we foresaw end in one line and exit code 1; others keep their traceback."""
    try:
        call()
    except (UserError, OSError, FloatingPointError, OmegaConfBaseException) as error:
        if os.environ.get("HYDRA_FULL_ERROR"):
            raise
        sys.exit(f"error: {first_line(error)}")


def quoted(argument: str) -> str:
    """Hydra has functions and a grammar of its own: `call=f(3)` is meant as a text."""
    key, _, value = argument.partition("=")
    if argument.startswith("-") or not value:
        return argument
    try:
        override = OverridesParser.create().parse_override(argument)
        if not _CALL.fullmatch(value) or override.is_sweep_override() and "-m" in sys.argv:
            return argument
    except HydraException:
        pass
    return f"{key}={QuotedString(value, Quote.single).with_quotes()}"


def check_overrides(name: str, overrides: list[str]) -> None:
    """Hydra's own message on a wrong key takes four lines and names no right one; on a value of
    another kind it has none."""
    with initialize_config_dir(CONFIGS, version_base=None):
        try:
            cfg = compose(name, overrides)
        except (HydraException, OmegaConfBaseException) as error:
            raise UserError(explain(name, overrides, error)) from error
        except ValueError as error:  # hydra's, of null where a file of the same name would do
            check_kinds(overrides, DictConfig({}), compose(name))
            raise UserError(first_line(error)) from error
        chosen = [each for each in overrides if each.partition("=")[0] in groups()]
        usual = compose(name, chosen)
    check_kinds(overrides, cfg, usual)
    if isinstance(cfg.get("limits"), DictConfig):
        with user_errors(TypeError, ValueError):
            Limits(**cfg.limits)


def check_kinds(overrides: list[str], cfg: DictConfig, usual: DictConfig) -> None:
    for override in overrides:
        key, _, written = override.partition("=")
        check_kind(key, written, OmegaConf.select(cfg, key), OmegaConf.select(usual, key))


def check_kind(key: str, written: str, given: Any, usual: Any) -> None:
    """A value must be like the one that it takes the place of; null is for the command to judge."""
    if isinstance(usual, DictConfig):
        if not isinstance(given, DictConfig):
            there = ", ".join(f"{key}.{name}" for name in usual)
            raise UserError(f"{key}={written} is no value of its own; there are: {there}")
    elif given is None:
        return
    elif isinstance(usual, bool):
        if not isinstance(given, bool):
            raise UserError(f"{key}={written} is neither true nor false")
    elif isinstance(usual, int | float) and not is_number(given):
        raise UserError(f"{key}={written} is no number; by itself it is {usual}")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def at_least(least: int, **given: Any) -> None:
    """For counts, by their keys."""
    for key, value in given.items():
        if not isinstance(value, int) or value < least:
            raise UserError(f"{key}={value} is no whole number of at least {least}")


def groups() -> list[str]:
    return sorted(path.name for path in Path(CONFIGS).iterdir() if path.is_dir())


def explain(name: str, overrides: list[str], error: Exception) -> str:
    pairs = [override.lstrip("+~").partition("=")[::2] for override in overrides]
    for key, value in pairs:
        group = Path(CONFIGS) / key
        if key in groups() and not (group / f"{value}.yaml").exists():
            return f"unknown {key} {value!r}; there are: {', '.join(options(group))}"
    try:
        chosen = [f"{key}={value}" for key, value in pairs if key in groups()]
        known = [*groups(), *keys(compose(name, chosen))]
    except HydraException as error:
        return first_line(error)
    for override, (key, _) in zip(overrides, pairs, strict=True):
        added = override.startswith("+")  # on purpose
        if key not in known and not added and not key.startswith("hydra."):
            near = difflib.get_close_matches(key, known, 1, 0)
            return f"unknown key {key!r}; the nearest is {near[0]!r}"
    return first_line(error)


def options(group: Path) -> list[str]:
    return sorted(path.stem for path in group.glob("*.yaml"))


def keys(cfg: DictConfig, prefix: str = "") -> list[str]:
    """Every key of a config, dotted."""
    found = []
    for key in cfg:
        name = f"{prefix}{key}"
        found.append(name)
        missing = OmegaConf.is_missing(cfg, key)
        if not missing and isinstance(cfg._get_node(key), DictConfig) and cfg[key] is not None:
            found += keys(cfg[key], f"{name}.")
    return found


def first_line(error: BaseException) -> str:
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} must be given: {error.full_key}=..."
    return str(error).strip().partition("\n")[0] or type(error).__name__
