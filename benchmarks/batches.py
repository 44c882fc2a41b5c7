"""Batches for a language model: shuffled, 256 rows, int64 x and y of their own memory."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import torch
from measuring import rate, show
from torch.utils.data import DataLoader, Dataset

from mrl.data import TextDataset
from mrl.text import SMILE_REGEX, RegexVocab

BATCH = 256
SLOW = 40_000


class PlainDataset(Dataset[torch.Tensor]):
    """The notebook's way: a list of strings, tokenized when a row is asked for."""

    def __init__(self, smiles: list[str], stoi: dict[str, int]) -> None:
        self.smiles, self.stoi, self.regex = smiles, stoi, re.compile(SMILE_REGEX)

    def __len__(self) -> int:
        return len(self.smiles)

    def __getitem__(self, i: int) -> torch.Tensor:
        return torch.LongTensor([self.stoi[token] for token in ["bos", *self.regex.findall(self.smiles[i]), "eos"]])


def plain_collate(batch: list[torch.Tensor], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The notebook's collate function."""
    padded = torch.zeros((len(batch), max(map(len, batch)) + 1)).long() + pad
    for i, row in enumerate(batch):
        padded[i, : row.shape[0]] = row
    return padded[:, :-1], padded[:, 1:]


def batches(smiles: list[str]) -> None:
    """An epoch."""
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    ours = TextDataset(smiles, vocab)
    some = smiles[:SLOW]
    plain = PlainDataset(some, vocab.stoi)
    collate = partial(plain_collate, pad=2)
    for a, b in zip(ours.batch(range(BATCH)), collate([plain[i] for i in range(BATCH)]), strict=True):
        assert torch.equal(a, b)
    loader = ours.dataloader(BATCH, shuffle=True)
    bucketed = ours.dataloader(BATCH, bucket=True)
    padded = torch.from_numpy(vocab.encode(smiles).to_padded(2, np.int64))

    def gather() -> None:
        for rows in torch.randperm(len(padded), generator=torch.Generator().manual_seed(0)).split(BATCH):
            batch = padded[rows]
            _ = batch[:, :-1].contiguous(), batch[:, 1:].contiguous()

    def epoch(loader: object) -> None:
        for _ in loader:  # type: ignore[attr-defined]
            pass

    generator = torch.Generator().manual_seed(0)
    notebook = [
        rate(
            f"the notebook's loader, {workers} workers",
            partial(
                epoch, DataLoader(plain, BATCH, True, num_workers=workers, collate_fn=collate, generator=generator)
            ),
            len(some),
            3,
        )
        for workers in (0, 1, 2)
    ]
    show(
        f"an epoch of shuffled batches of {BATCH}",
        [
            rate("mrl", partial(epoch, loader), len(smiles)),
            rate("mrl, bucketed", partial(epoch, bucketed), len(smiles)),
            rate("rows of a matrix padded beforehand", gather, len(smiles)),
            *notebook,
        ],
    )
    real = int(ours.lengths().sum())  # x holds every id, eos included
    for name, one in (("shuffled", loader), ("bucketed", bucketed)):
        size = sum(x.numel() for x, _ in one)
        print(f"  padding of x, {name}: {1 - real / size:.1%}")
