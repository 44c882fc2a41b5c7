"""From a table to clean molecules and a data set: what several commands begin with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Canonical, Cleaned, clean
from mrl.cli.console import DATA, progress, stop, success
from mrl.cli.tables import count, tell_rejects
from mrl.corpus import Table
from mrl.data import TextDataset
from mrl.ragged import Text
from mrl.text import SMILES_PATTERN, RegexVocab

__all__ = ["BATCH_SIZE", "cleaned", "dataset_of"]

BATCH_SIZE = 64


def cleaned(table: Table) -> Cleaned:
    """The molecules of a table, canonical and distinct, with a progress bar."""
    with progress() as bar:
        task = bar.add_task("cleaning", total=len(table))
        result = clean(table.smiles, [Canonical()], duplicates="first", on_row=lambda: bar.advance(task))
    success(f"kept {count(len(result.smiles), 'distinct molecule')} of {count(len(table), 'row')}")
    tell_rejects(result.rejects, "left out", table.rows)
    if not len(result.smiles):
        stop("no row is a molecule; is this the right column (--smiles-column)?", DATA)
    return result


def dataset_of(smiles: Text, max_length: int, rows: NDArray[np.int64]) -> TextDataset:
    """A vocabulary learned from molecules, and the data set of those that are not too long; `rows` as in the file."""
    vocab = RegexVocab([], SMILES_PATTERN)
    vocab.update_vocab_from_data(smiles)
    dataset = TextDataset(smiles, vocab, max_length=max_length, on_long="reject")
    success(f"vocabulary of {len(vocab)} tokens, learned from these molecules")
    tell_rejects(dataset.rejects, "left out", rows)
    if not len(dataset):
        stop(f"every molecule has more than {max_length} tokens; raise --max-length", DATA)
    return dataset
