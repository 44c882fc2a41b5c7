"""Training with a live progress bar, and the folder that a model lives in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress, TaskID

from mrl.cli.console import USAGE, progress, stop
from mrl.lm import LanguageModel, Step
from mrl.text import Vocab

__all__ = ["MODEL", "VOCAB", "TrainingBar", "load", "save"]

MODEL, VOCAB = "model.safetensors", "vocab.json"


def save(model: LanguageModel, vocab: Vocab, folder: Path) -> None:
    """Write a model and its vocabulary; killed in between, it leaves no model, never one with a foreign vocabulary."""
    (folder / MODEL).unlink(missing_ok=True)
    vocab.save(folder / VOCAB)
    model.save(folder / MODEL)


def load(path: Path) -> tuple[LanguageModel, Vocab]:
    """The model and vocabulary of a folder, or of a model file with vocab.json beside it."""
    file = path / MODEL if path.is_dir() else path
    if not file.exists():
        stop(f"{file}: no such model; train one with: mrl train FILE -o {path}", USAGE)
    vocab = Vocab.load(file.with_name(VOCAB))
    return LanguageModel.load(file, vocab), vocab


class TrainingBar:
    """Shows each step of a training: loss, molecules per second, time left.

    Attributes
    ----------
    last : Step or None
        The last step that was done.
    """

    def __init__(self, steps: int, what: str = "training") -> None:
        self.last: Step | None = None
        self._steps = steps
        self._what = what
        self._bar: Progress | None = None
        self._task = TaskID(0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show the bar."""
        with progress("loss {task.fields[loss]:.3f}", "{task.fields[rate]:,.0f} molecules/s") as bar:
            self._bar = bar
            self._task = bar.add_task(self._what, total=self._steps, loss=float("nan"), rate=0.0)
            yield

    def __call__(self, step: Step) -> None:
        self.last = step
        rate = step.molecules / step.seconds if step.seconds else 0.0
        if self._bar is not None:
            self._bar.update(self._task, completed=step.step, loss=step.loss, rate=rate)
