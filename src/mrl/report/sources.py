"""What there is to show, whatever it came in: molecules row by row, and what else is known of each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mrl.chem import to_smile
from mrl.errors import MoleculeError
from mrl.ragged import Rejects, Text, is_column

__all__ = ["Source", "source_of", "spelled"]

_LANGUAGES = {"amino-acid": "a protein", "nucleotide": "a nucleic acid", "kmer": "a sequence"}
# RDKit reads [C][C][O] as a chain of bare atoms: drawn, it would be another molecule than what SELFIES mean by it.
_SELFIES = re.compile(r"(?!(?:\[\d*H\])+$)(?:\[[^\[\]]+\]){2,}")


@dataclass(frozen=True)
class Source:
    """Rows with molecules.

    Attributes
    ----------
    row : str
        What a row is called: ``"row"``, ``"molecule"``, ``"block"``, ``"reject"``.
    whole : str
        What the rows are of, or ``""``.
    total : int
        How many rows there are.
    texts : dict of str to column
        Of molecules, by name; two of them for pairs. A row of blocks is a column itself.
    values : mapping of str to column
        What else there is of each row.
    inputs : array of int, shape (total,), optional
        Which row of the input each row was.
    languages : dict of str to str
        Name of a column of texts -> what its texts are that are no molecules.
    blocks : bool
        Whether each row has several texts.
    rejects : Rejects, optional
        Where the rows are those.
    missing : callable, optional
        Whether a row has no vector.
    """

    row: str
    whole: str
    total: int
    texts: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)
    inputs: Any = None
    languages: Mapping[str, str] = field(default_factory=dict)
    blocks: bool = False
    rejects: Rejects | None = None
    missing: Callable[[int], bool] | None = None

    def molecules(self, row: int) -> list[tuple[Any, str]]:
        """The texts (or molecules) of a row, each with what it is, if that is no molecule."""
        found = []
        for name, column in self.texts.items():
            for x in column[row] if self.blocks else [column[row]]:
                selfies = "SELFIES" if isinstance(x, str) and _SELFIES.fullmatch(x) else ""
                found.append((x, self.languages.get(name) or selfies))
        return found

    def title(self, row: int) -> str:
        """What to call a row."""
        if self.rejects is not None:
            return f"row {self.rejects[row].row}: {self.rejects[row].stage}"
        before = "" if self.inputs is None or self.inputs[row] == row else f" (row {self.inputs[row]} of the input)"
        return f"{'block' if self.blocks else 'row'} {row}{before}"

    def warning(self, row: int) -> str:
        """What is wrong with a row, or ``""``."""
        if self.rejects is not None:
            return str(self.rejects[row].reason)
        return "no vector" if self.missing is not None and self.missing(row) else ""


def source_of(data: Any) -> Source:
    """See what `data` is.

    Raises
    ------
    TypeError
        There are no molecules in it.
    """
    if isinstance(data, Rejects):
        return Source("reject", "", len(data), {"text": [reject.text for reject in data]}, rejects=data)
    if isinstance(getattr(data, "columns", None), dict):
        return _of_table(data) if hasattr(data, "smiles_column") else _of_dataset(data)
    if hasattr(data, "columns") or isinstance(data, Mapping):
        raise TypeError(
            f"a {type(data).__name__} has several columns; give the one with the molecules, such as table['smiles']"
        )
    if is_column(data):  # maybe on disk
        return Source("molecule", "", len(data), {"smiles": data})
    if isinstance(data, str) or not hasattr(data, "__iter__"):
        data = [data]
    rows = [_molecule(x) for x in data]
    return Source("molecule", "", len(rows), {"smiles": rows})


def _molecule(x: Any) -> Any:
    """A text or a molecule; what is missing is an empty text."""
    if isinstance(x, str) or hasattr(x, "GetNumAtoms"):
        return x
    if x is None or type(x).__name__ == "NAType" or (isinstance(x, float) and x != x):
        return ""
    raise TypeError(
        f"{x!r} ({type(x).__name__}) is no molecule; show takes a data set, a table that mrl.read gave, a column of "
        "SMILES, or what was refused, cleaned or measured"
    )


def spelled(x: Any) -> str:
    """A text as it is, or the SMILES of a molecule, ``''`` if it has none."""
    try:
        return x if isinstance(x, str) else to_smile(x)
    except MoleculeError:
        return ""


def _of_table(table: Any) -> Source:
    name = table.smiles_column
    values = {other: column for other, column in table.columns.items() if other != name}
    return Source("row", "Table", len(table), {name: table.smiles}, values, table.rows)


def _of_dataset(ds: Any) -> Source:
    names = [name for name in ("smiles", "source", "target") if name in ds.columns]
    if not names:
        raise TypeError(
            f"this {type(ds).__name__} has no column of texts ({', '.join(ds.columns) or 'none at all'}); give the "
            "molecules themselves"
        )
    vocabs = [getattr(ds, "vocab", None), getattr(ds, "target_vocab", None)]
    languages = {name: _language(vocab) for name, vocab in zip(names, vocabs, strict=False)}
    values = {name: column for name, column in ds.columns.items() if name not in names}
    blocks = len(ds) > 0 and isinstance(ds.columns[names[0]][0], Text)
    texts = {name: ds.columns[name] for name in names}
    ok = ds.ok if ds.on_error == "mask" else None

    def missing(row: int) -> bool:
        return ok is not None and not ok[row]

    row = "block" if blocks else "pair" if len(names) > 1 else "row"
    inputs = None if blocks else ds.kept
    known = None if ok is None else missing
    return Source(row, type(ds).__name__, len(ds), texts, values, inputs, languages, blocks, missing=known)


def _language(vocab: Any) -> str:
    vocab = getattr(vocab, "vocab", vocab)  # what is transformed before it is cut
    return _LANGUAGES.get(getattr(vocab, "kind", ""), "")
