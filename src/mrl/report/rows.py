"""The rows of anything that holds molecules: a dataset, a table, a column, rejects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mrl.corpus import Table
from mrl.data import BaseDataset, TextColumn, Vectors
from mrl.ragged import Rejects, Text, is_column, is_missing

__all__ = ["MoleculeRows"]

_GRAMMARS = {"amino-acid": "a protein", "nucleotide": "a nucleic acid", "kmer": "a sequence"}
# RDKit reads [C][C][O] as a chain of bare atoms: it would be drawn as another molecule than its SELFIES describe.
_SELFIES = re.compile(r"(?!(?:\[\d*H\])+$)(?:\[[^\[\]]+\]){2,}")


@dataclass(frozen=True)
class MoleculeRows:
    """Rows with molecules.

    Attributes
    ----------
    noun : str
        What a row is called: "row", "molecule", "pair", "block", "reject".
    owner : str
        The class that holds the rows, or ``""``.
    total : int
        Number of rows.
    texts : mapping of str to column
        Columns of molecules by name; two of them for pairs. A row of blocks is itself a column.
    values : mapping of str to column
        The other columns.
    input_rows : array of int, shape (total,), optional
        For each row, its number in the input.
    grammars : mapping of str to str
        Name of a column of texts that are not SMILES -> what they are, such as "a protein".
    blocks : bool
        Whether each row has several texts.
    rejects : Rejects, optional
        The rejects, if these are the rows.
    has_vector : callable, optional
        Whether a row has a vector.
    """

    noun: str
    owner: str
    total: int
    texts: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)
    input_rows: Any = None
    grammars: Mapping[str, str] = field(default_factory=dict)
    blocks: bool = False
    rejects: Rejects | None = None
    has_vector: Callable[[int], bool] | None = None

    @classmethod
    def of(cls, data: Any) -> Self:
        """Return the rows of `data`; TypeError if it holds no molecules."""
        if isinstance(data, Rejects):
            return cls("reject", "", len(data), {"text": [reject.text for reject in data]}, rejects=data)
        if isinstance(data, Table):
            name = data.smiles_column
            values = {other: column for other, column in data.columns.items() if other != name}
            return cls("row", "Table", len(data), {name: data.smiles}, values, data.rows)
        if isinstance(data, BaseDataset):
            return cls._of_dataset(data)
        if isinstance(data, Mapping) or hasattr(data, "columns"):  # a DataFrame of any library
            raise TypeError(
                f"a {type(data).__name__} has several columns; give the one with the molecules, such as table['smiles']"
            )
        if is_column(data):  # maybe on disk
            return cls("molecule", "", len(data), {"smiles": data})
        rows = [data] if isinstance(data, str) or not isinstance(data, Iterable) else data
        molecules = [_require_molecule(x) for x in rows]
        return cls("molecule", "", len(molecules), {"smiles": molecules})

    @classmethod
    def _of_dataset(cls, ds: Any) -> Self:
        kind = type(ds).__name__
        names = _text_columns(ds)
        if not names:
            there = ", ".join(ds.columns) or "none at all"
            raise TypeError(f"this {kind} has no text columns (it has {there}); give the molecules themselves")
        vocabs = [getattr(ds, "vocab", None), getattr(ds, "target_vocab", None)]
        blocks = len(ds) > 0 and isinstance(ds.columns[names[0]][0], Text)
        return cls(
            noun="block" if blocks else "pair" if len(names) > 1 else "row",
            owner=kind,
            total=len(ds),
            texts={name: ds.columns[name] for name in names},
            values={name: column for name, column in ds.columns.items() if name not in names},
            input_rows=None if blocks else ds.kept,
            grammars={name: _grammar(vocab) for name, vocab in zip(names, vocabs, strict=False)},
            blocks=blocks,
            has_vector=_vector_test(ds),
        )

    def molecules(self, row: int) -> list[tuple[Any, str]]:
        """Return the texts (or molecules) of a row, each with its grammar if that is not SMILES."""
        found = []
        for name, column in self.texts.items():
            for x in column[row] if self.blocks else [column[row]]:
                selfies = "SELFIES" if isinstance(x, str) and _SELFIES.fullmatch(x) else ""
                found.append((x, self.grammars.get(name) or selfies))
        return found

    def title(self, row: int) -> str:
        """Return what to call a row."""
        if self.rejects is not None:
            return f"row {self.rejects[row].row}: {self.rejects[row].stage}"
        moved = self.input_rows is not None and self.input_rows[row] != row
        source = f" (row {self.input_rows[row]} of the input)" if moved else ""
        return f"{'block' if self.blocks else 'row'} {row}{source}"

    def warning(self, row: int) -> str:
        """Return what is wrong with a row, or ``""``."""
        if self.rejects is not None:
            return str(self.rejects[row].reason)
        return "no vector" if self.has_vector is not None and not self.has_vector(row) else ""


def _require_molecule(x: Any) -> Any:
    """Return a text or molecule; a missing value is an empty text."""
    if isinstance(x, str) or hasattr(x, "GetNumAtoms"):  # RDKit's, which only mrl.chem imports
        return x
    if is_missing(x):
        return ""
    raise TypeError(
        f"{x!r} ({type(x).__name__}) is not a molecule; show takes a dataset, a table from mrl.read, a column of "
        "SMILES, rejects, or the result of clean, evaluate or leaks"
    )


def _grammar(vocab: Any) -> str:
    vocab = getattr(vocab, "vocab", vocab)  # the vocabulary inside a transformation
    return _GRAMMARS.get(getattr(vocab, "kind", ""), "")


def _text_columns(ds: BaseDataset[Any]) -> list[str]:
    """Return the columns of molecules: those that a row cannot do without, and the one that a model generates."""
    texts = {name: kind for name, kind in ds.task.columns.items() if isinstance(kind, TextColumn)}
    names = [name for name, kind in texts.items() if kind.default is None or name == ds.task.generates]
    return names or [name for name in ("smiles",) if name in ds.columns]


def _vector_test(ds: BaseDataset[Any]) -> Callable[[int], bool] | None:
    """Return a function that computes whether a row has a vector, for datasets that keep rows without one."""
    vectors = [field for field in ds.fields if isinstance(field, Vectors)] if ds.on_error == "mask" else []
    if not vectors:
        return None
    stored = ds.storage_rows
    return lambda row: not bool(vectors[0].gather(stored[[row]])[0].isnan().all())
