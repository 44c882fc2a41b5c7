"""From a file to clean molecules and a data set: what several commands begin with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mrl.chem import Cleaned, clean
from mrl.cli.console import DATA, note, progress, stop, success
from mrl.corpus import Table, load_sample, read
from mrl.data import TextDataset
from mrl.ragged import Rejects, Text
from mrl.text import SMILES_PATTERN, RegexVocab

__all__ = ["BATCH_SIZE", "cleaned", "count", "dataset_of", "read_table", "tell_rejects"]

BATCH_SIZE = 64


def count(n: int, what: str) -> str:
    """``1 row``, ``2 rows``, ``20,000 rows``."""
    return f"{n:,} {what if n == 1 else what + 's'}"


def read_table(file: Path | None, smiles_column: str | None) -> Table:
    """The table of a file, or the bundled sample."""
    table = load_sample() if file is None else read(file, smiles=smiles_column)
    success(f"read {count(len(table), 'row')} of {'the bundled sample' if file is None else file}")
    for reason, rows in table.notes.items():
        note(f"  {reason}: {count(rows, 'row')}")
    tell_rejects(table.rejects, "not read")
    return table


def cleaned(smiles: Text) -> Cleaned:
    """The molecules of a column, canonical and distinct, with a progress bar."""
    with progress() as bar:
        task = bar.add_task("cleaning", total=len(smiles))
        result = clean(smiles, on_row=lambda: bar.advance(task))
    success(f"kept {count(len(result.smiles), 'distinct molecule')} of {count(len(smiles), 'row')}")
    tell_rejects(result.rejects, "left out")
    if not len(result.smiles):
        stop("no row is a molecule; is this the right column (--smiles-column)?", DATA)
    return result


def tell_rejects(rejects: Rejects, what: str) -> None:
    """Say how many rows were refused for each kind of reason, with an example."""
    kinds = Counter(_kind(reject.stage, reject.reason) for reject in rejects)
    for kind, rows in kinds.most_common():
        example = next(reject for reject in rejects if _kind(reject.stage, reject.reason) == kind)
        note(f"  {what}, {kind}: {count(rows, 'row')}, such as row {example.row}: {example.text[:60]!r}")


def _kind(stage: str, reason: str) -> str:
    return "duplicate" if stage == "duplicates" else reason.partition(":")[0]


def dataset_of(smiles: Text, max_length: int) -> TextDataset:
    """A vocabulary learned from molecules, and the data set of those that are not too long."""
    vocab = RegexVocab([], SMILES_PATTERN)
    vocab.update_vocab_from_data(smiles)
    dataset = TextDataset(smiles, vocab, max_length=max_length, on_long="reject")
    success(f"vocabulary of {len(vocab)} tokens, learned from these molecules")
    tell_rejects(dataset.rejects, "left out")
    if not len(dataset):
        stop(f"every molecule has more than {max_length} tokens; raise --max-length", DATA)
    return dataset
