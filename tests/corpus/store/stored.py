"""Corpora made for tests."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mrl.corpus import Manifest, Table, kind_of, write_entry, write_rejects, write_vocab
from mrl.ragged import Ragged, Rejects, Text
from mrl.text import SmilesVocab

SMILES = ["CCO", "c1ccccc1", "", "C[C@H](N)C(=O)O", "é", "[Na+].[Cl-]"]


def write_corpus(
    folder: Path, columns: dict[str, Any], bounds: list[int], splits: list[str] | None = None, **fields: Any
) -> None:
    """Write columns as a corpus whose shards begin and end at `bounds`."""
    entries = []
    for k, (first, stop) in enumerate(pairwise(bounds)):
        part = {name: column[first:stop] for name, column in columns.items()}
        entries.append(write_entry(folder, k, part, split=splits[k] if splits else ""))
    kinds = {name: kind_of(column) for name, column in columns.items()}
    smiles = next(iter(columns))
    Manifest(kinds, smiles, shards=tuple(entries), **fields).save(folder)


def small_corpus(folder: Path, seed: int = 0) -> None:
    """Write a corpus of three small shards with every kind of file."""
    order = np.random.default_rng(seed).permutation(len(SMILES))
    columns = {
        "smiles": Text.of([SMILES[i] for i in order]),
        "y": np.arange(len(SMILES)) / 4 + seed,
        "ids": Ragged.from_rows([[int(i)] * int(i) for i in order], np.uint8),
        "active": order % 2 == 0,
    }
    vocab = SmilesVocab.from_data(columns["smiles"], min_count=1)
    rejects = write_rejects([Rejects([(6, "C(", "parse", "syntax")])], folder)
    write_corpus(folder, columns, [0, 2, 2, 5, 6], rejects=rejects)
    manifest = replace(Manifest.load(folder), vocab=write_vocab(vocab, folder), vocab_fingerprint=vocab.fingerprint())
    manifest.save(folder)


def table_of(columns: dict[str, Any]) -> Table:
    """Return columns as a table."""
    return Table(columns, smiles_column=next(iter(columns)))
