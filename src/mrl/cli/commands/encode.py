"""``mrl encode``: a file of molecules to a file of token ids."""

from __future__ import annotations

import numpy as np

from mrl.cli.console import DATA, note, print_json, stop, success
from mrl.cli.options import EncodeOptions, OnUnknown
from mrl.cli.tables import notation_of, read_table, require_writable, rows_named
from mrl.files import atomic
from mrl.messages import format_count, format_value
from mrl.text import UNK, Vocab


def run(options: EncodeOptions) -> None:
    """Write the ids of every row, where each row begins, and which vocabulary the ids belong to."""
    require_writable(options.out)
    vocab = Vocab.load(options.vocab)
    table = read_table(options.file, options, notation=notation_of(vocab))
    with rows_named(options.file, table):
        ids = vocab.encode(table.smiles, on_unknown="unk")
    unknown = np.flatnonzero(ids.values == UNK)
    if len(unknown):
        row = int(np.searchsorted(ids.offsets, unknown[0], side="right")) - 1
        problem = (
            f"{format_count(len(unknown), 'token')} of {options.file}, the first in row {table.rows[row]} "
            f"({format_value(table.smiles[row], most=60)}), {'is' if len(unknown) == 1 else 'are'} not in "
            f"{options.vocab}"
        )
        if options.on_unknown == OnUnknown.RAISE:
            stop(
                f"{problem}; mrl vocab check shows all such rows, mrl vocab learn makes a vocabulary that has these "
                "tokens, --on-unknown unk writes the id 3 instead",
                DATA,
            )
        note(f"  {problem}: written as {UNK}")
    with atomic(options.out) as temporary, temporary.open("wb") as opened:
        np.savez(
            opened,
            values=ids.flat,
            offsets=ids.offsets - ids.offsets[0],
            rows=table.rows,
            n_tokens=len(vocab),
            fingerprint=vocab.fingerprint(),
        )
    written = f"{format_count(len(ids.flat), 'id')} of {format_count(len(ids), 'row')}"
    success(f"wrote {written} to {options.out} ({ids.values.dtype})")
    if options.json:
        print_json(
            {
                "path": str(options.out),
                "rows": len(ids),
                "not_read": len(table.rejects),
                "ids": len(ids.flat),
                "unknown": len(unknown),
                "dtype": str(ids.values.dtype),
                "n_tokens": len(vocab),
                "fingerprint": vocab.fingerprint(),
            }
        )
