"""``mrl encode``: a file of texts to a file of token ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mrl.cli.console import DATA, note, reported, stop, success, write_json
from mrl.cli.tables import blocks, count, read_table
from mrl.cli.vocab import in_file, require_target
from mrl.errors import RowError, UnknownTokenError
from mrl.files import atomic
from mrl.ragged import Ragged
from mrl.text import UNK, Vocab

__all__ = ["run"]


def run(vocabulary: Path, file: Path, target: Path, smiles_column: str | None, on_unknown: str, json: bool) -> None:
    """Write the ids of every row, where each row begins, and whose ids they are."""
    require_target(target, ".npz")
    with reported():
        vocab = Vocab.load(vocabulary)
        table = read_table(file, smiles_column)
        parts = []
        for first, texts in blocks(table.smiles, "encoding"):
            try:
                parts.append(vocab.encode(texts, on_unknown="unk"))
            except (RowError, UnknownTokenError) as error:
                stop(in_file(error, file, table, first), DATA)
        ids = Ragged.concat(parts) if parts else vocab.encode([])
        unknown = np.flatnonzero(ids.values == UNK)
        if len(unknown):
            row = int(np.searchsorted(ids.offsets, unknown[0], side="right")) - 1
            fact = (
                f"{count(len(unknown), 'token')} of {file}, the first in row {table.rows[row]} "
                f"({table.smiles[row][:60]!r}), {'is' if len(unknown) == 1 else 'are'} not in {vocabulary}"
            )
            if on_unknown == "raise":
                stop(
                    f"{fact}; mrl vocab check names every such row, mrl vocab learn makes a vocabulary that has them, "
                    "--on-unknown unk writes the id 3 in their place",
                    DATA,
                )
            note(f"  {fact}: written as {UNK}")
        with atomic(target) as temporary, temporary.open("wb") as opened:
            np.savez(
                opened,
                values=ids.flat,
                offsets=ids.offsets - ids.offsets[0],
                rows=table.rows,
                n_tokens=len(vocab),
                fingerprint=vocab.fingerprint(),
            )
        success(f"wrote {count(len(ids.flat), 'id')} of {count(len(ids), 'row')} to {target} ({ids.values.dtype})")
        if json:
            facts = {
                "path": str(target),
                "rows": len(ids),
                "not_read": len(table.rejects),
                "ids": len(ids.flat),
                "unknown": len(unknown),
                "dtype": str(ids.values.dtype),
                "n_tokens": len(vocab),
                "fingerprint": vocab.fingerprint(),
            }
            write_json(facts)
