"""Columns: which one has the molecules, which others were requested, and messages about names that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mrl.corpus.reading.notation import is_smiles_text
from mrl.corpus.reading.options import ReadOptions
from mrl.corpus.reading.table_file import TableFile
from mrl.errors import ColumnError
from mrl.messages import did_you_mean, format_names

_SMILES_NAMES = frozenset({"smi", "mol", "structure", "sequence", "selfies"})
_SMILES_OPTION = 'smiles="..." (--smiles-column)'


@dataclass(frozen=True)
class ColumnRoles:
    """The columns to read, by what they are used for: the parameters of `mrl.corpus.read`."""

    smiles: str | None
    targets: tuple[str, ...]
    id: str | None
    weight: str | None
    split: str | None
    others: bool = False
    censored: str = "raise"
    options: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        if self.censored not in ("raise", "reject", "keep"):
            raise ValueError(f"censored is {self.censored!r}; expected 'raise', 'reject' or 'keep'")

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that are kept as text, besides the molecules."""
        return tuple(name for name in (self.id, self.split) if name is not None)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that are read as numbers."""
        return self.targets if self.weight is None else (*self.targets, self.weight)

    def columns(self, file: TableFile, smiles: str) -> tuple[str, ...]:
        """Return the columns to read from a file; in a list of SMILES, the names are part of the only one."""
        if file.has_name_suffix:
            return (smiles,)
        return (smiles, *self.numbers, *self.texts, *self.rest(file, smiles))

    def rest(self, file: TableFile, smiles: str) -> tuple[str, ...]:
        """Return the columns that are kept as they are: all that have no other use, if `others`."""
        used = {smiles, *self.numbers, *self.texts}
        return tuple(name for name in file.names if name not in used) if self.others else ()

    def resolve(self, file: TableFile) -> str:
        """Return the column with the molecules; raise a ``ColumnError`` unless all columns are there exactly once."""
        smiles = (
            (file.molecules or _find_smiles(file))
            if self.smiles is None
            else _require(self.smiles, file, _SMILES_OPTION)
        )
        if file.has_name_suffix and smiles != file.names[0]:
            raise ColumnError(
                f"{file.path}: each line is a SMILES and then a name, so {smiles!r} cannot hold the molecules: choose "
                f"{file.names[0]!r} with {_SMILES_OPTION}",
                column=smiles,
                path=file.path,
            )
        requested = [(name, "targets=[...] (--target)") for name in self.targets]
        for role, name in (("id", self.id), ("weight", self.weight), ("split", self.split)):
            requested += [] if name is None else [(name, f'{role}="..." (--{role}-column)')]
        seen = {smiles}
        for name, option in requested:
            _require(name, file, option)
            if name in seen:
                raise ColumnError(
                    f"{file.path}: column {name!r} is requested twice, here by {option}: name it once",
                    column=name,
                    path=file.path,
                )
            seen.add(name)
        for name in self.rest(file, smiles):
            _require(name, file, "others=True")
        return smiles


def is_smiles_name(name: str) -> bool:
    """Return whether a column of this name holds molecules: smiles, smi, mol, structure, sequence or selfies."""
    name = name.strip().casefold()
    return "smiles" in name or name in _SMILES_NAMES


def require_column_name(path: str, name: str | None, names: Sequence[str]) -> None:
    """Raise a ColumnError where the requested column is a molecule of the first line, which would be lost as a header.

    Parameters
    ----------
    path : str
        The text file, for the message.
    name : str or None
        The column of molecules that was requested.
    names : sequence of str
        The cells of the first line.
    """
    if name not in names or name is None or is_smiles_name(name) or not is_smiles_text(name):
        return
    remedy = (
        "insert a line with the column names above it"
        if len(names) > 1
        else 'read the file without smiles="..." (--smiles-column), which it does not need'
    )
    raise ColumnError(
        f"{path}: {name!r} is a molecule, so the first line is data, not column names: {remedy}; if it does name a "
        "column, rename that to smiles in the file",
        column=name,
        path=path,
    )


def _require(name: str, file: TableFile, option: str) -> str:
    count = file.names.count(name)
    if count == 1:
        return name
    if count > 1:
        problem = f"{count} columns are called {name!r}: give them different names in the file"
    else:
        suggestion = did_you_mean(name, file.names)
        problem = f"no column {name!r}{suggestion}; it has {format_names(file.names)}: choose one with {option}"
    raise ColumnError(f"{file.path}: {problem}", column=name, path=file.path)


def _find_smiles(file: TableFile) -> str:
    found = [name for name in file.names if is_smiles_name(name)]
    if len(set(found)) == 1:
        return _require(found[0], file, _SMILES_OPTION)
    if found:
        problem = f"{format_names(found)} may all hold molecules: choose one with {_SMILES_OPTION}"
    else:
        problem = f"no column is called smiles or similar; it has {format_names(file.names)}: "
        if file.names[0].startswith("#"):
            problem += "if the first line is a comment, delete the lines in front of the column names, else "
        elif any(map(is_smiles_text, file.names)):
            problem += "if the first line is already data, insert a line with the column names above it, else "
        elif len(file.names) == 1 and any(map(is_smiles_text, file.names[0].split())):
            problem += "if each line is a SMILES and a name, read them with format='smi' (--format smi), else "
        problem += f"choose one with {_SMILES_OPTION}"
    raise ColumnError(f"{file.path}: {problem}", column="smiles", path=file.path)
