"""Corpora: preparing one, opening it, and batches of its rows, beside rows in memory and other libraries."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from batches import BATCH, SLOW, epoch
from loaders import huggingface, litdata
from measuring import Contestant, compare, facts, peer, seconds
from rdkit import Chem

from mrl.corpus import Table, open_corpus, save_corpus
from mrl.data import TextDataset
from mrl.prepare import prepare_corpus
from mrl.ragged import Text
from mrl.text import SmilesVocab

SHARDS, MANY = 100, 1000
PARSED = 40_000


def corpus(smiles: list[str]) -> None:
    """Measure preparing, opening and reading."""
    folder = Path(tempfile.mkdtemp())
    try:
        _batches(smiles, folder)
        _opening(smiles, folder)
        _text_only(smiles, folder)
        _parsed(smiles[:PARSED], folder)
    finally:
        shutil.rmtree(folder)


def _batches(smiles: list[str], folder: Path) -> None:
    vocab = SmilesVocab.from_data(smiles)
    save_corpus(
        Table({"smiles": Text.of(smiles)}), folder / "text", vocab=vocab, rows_per_shard=-(-len(smiles) // SHARDS)
    )
    shutil.copytree(folder / "text", folder / "ids")
    text, ids = open_corpus(folder / "text"), open_corpus(folder / "ids").add_tokens()
    kinds = {
        "mrl, corpus with ids": TextDataset(ids.smiles, ids.vocab),
        "mrl, corpus of text": TextDataset(text.smiles, text.vocab),
        "mrl, in memory": TextDataset(smiles, vocab),
    }
    expected = kinds["mrl, in memory"].batch(np.arange(min(BATCH, len(smiles))))
    for ds in kinds.values():
        assert all(map(torch.equal, expected, ds.batch(np.arange(len(expected[0])))))
    contestants = [
        # Seeds of their own: an order that another loader has computed a moment ago is kept, and costs nothing.
        Contestant(name, partial(epoch, ds.dataloader(BATCH, shuffle=True, seed=seed)), len(smiles), target)
        for seed, ((name, ds), target) in enumerate(zip(kinds.items(), ("", "", "0.8 x"), strict=True))
    ]
    some = smiles[:SLOW]
    with litdata(some, vocab, expected, BATCH) as streamed:
        peers = [*huggingface(some, vocab, expected, BATCH), *streamed]
        compare(f"Shuffled batches of {BATCH} rows from {SHARDS} shards", [*contestants, *peers], "rows/s")


def _opening(smiles: list[str], folder: Path) -> None:
    rows = smiles[: 2 * MANY]
    save_corpus(Table({"smiles": Text.of(rows)}), folder / "many", rows_per_shard=-(-len(rows) // MANY))
    open_corpus(folder / "many")
    took, opened = seconds(lambda: open_corpus(folder / "many"))
    first, _ = seconds(lambda: opened.smiles.take(np.arange(len(opened))))
    shards = f"{len(opened.manifest.shards):,} shards"
    facts(
        "Opening a corpus whose files were checked before",
        [
            (f"open_corpus, {shards}", f"{took * 1e3:.0f} ms", "below 500 ms"),
            (f"the first row of each of {shards}", f"{first * 1e3:.0f} ms", ""),
        ],
    )


def _text_only(smiles: list[str], folder: Path) -> None:
    path = folder / "all.csv"
    path.write_text("smiles\n" + "\n".join(smiles) + "\n")

    def prepared(**arguments: Any) -> None:
        shutil.rmtree(folder / "made", ignore_errors=True)
        prepare_corpus(path, folder / "made", parse=False, workers=2, progress=False, **arguments)

    contestants = [
        Contestant("mrl prepare --no-parse, 2 workers", lambda: prepared(vocab=None), len(smiles)),
        Contestant("the same, and a vocabulary", prepared, len(smiles)),
        Contestant("the same, and duplicates", lambda: prepared(duplicates="first"), len(smiles)),
    ]
    if (version := peer("polars")) is not None:
        import polars

        def with_polars() -> None:
            polars.scan_csv(path).sink_ipc(folder / "polars.arrow")

        contestants.append(Contestant(f"polars {version}, CSV to Arrow, nothing checked", with_polars, len(smiles)))
    compare(
        "Text only: a CSV file to a corpus; target on two cores and 10^7 rows: 500,000 rows/s", contestants, "rows/s"
    )


def canonical(text: str) -> str:
    """What a loop of one's own does with a row."""
    mol = Chem.MolFromSmiles(text)
    return "" if mol is None else Chem.MolToSmiles(mol)


def _parsed(smiles: list[str], folder: Path) -> None:
    path = folder / "some.csv"
    path.write_text("smiles\n" + "\n".join(smiles) + "\n")

    def prepared(**arguments: Any) -> None:
        shutil.rmtree(folder / "made", ignore_errors=True)
        prepare_corpus(path, folder / "made", workers=2, vocab=None, progress=False, **arguments)

    with ProcessPoolExecutor(2) as pool:

        def alone() -> list[str]:
            return list(pool.map(canonical, smiles, chunksize=1000))

        contestants = [
            Contestant(
                "mrl prepare, canonical and duplicates, 2 workers", lambda: prepared(duplicates="first"), len(smiles)
            ),
            Contestant("mrl prepare, parsed only", prepared, len(smiles)),
            Contestant("RDKit alone, canonical, 2 processes", alone, len(smiles), "0.9 x"),
            *_parsing_peers(smiles, folder),
        ]
        compare("Parsed: a CSV file to a corpus", contestants, "rows/s")


def canonical_row(row: dict[str, str]) -> dict[str, str]:
    """Do the same for HuggingFace datasets."""
    return {"smiles": canonical(row["smiles"])}


def _parsing_peers(smiles: list[str], folder: Path) -> list[Contestant]:
    """Return HuggingFace datasets and litData, which write the canonical SMILES; neither finds duplicates."""
    contestants = []
    if (version := peer("datasets")) is not None:
        import datasets

        datasets.disable_progress_bars()
        rows = datasets.Dataset.from_dict({"smiles": smiles})

        def mapped() -> None:
            cache = str(folder / "mapped.arrow")
            rows.map(canonical_row, num_proc=2, cache_file_name=cache, load_from_cache_file=False)

        contestants.append(Contestant(f"datasets {version}, map, 2 processes", mapped, len(smiles)))
    if (version := peer("litdata")) is not None:
        from litdata import optimize

        def optimized() -> None:
            target = folder / "optimized"
            shutil.rmtree(target, ignore_errors=True)
            with contextlib.redirect_stdout(io.StringIO()):
                optimize(canonical, smiles, str(target), chunk_bytes="64MB", num_workers=2, verbose=False)

        contestants.append(Contestant(f"litdata {version}, optimize, 2 workers", optimized, len(smiles)))
    return contestants
