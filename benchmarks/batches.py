"""Batches for a language model: shuffled, 256 rows, int64 x and y that share no memory; and their padding."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from loaders import huggingface, litdata
from measuring import Contestant, facts, measure, plural, show

from mrl.data import TextDataset
from mrl.text import PAD, SMILE_REGEX, RegexVocab
from notebook import PlainText, PlainVocab, lm_collate, loader

BATCH = 256
SLOW = 20_000
BUDGET = 12_288  # tokens: about what 256 rows of a bucket hold


def epoch(batches: Iterable[Any]) -> None:
    """Iterate over an epoch."""
    for _ in batches:
        pass


def batches(smiles: list[str]) -> None:
    """Measure an epoch of shuffled batches, bucketed batches and batches of a token budget."""
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    ours = TextDataset(smiles, vocab)
    n, some, first = len(smiles), smiles[:SLOW], np.arange(min(BATCH, len(smiles)))
    plain = PlainText(some, PlainVocab(vocab.itos))
    expected = ours.batch(first)
    assert all(map(torch.equal, expected, lm_collate([plain[i] for i in first], PAD)))
    assert expected[0].untyped_storage().data_ptr() != expected[1].untyped_storage().data_ptr()
    kinds = {
        "mrl": ours.dataloader(BATCH, shuffle=True),
        "mrl, bucketed": ours.dataloader(BATCH, bucket=True),
        f"mrl, at most {BUDGET:,} tokens": ours.dataloader(BATCH, max_tokens=BUDGET),
    }
    padded = torch.from_numpy(vocab.encode(smiles).to_padded(PAD, np.int64, int(ours.lengths().max()) + 1))
    assert torch.equal(padded[first, : expected[0].shape[1]], expected[0])

    def gather() -> None:
        for rows in torch.randperm(len(padded), generator=torch.Generator().manual_seed(0)).split(BATCH):
            batch = padded[rows]
            _ = batch[:, :-1].contiguous(), batch[:, 1:].contiguous()

    with litdata(some, vocab, expected, BATCH) as streamed:
        results = measure(
            [
                *(Contestant(name, partial(epoch, one), n) for name, one in kinds.items()),
                Contestant("rows of a matrix padded beforehand", gather, n, "0.9 x, better 1.3 x"),
                *(
                    Contestant(
                        f"the notebook's loader, {plural(workers, 'worker')}",
                        partial(epoch, loader(plain, BATCH, workers)),
                        len(some),
                        "40 x",
                    )
                    for workers in (0, 1, 2)
                ),
                *huggingface(some, vocab, expected, BATCH),
                *streamed,
            ]
        )
    shuffled, bucketed, budget, *peers = results
    show(f"An epoch of shuffled batches of {BATCH}", [shuffled, *peers])
    show("Cost of batches of similar lengths", [bucketed._replace(target=""), shuffled._replace(target="0.85 x")])
    show("Cost of a token budget", [budget, shuffled])
    real = int(ours.lengths().sum())  # x holds every id, eos included
    rows = []
    for (name, one), target in zip(kinds.items(), ("", "at most 1.5 %", ""), strict=True):
        sizes = [x.shape for x, _ in one]
        tokens = sum(height * width for height, width in sizes)
        assert sum(height for height, _ in sizes) == n
        most = max(height * width for height, width in sizes)
        rows.append((name, f"{1 - real / tokens:.2%}, at most {most:,} tokens in a batch", target))
    facts("Padding of x", rows)
