"""Where metrics go: metrics.jsonl always, TensorBoard, and a line or a bar on the terminal."""

import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tensorboardX import SummaryWriter

from experiments.atomic import write_whole


class Writer:
    """Writes into a run's folder; on resuming, what lies after the restored step is dropped."""

    def __init__(self, folder: Path, start: int, steps: int, tensorboard: bool = True):
        self.path = folder / "metrics.jsonl"
        self._open(start)
        self.board = SummaryWriter(str(folder / "tensorboard")) if tensorboard else None
        self.console = Console()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        quiet = not self.console.is_terminal
        self.progress = Progress(*columns, console=self.console, disable=quiet)
        self.task = self.progress.add_task("training", total=steps, completed=start, note="")
        self.progress.start()

    def write(self, step: int, metrics: Mapping[str, float], shown: tuple[str, ...] = ()) -> None:
        row = {"step": step} | {name: float(value) for name, value in metrics.items()}
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
        for name, value in metrics.items():
            if self.board:
                self.board.add_scalar(name, float(value), step)
        if shown:
            note = "  ".join(f"{name} {float(metrics[name]):.3f}" for name in shown)
            self.progress.update(self.task, completed=step, note=note)
            if not self.console.is_terminal:
                print(f"step {step}  {note}", flush=True)

    def note(self, text: str) -> None:
        """A line for people: something happened that is no metric."""
        print(text, flush=True)

    def rewind(self, step: int) -> None:
        """Training goes on from this step: later rows will come again."""
        self.file.close()
        self._open(step)

    def advance(self, step: int) -> None:
        self.progress.update(self.task, completed=step)

    def close(self) -> None:
        self.progress.stop()
        self.file.close()
        if self.board:
            self.board.close()

    def _open(self, start: int) -> None:
        if self.path.exists():
            lines = self.path.read_text().splitlines()
            whole = [line for line in lines if line.endswith("}")]
            kept = [line for line in whole if json.loads(line)["step"] <= start]
            write_whole(self.path, "".join(f"{line}\n" for line in kept))
        self.file = self.path.open("a")
