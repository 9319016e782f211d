"""`python -m experiments.export dataset=DIR out=FILE.parquet`: a dataset for other tools, and back.

With `dataset=FILE out=DIR` a dataset folder is made of such a file, and no program runs for it.
"""

import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from experiments.command import UserError, command, user_errors
from tracer.corpora.split import group, split
from tracer.cwm import Check, Options, check
from tracer.derive import derive
from tracer.layout import Layout
from tracer.records import SUFFIXES, TEXT, TRACE, read_traces, row, text_row, write_rows
from tracer.schema import Program, Trace
from tracer.store import SPLITS, Writer

FORMATS = ("trace", "cwm")


@command("export")
def main(cfg: DictConfig) -> None:
    export(cfg)


def export(cfg: DictConfig) -> Path:
    out, found = Path(cfg.out), chosen(cfg)
    if cfg.format not in FORMATS:
        raise UserError(f"unknown format {cfg.format!r}; there are: {', '.join(FORMATS)}")
    with user_errors(ValueError, TypeError):
        if not out.name.endswith(SUFFIXES):
            if out.suffix or cfg.format != "trace":
                raise UserError(f"{out} does not end in one of {', '.join(SUFFIXES)}")
            count = to_folder(found, out, cfg)
        elif cfg.format == "cwm":
            count = to_texts(found, out, Options(**cfg.cwm).check())
        else:
            count = write_rows(out, (row(trace, name) for name, trace in found), TRACE)
    print(f"{count} traces in {out}")
    return out


def chosen(cfg: DictConfig) -> Iterator[tuple[str, Trace]]:
    """The traces of the splits that were asked for; those of no split belong to all."""
    if unknown := set(cfg.splits) - set(SPLITS):
        raise UserError(f"unknown split {min(unknown)!r}; there are: {', '.join(SPLITS)}")
    for name, trace in read_traces(Path(cfg.dataset)):
        if not name or name in cfg.splits:
            yield name, trace


def to_texts(found: Iterable[tuple[str, Trace]], out: Path, options: Options) -> int:
    """CWM texts; says how many locals are read back from them."""
    checks: list[Check] = []

    def rows() -> Iterator[dict[str, str]]:
        for name, trace in found:
            made = text_row(trace, name, options)
            checks.append(check(trace, made["text"], options))
            yield made

    count = write_rows(out, rows(), TEXT)
    frames, values, lost = (sum(column) for column in zip(Check(0, 0, 0), *checks, strict=True))
    print(f"{values - lost} of {values} locals of {frames} calls and lines are read back")
    return count


def to_folder(found: Iterable[tuple[str, Trace]], out: Path, cfg: DictConfig) -> int:
    """A native dataset, as experiments.trace would have written it."""
    writer = Writer(out, Layout(**cfg.window))
    try:
        for name, trace in found:
            program = Program(trace.source, trace.input, trace.origin)
            writer.write_trace(name or split(group(program)), trace)
        outcomes, counts = derive(writer, cfg.seed)
        manifest = {
            "config": OmegaConf.to_container(cfg, resolve=True),
            "python": platform.python_version(),
            "outcomes": outcomes,
            "counts": counts,
        }
        writer.finish(manifest)
    except BaseException:
        writer.abandon()
        raise
    return sum(sum(kinds.values()) for kinds in outcomes.values())


if __name__ == "__main__":
    main()
