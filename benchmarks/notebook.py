"""The notebook's code, for comparison: loops over tokens and rows, one row at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mrl.text import SMILE_REGEX

__all__ = ["PlainText", "PlainVectors", "PlainVocab", "lm_collate", "loader", "vector_prediction_collate"]


class PlainVocab:
    """A regex vocabulary of the tokens `itos`."""

    def __init__(self, itos: list[str]) -> None:
        self.itos = itos
        self.stoi = {token: i for i, token in enumerate(itos)}
        self.regex = re.compile(SMILE_REGEX)

    def encode(self, smiles: str) -> list[int]:
        """Tokenize and numericalize."""
        output = []
        for token in ["bos", *self.regex.findall(smiles), "eos"]:
            if token in self.stoi.keys():  # noqa: SIM118  as in the notebook
                output.append(self.stoi[token])
            else:
                output.append(self.stoi["unk"])
        return output

    def decode(self, ids: Iterable[int]) -> str:
        """Reconstruct."""
        output = []
        for i in ids:
            token = self.itos[i]
            if token == "eos":
                break
            if token != "bos":
                output.append(token)
        return "".join(output)


class PlainText(Dataset[Tensor]):
    """A list of strings, tokenized when a row is requested."""

    def __init__(self, smiles: list[str], vocab: PlainVocab) -> None:
        self.smiles, self.vocab = smiles, vocab

    def __len__(self) -> int:
        return len(self.smiles)

    def __getitem__(self, i: int) -> Tensor:
        return torch.LongTensor(self.vocab.encode(self.smiles[i]))


class PlainVectors(Dataset[tuple[Tensor, Tensor]]):
    """Vectors computed when a row is requested, with targets."""

    def __init__(self, smiles: list[str], y_vals: list[float], mol_function: Callable[[str], Any]) -> None:
        self.smiles, self.y_vals, self.mol_function = smiles, y_vals, mol_function

    def __len__(self) -> int:
        return len(self.smiles)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return torch.FloatTensor(self.mol_function(self.smiles[i])), torch.FloatTensor([self.y_vals[i]])


def lm_collate(batch: list[Tensor], pad: int) -> tuple[Tensor, Tensor]:
    """Collate for a language model; x and y share memory."""
    padded = torch.zeros((len(batch), max(map(len, batch)) + 1)).long() + pad
    for i, row in enumerate(batch):
        padded[i, : row.shape[0]] = row
    return padded[:, :-1], padded[:, 1:]


def vector_prediction_collate(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Collate vectors and targets."""
    return torch.stack([row[0] for row in batch]), torch.stack([row[1] for row in batch]).squeeze(-1)


def loader(dataset: Dataset[Any], size: int, workers: int, collate: Callable[..., Any] | None = None) -> Iterable[Any]:
    """Return an iterable of shuffled batches."""
    generator = torch.Generator().manual_seed(0)
    collate = collate or partial(lm_collate, pad=2)
    return DataLoader(dataset, size, True, num_workers=workers, collate_fn=collate, generator=generator)
