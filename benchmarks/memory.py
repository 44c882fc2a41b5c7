"""Memory of datasets: ids, offsets and text of a dataset of texts; packed fingerprints of a dataset of vectors."""

from __future__ import annotations

import gc
from typing import NamedTuple

from measuring import apart, facts, private_bytes

from mrl.chem import ECFP6
from mrl.data import TextDataset, VectorDataset
from mrl.text import SMILE_REGEX, RegexVocab

VECTORS = 20_000


class Sizes(NamedTuple):
    """Bytes of a dataset of texts."""

    expected: int
    arrays: int
    grown: float


def memory(smiles: list[str]) -> None:
    """Measure the memory of datasets, each in a new process."""
    sizes = apart(_texts, smiles)
    target = f"id size x tokens + 16 bytes a row + the text = {sizes.expected:,}"
    facts(
        f"Memory of a TextDataset of {len(smiles):,} molecules, in bytes",
        [
            ("arrays", f"{sizes.arrays:,} ({sizes.arrays / len(smiles):.0f} per molecule)", target),
            ("growth of private memory", f"{sizes.grown:,.0f} ({sizes.grown / sizes.expected:.2f} x)", ""),
        ],
    )
    some = list(dict.fromkeys(smiles))[:VECTORS]
    grown = apart(_vectors, some)
    facts(
        f"Memory of a VectorDataset of {len(some):,} molecules, 2,048 bits, in bytes per molecule",
        [("growth of private memory, less the text", f"{grown / len(some):.0f}", "at most 300")],
    )


def _texts(smiles: list[str]) -> Sizes:
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


def _vectors(smiles: list[str]) -> float:
    VectorDataset(smiles[:500], ECFP6).batch()
    gc.collect()
    before = private_bytes()
    ds = VectorDataset(smiles, ECFP6)
    text = ds.columns["smiles"]
    ds.prepare()
    gc.collect()
    return private_bytes() - before - text.values.nbytes - text.offsets.nbytes
