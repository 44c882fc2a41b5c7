"""Datasets over a corpus make the batches of the same rows in memory, and hold none of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stored import write_corpus

from mrl.corpus import Corpus, Table, open_corpus, save_corpus
from mrl.data import (
    BaseDataset,
    BlockShuffled,
    ConditionalDataset,
    MaskedDataset,
    PackedDataset,
    PairDataset,
    TextDataset,
    TextPredictionDataset,
    VecPredictionDataset,
    VectorDataset,
)
from mrl.errors import ColumnError, DatasetError, RowError, StateError
from mrl.kernels import numba_available
from mrl.ragged import Text
from mrl.text import SmilesVocab

N = 60
SMILES = ["CCO", "c1ccccc1", "C", "CC(=O)O", "N#N", "[Na+].[Cl-]"] * (N // 6)
COLUMNS: dict[str, Any] = {
    "smiles": Text.of(SMILES),
    "other": Text.of(SMILES[::-1]),
    "y": np.where(np.arange(N) % 7 == 3, np.nan, np.arange(N) / 3),
    "z": np.arange(N) % 5,
    "weight": (np.arange(N) % 3).astype(np.float32),
    "pair": np.arange(2.0 * N).reshape(N, 2),
    "active": np.arange(N) % 2 == 0,
    "bits": np.arange(N * 16).reshape(N, 16) % 3 == 0,
}
VOCAB = SmilesVocab.from_data(SMILES)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpora") / "corpus"
    splits = ["train", "train", "train", "valid"]
    write_corpus(folder, COLUMNS, [0, 17, 17, 40, N], splits, targets=("y", "z"))
    return open_corpus(folder)


def count(text: str) -> list[float]:
    return [len(text)]


KINDS: dict[str, Callable[[Any], BaseDataset]] = {
    "text": lambda c: TextDataset(c["smiles"], VOCAB),
    "labels": lambda c: TextPredictionDataset(c["smiles"], c["y"], VOCAB),
    "classes": lambda c: TextPredictionDataset(c["smiles"], c["z"], VOCAB, y_dtype=torch.int64),
    "flags": lambda c: TextPredictionDataset(c["smiles"], c["active"], VOCAB, weights=c["weight"]),
    "tasks": lambda c: TextPredictionDataset(c["smiles"], c["pair"], VOCAB),
    "long": lambda c: TextDataset(c["smiles"], VOCAB, max_length=8, on_long="reject"),
    "masked": lambda c: MaskedDataset(c["smiles"], VOCAB, rate=0.4),
    "pairs": lambda c: PairDataset(c["smiles"], c["other"], VOCAB),
    "condition": lambda c: ConditionalDataset(c["smiles"], c["bits"], VOCAB),
    "prompt": lambda c: ConditionalDataset(c["smiles"], c["other"], VOCAB),
    "vectors": lambda c: VectorDataset(c["smiles"], count),
    "vector labels": lambda c: VecPredictionDataset(c["smiles"], c["y"], count),
    "augmented": lambda c: TextDataset(c["smiles"], VOCAB, augment=lambda text, key: text * (1 + key % 2)),
}


def flat(batch: Any) -> list[Any]:
    return [part for each in batch for part in flat(each)] if isinstance(batch, tuple | list) else [batch]


def same(a: Any, b: Any) -> bool:
    return all(
        x.dtype == y.dtype and torch.equal(torch.nan_to_num(x, -9), torch.nan_to_num(y, -9))
        for x, y in zip(flat(a), flat(b), strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_those_of_the_same_rows_in_memory(corpus: Corpus, kind: str) -> None:
    disk, memory = KINDS[kind](corpus), KINDS[kind](COLUMNS)
    assert len(disk) == len(memory)
    loaders = [ds.dataloader(7, shuffle=True, num_workers=0) for ds in (disk, memory)]
    assert all(same(a, b) for a, b in zip(*loaders, strict=True))
    assert same(disk[5], memory[5])
    parts = [ds.split(0.3, seed=1)[0].view(range(2, 20, 3)) for ds in (disk, memory)]
    assert same(parts[0].batch(), parts[1].batch())
    new = [ds.new(*(ds.columns[name] for name in ds.row_arguments)) for ds in (parts[0], parts[1])]
    assert same(new[0].batch(), new[1].batch())
    order = BlockShuffled(len(disk), 7, block=4, window=2)
    assert all(
        same(a, b)
        for a, b in zip(
            disk.dataloader(7, order=order, num_workers=0),
            memory.dataloader(7, order=order, num_workers=0),
            strict=True,
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes_read_the_corpus_themselves(corpus: Corpus, method: str) -> None:
    ds = KINDS["flags"](corpus)
    alone = list(ds.dataloader(7, shuffle=True, num_workers=0))
    loader = ds.dataloader(7, shuffle=True, num_workers=2, multiprocessing_context=method)
    assert all(same(a, b) for a, b in zip(loader, alone, strict=True))


def test_a_state_resumes_over_the_same_corpus_and_over_no_other(corpus: Corpus, tmp_path: Path) -> None:
    loader = KINDS["labels"](corpus).dataloader(7, shuffle=True, num_workers=0)
    batches = iter(loader)
    next(batches)
    state, rest = loader.state_dict(), list(batches)
    again = KINDS["labels"](open_corpus(corpus.path)).dataloader(7, shuffle=True, num_workers=0)
    again.load_state_dict(state)
    assert all(same(a, b) for a, b in zip(again, rest, strict=True))
    write_corpus(tmp_path, {**COLUMNS, "y": COLUMNS["y"] + 1}, [0, N])
    other = KINDS["labels"](open_corpus(tmp_path)).dataloader(7, shuffle=True, num_workers=0)
    with pytest.raises(StateError):
        other.load_state_dict(state)


def test_labels_side_by_side_and_the_parts_of_a_split(corpus: Corpus) -> None:
    train, valid = corpus.splits["train"], corpus.splits["valid"]
    assert (len(train), len(valid)) == (40, 20)
    ds = TextPredictionDataset(valid["smiles"], valid.y, VOCAB)
    expected = TextPredictionDataset(SMILES[40:], np.stack([COLUMNS["y"], COLUMNS["z"]], 1)[40:], VOCAB)
    assert same(ds.batch(), expected.batch())
    assert str(ds.y_vals[3]) == str(expected.y_vals[3])
    assert ds.smiles.tolist() == SMILES[40:]


def test_labels_that_do_not_fit_are_named_by_their_row(corpus: Corpus) -> None:
    ds = TextPredictionDataset(corpus["smiles"], corpus["y"], VOCAB, y_dtype=torch.int64)
    with pytest.raises(RowError, match=r"row 40 of y_vals is 13\.3333") as raised:
        ds.batch([3, 40])
    assert raised.value.row == 40
    with pytest.raises(RowError, match=r"row 1 of weights is -0\.3"):
        TextPredictionDataset(corpus["smiles"], corpus["y"], VOCAB, weights=-COLUMNS["y"])
    with pytest.raises((ColumnError, RowError)):
        TextPredictionDataset(corpus["smiles"], corpus["other"], VOCAB).batch()
    with pytest.raises(ColumnError, match="different numbers of rows"):
        TextPredictionDataset(corpus["smiles"], corpus.splits["train"]["y"], VOCAB)
    with pytest.raises(DatasetError, match="texts in memory"):
        PackedDataset(corpus["smiles"], VOCAB, 20)
    assert len(PackedDataset(corpus["smiles"][:], VOCAB, 20)) == len(PackedDataset(SMILES, VOCAB, 20))


ENCODE = """
import sys
from mrl.corpus import open_corpus
from mrl.data import TextDataset
corpus = open_corpus(sys.argv[1])
TextDataset(corpus.smiles, corpus.vocab)[0]
print("numba" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.skipif(not numba_available(), reason="numba is not installed, or switched off")
def test_texts_on_disk_are_encoded_by_machine_code_if_they_are_many(tmp_path: Path) -> None:
    found = {}
    for n in (100, 3000):  # every call encodes a batch, which by itself is not worth the import
        save_corpus(Table({"smiles": Text.of(["CCO"] * n)}), tmp_path / str(n), vocab=SmilesVocab())
        command = [sys.executable, "-c", ENCODE, str(tmp_path / str(n))]
        found[n] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert found == {100: "False", 3000: "True"}


SCRIPT = """
import sys, numpy as np, mrl, torch
from mrl.corpus import Table, open_corpus, save_corpus
from mrl.data import TextPredictionDataset
from mrl.ragged import Text
from mrl.text import SmilesVocab
def anonymous():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("RssAnon")))
folder, n = sys.argv[1], int(sys.argv[2])
vocab = SmilesVocab.from_data(["CCO"])
def open_and_read():
    corpus = open_corpus(folder)
    ds = TextPredictionDataset(corpus["smiles"], corpus["y"], vocab, weights=corpus["w"])
    train, valid = ds.view(range(0, len(ds) - 1000)), ds.view(range(len(ds) - 1000, len(ds)))
    batches = iter(train.dataloader(256, shuffle=True, num_workers=0))
    for batch, _ in zip(batches, range(60)):
        pass
    train.fingerprint()
    return ds
if n:
    rows = Text.of([f"C{'C' * (i % 40)}" for i in range(1000)] * (n // 1000))
    columns = {"smiles": rows, "y": np.arange(float(n)), "w": np.ones(n)}
    save_corpus(Table(columns, targets=("y",)), folder, rows_per_shard=max(n // 100, 1))
else:
    open_and_read()
    print(anonymous())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_dataset_over_a_million_rows_needs_no_memory_for_them(tmp_path: Path) -> None:
    used = []
    for n in (10_000, 1_000_000):
        for rows in (n, 0):
            command = [sys.executable, "-c", SCRIPT, str(tmp_path / str(n)), str(rows)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        used.append(int(done.stdout))
    assert used[1] - used[0] < 8_000  # kB: less than one number for each row
