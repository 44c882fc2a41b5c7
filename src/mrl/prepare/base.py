"""Base: the corpus after whose rows others are appended."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mrl.corpus import Corpus, Table, kind_of, next_shard_number
from mrl.errors import ColumnError
from mrl.messages import format_names
from mrl.text import Vocab

INPUT_ROW, OTHER_INPUT_ROW = "input_row", "mrl_input_row"
APPENDING = "appending"  # the folder of the work, in that of the corpus


@dataclass(frozen=True)
class Base:
    """The corpus after whose rows others are appended.

    Attributes
    ----------
    folder : Path
        Its folder.
    rows, shards : int
        How many it has.
    start : int
        The rows of the files that it was made of: the number of the first input row that follows.
    number : int
        The number of the first shard that is written.
    digest : str
        Of its files.
    smiles_column : str
        The column of molecules.
    columns : dict of str to str
        The types of its columns.
    tokens : dict of str to str
        The columns of ids by those of text.
    """

    folder: Path
    rows: int
    shards: int
    start: int
    number: int
    digest: str
    smiles_column: str
    columns: Mapping[str, str]
    tokens: Mapping[str, str]

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        """Return what appending needs to know of a corpus."""
        manifest = corpus.manifest
        return cls(
            corpus.path,
            manifest.rows,
            len(manifest.shards),
            sum(entry["read"]["rows"] for entry in manifest.history if "read" in entry),
            next_shard_number(manifest),
            hashlib.sha256("".join(file.digest for file in manifest.files).encode()).hexdigest(),
            manifest.smiles_column,
            dict(manifest.columns),
            dict(manifest.tokens),
        )

    def require_columns(self, block: Table, features: Collection[str]) -> None:
        """Raise a ColumnError if rows of a file lack a column of the corpus."""
        if block.smiles_column != self.smiles_column:
            raise ColumnError(
                f"the molecules of the files are the column {block.smiles_column!r}, those of {self.folder} are "
                f"{self.smiles_column!r}: rename it in the files",
                column=block.smiles_column,
            )
        given = {*block.columns, *(f"{name}_sign" for name in block.targets), *self.tokens.values(), *features}
        missing = [name for name in self.columns if name not in {*given, INPUT_ROW, OTHER_INPUT_ROW}]
        if missing:
            raise ColumnError(
                f"the files lack {format_names(missing)} of {self.folder}: append files with the columns that it was "
                "prepared from; columns that were added to it later cannot be read from files",
                column=missing[0],
            )

    def completed(self, columns: Mapping[str, Any], vocab: Any) -> dict[str, Any]:
        """Return columns in the order of the corpus, with ids; a ColumnError if they are not those of the corpus."""
        added = {ids: vocab.encode(columns[name]) for name, ids in self.tokens.items() if isinstance(vocab, Vocab)}
        columns = {**columns, **added}
        kinds = {name: kind_of(values) for name, values in columns.items()}
        if kinds != self.columns:
            differs = sorted({*kinds.items()} ^ {*self.columns.items()})
            raise ColumnError(
                f"the rows have the columns {_listed(kinds)}, {self.folder} has {_listed(self.columns)}: append files "
                "with the columns that it was prepared from",
                column=differs[0][0],
            )
        return {name: columns[name] for name in self.columns}


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in columns.items())
