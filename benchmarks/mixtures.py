"""Mixtures: batches of two sources in given proportions, beside those of a single source."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from measuring import Contestant, compare

from mrl.data import TextDataset, mix
from mrl.text import SMILE_REGEX, RegexVocab

BATCH = 256


def epoch(batches: Iterable[Any]) -> None:
    """Iterate over an epoch."""
    for _ in batches:
        pass


def mixtures(smiles: list[str]) -> None:
    """Measure an epoch of a mixture of two halves, shuffled and bucketed, beside one dataset of the same rows."""
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    one, half, n = TextDataset(smiles, vocab), len(smiles) // 2, len(smiles)
    sources = {"first": one.new(smiles[:half]), "second": one.new(smiles[half:])}
    whole, weighted = mix(sources), mix(sources, {"first": 3, "second": 1})
    order = whole.dataloader(BATCH, shuffle=True).order
    assert sorted(row for k in range(len(order)) for row in order.batch(0, k).tolist()) == list(range(n))
    drawn = weighted.dataloader(BATCH, shuffle=True).order.drawn(0, 100)
    assert drawn == {"first": 75 * BATCH, "second": 25 * BATCH}
    for name, options in (("shuffled", {"shuffle": True}), ("bucketed", {"bucket": True})):
        compare(
            f"An epoch of {name} batches of {BATCH} from two sources",
            [
                Contestant("mix, by their numbers of rows", partial(epoch, whole.dataloader(BATCH, **options)), n),
                Contestant("mix, three to one", partial(epoch, weighted.dataloader(BATCH, **options)), n),
                Contestant("one source", partial(epoch, one.dataloader(BATCH, **options)), n, "0.9 x"),
            ],
        )
