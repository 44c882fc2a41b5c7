"""``mrl train``: a language model from a file of molecules; its steps are those of ``mrl demo`` as well."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl import __version__
from mrl.chem import Canonical, Cleaned, clean
from mrl.cli.console import DATA, USAGE, note, print_json, progress, stop, success
from mrl.cli.molecules import stop_without_molecules
from mrl.cli.options import LanguageModelKind, Notation, ReadingOptions, TrainOptions
from mrl.cli.tables import SEQUENCES, in_file, read_table, report_rejects, require_folder, require_writable
from mrl.corpus import Table
from mrl.data import TextDataset
from mrl.errors import MrlError, StateError
from mrl.files import write_atomic
from mrl.lm import (
    FitOptions,
    LanguageModel,
    ModelConfig,
    SequenceModel,
    TrainingStep,
    Transformer,
    TransformerConfig,
    accelerator,
    fit,
    one_thread,
)
from mrl.messages import format_count
from mrl.text import SMILES_PATTERN, AminoAcidVocab, NucleotideVocab, RegexVocab, SelfiesVocab, Vocab

MODEL, VOCAB, CHECKPOINT = "model.safetensors", "vocab.json", "checkpoint.safetensors"
BATCH_SIZE = 64
_OLD_VOCAB = ".vocab.json.old"  # of the model that is being replaced, until that is done
_LR = {LanguageModelKind.LSTM: 1.2e-2, LanguageModelKind.TRANSFORMER: 2e-3}
_HIDDEN = {LanguageModelKind.LSTM: 256, LanguageModelKind.TRANSFORMER: 192}


_VOCABS: dict[Notation | None, type[Vocab]] = {
    Notation.PROTEIN: AminoAcidVocab,
    Notation.NUCLEOTIDE: NucleotideVocab,
    Notation.SELFIES: SelfiesVocab,
}


class Molecules(NamedTuple):
    """A file of molecules on its way to a dataset."""

    table: Table
    cleaned: Cleaned
    dataset: TextDataset


def run(options: TrainOptions) -> None:
    """Read, clean, train, save; killed and run again, go on; Ctrl-C saves what was learned so far."""
    require_model_folder(options.out, options.force)
    with one_thread():
        if options.notation in SEQUENCES:
            table, dataset = load_sequences(options)
        else:
            table, _, dataset = load_molecules(options.file, options, options.max_length)
        try:
            model = make_model(dataset.vocab, options)
        except ValueError as error:
            stop(f"--hidden is {options.hidden}: {error}", USAGE)
        model.about["trained_on"] = facts_of(options.file.name, dataset)
        checkpoint = options.out / CHECKPOINT
        lr = options.lr or _LR[options.model]
        _, last = train_model(model, dataset, options.steps, lr, options.seed, checkpoint=checkpoint)
    save_model(model, dataset.vocab, options.out)
    if last.step == options.steps:
        checkpoint.unlink(missing_ok=True)
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


def require_model_folder(folder: Path, force: bool) -> None:
    """Stop, before any work, unless a model can be written to a folder, over another one only if `force` says so."""
    if (folder / MODEL).exists() and not force:
        stop(f"{folder} has a model already: give --force to replace it, or choose another folder with -o", USAGE)
    require_folder(folder)
    require_writable(folder / MODEL, folder / VOCAB)


def load_molecules(file: Path | None, options: ReadingOptions, max_length: int) -> Molecules:
    """Read a file, keep its distinct molecules that are not too long, and learn a vocabulary from them."""
    table = read_table(file, options)
    cleaned = clean(table.smiles, [Canonical()], duplicates="first", progress=True)
    molecules = format_count(len(cleaned.smiles), "distinct molecule")
    success(f"kept {molecules} of {format_count(len(table), 'row')}")
    report_rejects(in_file(table, cleaned.rejects), "left out")
    if not len(cleaned.smiles):
        stop_without_molecules(file)
    vocab = RegexVocab([], SMILES_PATTERN)
    vocab.update_vocab_from_data(cleaned.smiles)
    dataset = TextDataset(cleaned.smiles, vocab, max_length=max_length, on_long="reject")
    success(f"learned a vocabulary of {format_count(len(vocab), 'token')} from these molecules")
    report_rejects(in_file(table.view(cleaned.kept), dataset.rejects), "left out")
    if not len(dataset):
        stop(f"every molecule has more than {max_length} tokens; raise --max-length", DATA)
    return Molecules(table, cleaned, dataset)


def load_sequences(options: TrainOptions) -> tuple[Table, TextDataset]:
    """Read a file of sequences or SELFIES, which are not parsed, and keep the distinct ones that are not too long."""
    table = read_table(options.file, options, sequences=True)
    first: dict[str, int] = {}
    for row, text in enumerate(table.smiles):
        first.setdefault(text, row)
    texts = list(first)
    success(f"kept {format_count(len(texts), 'distinct text')} of {format_count(len(table), 'row')}")
    vocab = _VOCABS[options.notation]([])
    vocab.update_vocab_from_data(texts)
    dataset = TextDataset(texts, vocab, max_length=options.max_length, on_long="reject")
    report_rejects(in_file(table.view(list(first.values())), dataset.rejects), "left out")
    if not len(dataset):
        stop(f"every text has more than {options.max_length} tokens; raise --max-length", DATA)
    return table, dataset


def make_model(vocab: Vocab, options: TrainOptions) -> SequenceModel:
    """Return an untrained model of the kind and size that were chosen, whose length limit is that of the data."""
    hidden = options.hidden or _HIDDEN[options.model]
    if options.model == LanguageModelKind.LSTM:
        config = ModelConfig.for_vocab(vocab, hidden=hidden, max_length=options.max_length)
        return LanguageModel(config, seed=options.seed)
    heads = max(1, hidden // 32)
    sizes = TransformerConfig.for_vocab(vocab, width=hidden, heads=heads, max_length=options.max_length)
    return Transformer(sizes, seed=options.seed)


def facts_of(source: str, dataset: TextDataset) -> dict[str, Any]:
    """Return what the file of a model says of the molecules that it was trained on."""
    return {"file": source, "molecules": len(dataset), "fingerprint": dataset.fingerprint(), "mrl": __version__}


def train_model(
    model: SequenceModel,
    dataset: TextDataset,
    steps: int,
    lr: float,
    seed: int,
    *,
    checkpoint: Path | None = None,
) -> tuple[NDArray[np.float64], TrainingStep]:
    """Train a model with a progress bar; return the loss of each step, and the last step.

    With a checkpoint, a training that was killed goes on there, and Ctrl-C ends the training but not the program.
    """
    model.to(accelerator())
    loader = dataset.dataloader(BATCH_SIZE, bucket=True, seed=seed, device=model.device)
    done: list[TrainingStep] = []
    losses: NDArray[np.float64] | None = None
    if checkpoint is not None and checkpoint.exists():
        note(f"  going on from {checkpoint}")
    with progress("loss {task.fields[loss]:.3f}", "{task.fields[rate]:,.0f} molecules/s") as bar:
        task = bar.add_task("training", total=steps, loss=float("nan"), rate=0.0)

        def show(step: TrainingStep) -> None:
            done.append(step)
            bar.update(task, completed=step.step, loss=step.loss, rate=_rate(step), refresh=step.step % 10 == 0)

        try:
            history = fit(model, loader, steps=steps, lr=lr, options=FitOptions(checkpoint=checkpoint), on_step=show)
            losses = history.losses
        except StateError:  # the checkpoint is another run's
            raise
        except MrlError:  # nothing of a training that diverged is of use
            if checkpoint is not None:
                checkpoint.unlink(missing_ok=True)
            raise
        except KeyboardInterrupt:
            if checkpoint is None or not done:
                raise
            note(f"interrupted after {done[-1].step:,} of {format_count(steps, 'step')}; saving what was learned")
    if losses is None:
        losses = np.array([step.loss for step in done])
    last = done[-1] if done else TrainingStep(len(losses), steps, float(losses[-1]), 0, 0, 0.0)
    trained = f"{format_count(last.step, 'step')} in {last.seconds:.0f} s ({_rate(last):,.0f} molecules/s)"
    success(f"trained {trained}, loss {last.loss:.3f}")
    return losses, last


def _rate(step: TrainingStep) -> float:
    return step.molecules / step.seconds if step.seconds else 0.0


def save_model(model: SequenceModel, vocab: Vocab, folder: Path) -> None:
    """Write a model and its vocabulary; killed or failing at any point, it leaves the old pair or the new one.

    A file is replaced as a whole, two files are not: until both are, the old vocabulary stays beside the new one.
    """
    if (folder / MODEL).exists() and (folder / VOCAB).exists():
        write_atomic(folder / _OLD_VOCAB, (folder / VOCAB).read_bytes())
    try:
        vocab.save(folder / VOCAB)
        model.save(folder / MODEL)
    except BaseException:
        with contextlib.suppress(OSError):
            os.replace(folder / _OLD_VOCAB, folder / VOCAB)
        raise
    (folder / _OLD_VOCAB).unlink(missing_ok=True)
    success(f"wrote {folder / VOCAB} and {folder / MODEL}")


def load_model(path: Path) -> tuple[SequenceModel, Vocab]:
    """Return the model and vocabulary of a folder, or of a model file with its vocab.json beside it."""
    file = path / MODEL if path.is_dir() else path
    if not file.exists():
        folder = file.parent if file.suffix else file
        stop(f"{file} does not exist; train a model with: mrl train FILE -o {folder}", USAGE)
    model = SequenceModel.load(file)
    vocabs = [Vocab.load(file.with_name(VOCAB))]
    if (old := file.with_name(_OLD_VOCAB)).exists():  # a model was being replaced when the process was killed
        vocabs.append(Vocab.load(old))
    config = model.config
    vocab = next((one for one in vocabs if one.accepts(config.vocab_size, config.vocab_fingerprint)), vocabs[0])
    model.require_vocab(vocab)
    return model, vocab
