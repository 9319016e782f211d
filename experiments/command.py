"""What every entry point shares: hydra, and errors of one line."""

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

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

        def main() -> None:
            sys.argv[1:] = map(quoted, spelled(sys.argv[1:]))
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
    """Hydra's own message on a wrong key takes four lines and names no right one."""
    with initialize_config_dir(CONFIGS, version_base=None):
        try:
            compose(name, overrides)
        except (HydraException, OmegaConfBaseException) as error:
            raise UserError(explain(name, overrides, error)) from error


def explain(name: str, overrides: list[str], error: Exception) -> str:
    groups = sorted(path.name for path in Path(CONFIGS).iterdir() if path.is_dir())
    pairs = [override.lstrip("+~").partition("=")[::2] for override in overrides]
    for key, value in pairs:
        group = Path(CONFIGS) / key
        if key in groups and not (group / f"{value}.yaml").exists():
            return f"unknown {key} {value!r}; there are: {', '.join(options(group))}"
    try:
        known = [*groups, *keys(compose(name, [f"{k}={v}" for k, v in pairs if k in groups]))]
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
