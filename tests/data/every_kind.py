"""One dataset of every kind, in any number of rows."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from mrl.data import (
    BaseDataset,
    ConditionalDataset,
    MaskedDataset,
    PackedDataset,
    PairDataset,
    TextDataset,
    TextPredictionDataset,
    VecPredictionDataset,
    VecReconDataset,
    VectorDataset,
    Windows,
)
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CON")


def count_letters(text: str) -> list[float]:
    return [len(text), text.count("O"), text.count("N") / 3]


def shuffle_letters(text: str, key: int) -> str:
    letters = list(text)
    random.Random(key).shuffle(letters)
    return "".join(letters)


def texts(n: int) -> list[str]:
    return ["CONCCNOOC"[i % 5 : i % 5 + 1 + (i * 7) % 9] for i in range(n)]


KINDS: dict[str, Callable[[int], BaseDataset]] = {
    "text": lambda n: TextDataset(texts(n), VOCAB),
    "prediction": lambda n: TextPredictionDataset(texts(n), range(n), VOCAB, weights=np.arange(n) / n),
    "vector": lambda n: VectorDataset(texts(n), count_letters),
    "reconstruction": lambda n: VecReconDataset(texts(n), VOCAB, count_letters),
    "vector prediction": lambda n: VecPredictionDataset(texts(n), range(n), count_letters, cache=None),
    "pair": lambda n: PairDataset(texts(n), texts(n)[::-1], VOCAB),
    "conditional": lambda n: ConditionalDataset(texts(n), np.arange(2.0 * n).reshape(n, 2), VOCAB),
    "prompted": lambda n: ConditionalDataset(texts(n), texts(n)[::-1], VOCAB),
    "masked": lambda n: MaskedDataset(texts(n), VOCAB, rate=0.4),
    "packed": lambda n: PackedDataset(texts(n), VOCAB, block=13),
    "windows": lambda n: TextDataset(texts(n), VOCAB, max_length=6, on_long=Windows(stride=4)),
    "augmented": lambda n: TextDataset(texts(n), VOCAB, augment=shuffle_letters),
    "augmented view": lambda n: TextDataset(texts(n + 9), VOCAB, augment=shuffle_letters).split_on_idxs(
        range(9, n + 9), [0]
    )[0],
}
