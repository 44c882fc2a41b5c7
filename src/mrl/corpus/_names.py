"""Names of columns: which one has the molecules, and what to say when a name is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from mrl.errors import ColumnError

__all__ = ["is_smiles_name", "listed", "looks_like_smiles", "meant", "require", "smiles_name"]

_SMILES_NAMES = frozenset({"smi", "mol", "structure", "sequence", "selfies"})
_SMILES_TEXT = re.compile(r"(?:\[[^\[\]\s]+\]|Br|Cl|[BCNOPSFI]|[bcnops]|[-=#$:/\\.()~*]|%\d\d|\d)+")
_SHOWN = 20


def is_smiles_name(name: str) -> bool:
    """Whether a column of this name holds molecules: it says smiles, or smi, mol, structure, sequence or selfies."""
    name = name.strip().casefold()
    return "smiles" in name or name in _SMILES_NAMES


def looks_like_smiles(text: str) -> bool:
    """Whether a text consists of SMILES symbols only, as the names of columns hardly ever do."""
    return _SMILES_TEXT.fullmatch(text) is not None


def listed(names: Iterable[str]) -> str:
    """The names for a message, in their order."""
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more


def meant(name: str, names: Iterable[str]) -> str:
    """A question for what may have been meant, or nothing."""
    folded = {known.casefold(): known for known in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f" (did you mean {folded[close[0]]!r}?)" if close else ""


def require(name: str, names: Sequence[str], path: str, option: str) -> str:
    """The name, if the file has exactly one such column."""
    if names.count(name) == 1:
        return name
    if name in names:
        problem = f"{path}: {names.count(name)} columns are called {name!r}: give them different names"
    else:
        problem = f"{path}: no column {name!r}{meant(name, names)}; it has {listed(names)}: choose with {option}"
    raise ColumnError(problem, column=name, path=path)


def smiles_name(asked: str | None, names: Sequence[str], path: str) -> str:
    """The column with the molecules: the one that was asked for, or the only one whose name says so."""
    option = 'smiles="..." (--smiles-column)'
    if asked is not None:
        return require(asked, names, path, option)
    found = [name for name in names if is_smiles_name(name)]
    if len(found) == 1:
        return require(found[0], names, path, option)
    if found:
        problem = f"{path}: {listed(found)} may all hold molecules: choose one with {option}"
    else:
        problem = f"{path}: no column is called smiles or the like; it has {listed(names)}: choose one with {option}"
        if any(map(looks_like_smiles, names)):
            problem += ", or, if the first line is already data, put a line with the names of the columns above it"
    raise ColumnError(problem, column="smiles", path=path)
