"""``mrl train``: a language model from a file of molecules; its steps are those of ``mrl demo`` as well."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Canonical, Cleaned, clean
from mrl.cli.console import DATA, USAGE, note, print_json, progress, stop, success
from mrl.cli.options import TrainOptions
from mrl.cli.tables import read_table, report_rejects, require_folder
from mrl.corpus import Table
from mrl.data import TextDataset
from mrl.lm import LanguageModel, ModelConfig, Step, accelerator, fit, one_thread
from mrl.messages import format_count
from mrl.progress import track
from mrl.text import SMILES_PATTERN, RegexVocab, Vocab

MODEL, VOCAB = "model.safetensors", "vocab.json"
BATCH_SIZE = 64


class Molecules(NamedTuple):
    """A file of molecules on its way to a dataset."""

    table: Table
    cleaned: Cleaned
    dataset: TextDataset


def run(options: TrainOptions) -> None:
    """Read, clean, train, save; Ctrl-C saves what was learned so far."""
    if (options.out / MODEL).exists():
        stop(
            f"{options.out} has a model already: choose another folder with -o, or remove {options.out / MODEL}", USAGE
        )
    require_folder(options.out)
    with one_thread():
        table, _, dataset = load_molecules(options.file, options.smiles_column, options.max_length)
        model, _, last = train_model(dataset, options.steps, options.lr, options.seed, options.hidden, stoppable=True)
    save_model(model, dataset.vocab, options.out)
    note(f"  try: mrl sample {options.out} -n 100")
    if options.json:
        print_json(
            {
                "rows": len(table),
                "molecules": len(dataset),
                "tokens": len(dataset.vocab),
                "steps": last.step,
                "loss": last.loss,
                "seconds": last.seconds,
                "model": str(options.out / MODEL),
                "vocab": str(options.out / VOCAB),
            }
        )


def load_molecules(file: Path | None, smiles_column: str | None, max_length: int) -> Molecules:
    """Read a file, keep its distinct molecules that are not too long, and learn a vocabulary from them."""
    table = read_table(file, smiles_column)
    with track(True, len(table), "cleaning") as advance:
        cleaned = clean(table.smiles, [Canonical()], duplicates="first", on_row=lambda: advance(1))
    molecules = format_count(len(cleaned.smiles), "distinct molecule")
    success(f"kept {molecules} of {format_count(len(table), 'row')}")
    report_rejects(cleaned.rejects, "left out", table.rows)
    if not len(cleaned.smiles):
        stop("no row is a molecule; choose the column of the SMILES with --smiles-column", DATA)
    vocab = RegexVocab([], SMILES_PATTERN)
    vocab.update_vocab_from_data(cleaned.smiles)
    dataset = TextDataset(cleaned.smiles, vocab, max_length=max_length, on_long="reject")
    success(f"learned a vocabulary of {format_count(len(vocab), 'token')} from these molecules")
    report_rejects(dataset.rejects, "left out", table.rows[cleaned.kept])
    if not len(dataset):
        stop(f"every molecule has more than {max_length} tokens; raise --max-length", DATA)
    return Molecules(table, cleaned, dataset)


def train_model(
    dataset: TextDataset, steps: int, lr: float, seed: int, hidden: int = 256, *, stoppable: bool = False
) -> tuple[LanguageModel, NDArray[np.float64], Step]:
    """Train a model with a progress bar; return it, the loss of each step, and the last step.

    If it is `stoppable`, Ctrl-C ends the training but not the program.
    """
    model = LanguageModel(ModelConfig.for_vocab(dataset.vocab, hidden=hidden), seed=seed).to(accelerator())
    loader = dataset.dataloader(BATCH_SIZE, bucket=True, seed=seed, device=model.device)
    done: list[Step] = []
    with progress("loss {task.fields[loss]:.3f}", "{task.fields[rate]:,.0f} molecules/s") as bar:
        task = bar.add_task("training", total=steps, loss=float("nan"), rate=0.0)

        def show(step: Step) -> None:
            done.append(step)
            bar.update(task, completed=step.step, loss=step.loss, rate=_rate(step), refresh=step.step % 10 == 0)

        try:
            fit(model, loader, steps=steps, lr=lr, on_step=show)
        except KeyboardInterrupt:
            if not (stoppable and done):
                raise
            note(f"interrupted after {done[-1].step:,} of {format_count(steps, 'step')}; saving what was learned")
    last = done[-1]
    trained = f"{format_count(last.step, 'step')} in {last.seconds:.0f} s ({_rate(last):,.0f} molecules/s)"
    success(f"trained {trained}, loss {last.loss:.3f}")
    return model, np.array([step.loss for step in done]), last


def _rate(step: Step) -> float:
    return step.molecules / step.seconds if step.seconds else 0.0


def save_model(model: LanguageModel, vocab: Vocab, folder: Path) -> None:
    """Write a model and its vocabulary; if killed in between, leave no model rather than one of another vocabulary."""
    (folder / MODEL).unlink(missing_ok=True)
    vocab.save(folder / VOCAB)
    model.save(folder / MODEL)
    success(f"wrote {folder / VOCAB} and {folder / MODEL}")


def load_model(path: Path) -> tuple[LanguageModel, Vocab]:
    """Return the model and vocabulary of a folder, or of a model file with its vocab.json beside it."""
    file = path / MODEL if path.is_dir() else path
    if not file.exists():
        folder = file.parent if file.suffix else file
        stop(f"{file} does not exist; train a model with: mrl train FILE -o {folder}", USAGE)
    vocab = Vocab.load(file.with_name(VOCAB))
    return LanguageModel.load(file, vocab), vocab
