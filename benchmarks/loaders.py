"""Peers that load batches: HuggingFace datasets and litData, on ids that were encoded in advance."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from measuring import Contestant, peer, plural
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from mrl.text import PAD, Vocab

Batch = tuple[Tensor, Tensor]


def padded(rows: list[Tensor]) -> Batch:
    """The usual collate function, with torch's own padding: the same x and y as those of mrl."""
    x = pad_sequence(rows, batch_first=True, padding_value=PAD)
    return x, torch.nn.functional.pad(x[:, 1:], (0, 1), value=PAD)


def of_tensors(rows: list[dict[str, Tensor]]) -> Batch:
    """Collate rows of the torch format."""
    return padded([row["ids"] for row in rows])


def of_arrays(rows: list[dict[str, Any]]) -> Batch:
    """Collate rows of the NumPy format."""
    return padded([torch.from_numpy(row["ids"]) for row in rows])


def epoch(batches: Iterable[Any]) -> None:
    """Iterate over an epoch."""
    for _ in batches:
        pass


def huggingface(smiles: list[str], vocab: Vocab, expected: Batch, size: int) -> list[Contestant]:
    """Return HuggingFace datasets in memory, int64 ids, with torch's DataLoader, which requests whole batches."""
    if (version := peer("datasets")) is None:
        return []
    import datasets

    # Its arrays are views of Arrow's memory; nothing writes to them here.
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
    features = datasets.Features({"ids": datasets.Sequence(datasets.Value("int64"))})
    table = datasets.Dataset.from_dict({"ids": vocab.encode(smiles).tolist()}, features=features)
    contestants = []
    for form, collate in (("torch", of_tensors), ("numpy", of_arrays)):
        rows = table.with_format(form)
        assert all(map(torch.equal, expected, collate(rows.__getitems__(list(range(len(expected[0])))))))
        for workers in (0, 2):
            generator = torch.Generator().manual_seed(0)
            loader = DataLoader(rows, size, True, collate_fn=collate, generator=generator, num_workers=workers)
            name = f"datasets {version}, {form} format, {plural(workers, 'worker')}"
            contestants.append(Contestant(name, partial(epoch, loader), len(smiles), "5 x"))
    return contestants


@contextmanager
def litdata(smiles: list[str], vocab: Vocab, expected: Batch, size: int) -> Iterator[list[Contestant]]:
    """Yield litData on chunks in a local folder, int64 ids; the folder lasts as long as the context."""
    if (version := peer("litdata")) is None:
        yield []
        return
    from litdata import StreamingDataLoader, StreamingDataset
    from litdata.streaming import Cache

    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(folder, chunk_bytes="64MB")
        for i, row in enumerate(vocab.encode(smiles)):
            cache[i] = torch.tensor(row, dtype=torch.int64)
        cache.done()
        cache.merge()
        first = next(iter(StreamingDataLoader(StreamingDataset(folder), batch_size=size, collate_fn=padded)))
        assert all(map(torch.equal, expected, first))
        contestants = []
        for workers in (0, 2):
            rows = StreamingDataset(folder, shuffle=True)
            loader = StreamingDataLoader(rows, batch_size=size, num_workers=workers, collate_fn=padded)
            name = f"litdata {version}, {plural(workers, 'worker')}"
            contestants.append(Contestant(name, partial(epoch, loader), len(smiles), "5 x"))
        yield contestants
