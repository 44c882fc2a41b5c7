"""The rows of anything that holds molecules: a dataset, a table, a column, rejects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mrl.corpus import Table
from mrl.data import BaseDataset, TextColumn, Vectors
from mrl.ragged import Rejects, Text, is_column, is_missing
from mrl.text import Vocab

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
    texts : mapping of str to column
        Columns of molecules by name; two of them for pairs. A row of blocks is itself a column.
    owner : str
        The class that holds the rows, or ``""``.
    values : mapping of str to column
        The other columns.
    grammars : mapping of str to str
        Name of a column of texts that are not SMILES -> what they are, such as "a protein".
    title, warning : callable, int -> str
        The title of a row, and what is wrong with it, or ``""``.
    """

    noun: str
    texts: Mapping[str, Any]
    owner: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    grammars: Mapping[str, str] = field(default_factory=dict)
    title: Callable[[int], str] = "row {}".format
    warning: Callable[[int], str] = lambda row: ""

    @classmethod
    def of(cls, data: Any) -> Self:
        """Return the rows of `data`; TypeError if it holds no molecules."""
        if isinstance(data, Rejects):
            return cls(
                "reject",
                {"text": [reject.text for reject in data]},
                title=lambda row: f"row {data[row].row}: {data[row].stage}",
                warning=lambda row: str(data[row].reason),
            )
        if isinstance(data, Table):
            values = {name: column for name, column in data.columns.items() if name != data.smiles_column}
            return cls("row", {data.smiles_column: data.smiles}, "Table", values, title=_numbered(data.rows))
        if isinstance(data, BaseDataset):
            return cls._of_dataset(data)
        if isinstance(data, Mapping) or hasattr(data, "columns"):  # a DataFrame of any library
            raise TypeError(
                f"a {type(data).__name__} has several columns; give the one with the molecules, such as table['smiles']"
            )
        if is_column(data):  # maybe on disk
            return cls("molecule", {"smiles": data})
        if isinstance(data, set | frozenset):
            raise TypeError(f"a {type(data).__name__} has no order; make it a list, such as sorted(molecules)")
        rows = [data] if isinstance(data, str) or not isinstance(data, Iterable) else data
        return cls("molecule", {"smiles": [_require_molecule(x) for x in rows]})

    @classmethod
    def _of_dataset(cls, ds: BaseDataset[Any]) -> Self:
        # The columns of molecules: those that a row cannot do without, and the one that a model generates.
        kinds = ds.task.columns.items()
        names = [name for name, kind in kinds if isinstance(kind, TextColumn) and kind.default is None]
        names += [ds.task.generates] if ds.task.generates is not None and ds.task.generates not in names else []
        if not names and "smiles" not in ds.columns:
            there = ", ".join(ds.columns) or "none at all"
            raise TypeError(
                f"this {type(ds).__name__} has no text columns (it has {there}); give the molecules themselves"
            )
        texts = {name: ds.columns[name] for name in names or ["smiles"]}
        values = {name: column for name, column in ds.columns.items() if name not in texts}
        grammars = {name: _grammar(getattr(ds, vocab, None)) for name, vocab in zip(texts, _VOCABS, strict=False)}
        if len(ds) and isinstance(next(iter(texts.values()))[0], Text):
            return cls("block", texts, type(ds).__name__, values, grammars, "block {}".format)
        noun = "pair" if len(texts) > 1 else "row"
        return cls(noun, texts, type(ds).__name__, values, grammars, _numbered(ds.kept), _vector_warning(ds))

    def __len__(self) -> int:
        return len(next(iter(self.texts.values())))

    def molecules(self, row: int) -> list[tuple[Any, str]]:
        """Return the texts (or molecules) of a row, each with its grammar if that is not SMILES."""
        found = []
        for name, column in self.texts.items():
            for x in column[row] if self.noun == "block" else [column[row]]:
                selfies = "SELFIES" if isinstance(x, str) and _SELFIES.fullmatch(x) else ""
                found.append((x, self.grammars.get(name) or selfies))
        return found


_VOCABS = ("vocab", "target_vocab")  # settings of a dataset, in the order of its columns of texts


def _numbered(input_rows: NDArray[np.int64]) -> Callable[[int], str]:
    """Return the titles of rows, with their numbers in the input where these differ."""
    return lambda row: f"row {row}" + (f" (row {input_rows[row]} of the input)" if input_rows[row] != row else "")


def _vector_warning(ds: BaseDataset[Any]) -> Callable[[int], str]:
    """Return a warning for the rows without a vector, where a dataset keeps them."""
    vectors = [field for field in ds.fields if isinstance(field, Vectors)] if ds.on_error == "mask" else []
    stored = ds.storage_rows
    return lambda row: "no vector" if any(field.gather(stored[[row]])[0].isnan().all() for field in vectors) else ""


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


def _grammar(vocab: Vocab | None) -> str:
    vocab = getattr(vocab, "vocab", vocab)  # the vocabulary inside a transformation
    return "" if vocab is None else _GRAMMARS.get(vocab.kind or "", "")
