"""Memory of a dataset of texts: ids, offsets and the text, nothing else."""

from __future__ import annotations

import gc
from typing import NamedTuple

from measuring import apart, facts, private_bytes

from mrl.data import TextDataset
from mrl.text import SMILE_REGEX, RegexVocab


class Sizes(NamedTuple):
    """Bytes of a dataset."""

    expected: int
    arrays: int
    grown: float


def memory(smiles: list[str]) -> None:
    """Measure the memory of a dataset in a new process."""
    sizes = apart(_sizes, smiles)
    target = f"id size x tokens + 16 bytes a row + the text = {sizes.expected:,}"
    facts(
        f"Memory of a TextDataset of {len(smiles):,} molecules, in bytes",
        [
            ("arrays", f"{sizes.arrays:,} ({sizes.arrays / len(smiles):.0f} per molecule)", target),
            ("growth of private memory", f"{sizes.grown:,.0f} ({sizes.grown / sizes.expected:.2f} x)", ""),
        ],
    )


def _sizes(smiles: list[str]) -> Sizes:
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    TextDataset(smiles[:5000], vocab).batch(range(9))  # loads what is loaded once per process
    gc.collect()
    before = private_bytes()
    ds = TextDataset(smiles, vocab)
    ds.prepare()
    gc.collect()
    grown = private_bytes() - before
    text, ids = ds.columns["smiles"], ds.fields[0].ids
    arrays = sum(array.nbytes for array in (text.values, text.offsets, ids.values, ids.offsets))
    expected = ids.values.itemsize * len(ids.values) + 16 * len(smiles) + len(text.values)
    assert arrays <= expected + 64
    return Sizes(expected, arrays, grown)
