"""`python -m experiments.debug run=DIR program=FILE.py call='f(3)'`: step through what is imagined.

A terminal program; `experiments.debugger` is the same for notebooks and scripts.
"""

import sys
import tokenize
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.command import UserError, command, user_errors
from experiments.debugger import Debugger
from experiments.predict import Predictor


@command("debug")
def main(cfg: DictConfig) -> None:
    if not find_spec("textual"):
        raise UserError("the terminal program needs the extra `debug`: pip install textual")
    if not sys.stdout.isatty():
        raise UserError("this is no terminal; experiments.debugger.Debugger needs none")
    debugger = begin(cfg, Predictor.of_programs(Path(cfg.run)))
    from experiments.terminal import Terminal

    Terminal(debugger).run()


def begin(cfg: DictConfig, predictor: Predictor) -> Debugger:
    with user_errors(SyntaxError, UnicodeDecodeError), tokenize.open(cfg.program) as file:
        source = file.read()
    own: dict[str, Any] = {key: OmegaConf.to_container(cfg[key]) for key in ("limits", "sandbox")}
    debugger = Debugger(predictor, source, cfg.call, cfg.steps, **own)
    return debugger.next().reset()  # what the first step compiles, no key has to wait for


if __name__ == "__main__":
    main()
