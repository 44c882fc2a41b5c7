"""Descriptors and properties by name, put side by side as one vector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from mrl.chem.molecule import Molecule, shown, to_mol
from mrl.chem.properties import PROPERTIES, VERSION
from mrl.errors import FeatureError

__all__ = ["Descriptors"]

Property: TypeAlias = Callable[[Chem.Mol], float]

_LEFT_OUT = ("Ipc", "AvgIpc")


class Descriptors:
    """Numbers of a molecule in the order of their names: a function of one molecule, which is parsed once.

    Parameters
    ----------
    names : iterable of str, or dict of str to callable, optional
        Names of `PROPERTIES` and of RDKit's descriptors (``rdkit.Chem.Descriptors.descList``), or functions of an
        RDKit molecule by names of your own. All of RDKit's by default, but for Ipc and AvgIpc: they take seconds for a
        molecule of some hundred atoms, for which Ipc is more than float32 holds.

    Attributes
    ----------
    names : tuple of str, D of them
    cache_key : str or None
        The names and the version of RDKit: equal where the results are. None with functions of your own, which may
        change without their names.

    Raises
    ------
    ValueError
        A name is not known, or given twice, or there is none; the message has names that are close.

    Examples
    --------
    >>> Descriptors(["heavy_atoms", "TPSA"])("CCO")
    array([ 3.  , 20.23], dtype=float32)
    >>> Descriptors({"bonds": lambda mol: mol.GetNumBonds()})("CCO")
    array([2.], dtype=float32)
    >>> Descriptors(["molwt", "TSPA"])
    Traceback (most recent call last):
    ...
    ValueError: there is no descriptor 'TSPA'; close are 'TPSA', 'tpsa'
    """

    def __init__(self, names: Iterable[str] | Mapping[str, Property] | None = None) -> None:
        self._functions = _functions([name for name in _rdkit() if name not in _LEFT_OUT] if names is None else names)
        self.names = tuple(self._functions)
        mine = isinstance(names, Mapping) and any(PROPERTIES.get(name) is not f for name, f in names.items())
        self._given: dict[str, Property] | tuple[str, ...] = self._functions if mine else self.names
        self.cache_key = (
            None if mine else f"descriptors {','.join(self.names)} version={VERSION} rdkit={rdBase.rdkitVersion}"
        )

    def __call__(self, x: Molecule) -> NDArray[np.float32]:
        """The numbers of a molecule.

        Parameters
        ----------
        x : str or Mol

        Returns
        -------
        ndarray of float32, shape (D,)
            NaN where RDKit says that a number is not defined for a molecule, such as partial charges of metals.

        Raises
        ------
        MoleculeError
            Not a molecule (see `to_mol`).
        FeatureError
            A function failed, returned no number, or one that float32 cannot hold; the message has its name.
        """
        mol = to_mol(x)
        vector = np.empty(len(self.names), np.float32)
        with rdBase.BlockLogs(), np.errstate(over="ignore"):
            for place, (name, function) in enumerate(self._functions.items()):
                try:
                    value = float(function(mol))
                except Exception as error:  # a user's function may raise anything, and some of RDKit's divide by zero
                    raise _failed(x, name, f"{type(error).__name__}: {' '.join(str(error).split())}") from error
                vector[place] = value
                if np.isinf(vector[place]):
                    raise _failed(x, name, f"{value:g} is more than float32 holds")
        return vector

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._given,)

    def __repr__(self) -> str:
        shown_names = self.names if len(self) <= 8 else (*self.names[:7], f"... {len(self) - 7} more")
        return f"Descriptors({', '.join(shown_names)})"


def _functions(names: Iterable[str] | Mapping[str, Property]) -> dict[str, Property]:
    if isinstance(names, Mapping):
        functions = dict(names)
    elif isinstance(names, str):
        raise ValueError(f"names is one name, {names!r}: wrap it in a list")
    else:
        names = list(names)
        functions = {name: _function(name) for name in names}
        if len(functions) < len(names):
            raise ValueError(f"a descriptor is given twice: {sorted({n for n in names if names.count(n) > 1})}")
    if not functions:
        raise ValueError("there are no names; give at least one, or none of this argument for all of RDKit's")
    return functions


def _function(name: str) -> Property:
    function = PROPERTIES.get(name) or _rdkit().get(name)  # RDKit's are loaded only if one of them is wanted
    if function is None:
        known = [*_rdkit(), *PROPERTIES]
        spelled = {other.lower(): [n for n in known if n.lower() == other.lower()] for other in known}
        close = [n for found in get_close_matches(str(name).lower(), spelled, n=3) for n in spelled[found]]
        remedy = (
            f"close are {', '.join(map(repr, close))}"
            if close
            else "see mrl.chem.PROPERTIES and rdkit.Chem.Descriptors.descList"
        )
        raise ValueError(f"there is no descriptor {shown(name)}; {remedy}")
    return function


@cache
def _rdkit() -> Mapping[str, Property]:
    from rdkit.Chem import Descriptors as rdkits  # for cost: 40 ms at first use, not at import

    return dict(rdkits.descList)


def _failed(x: Molecule, name: str, reason: str) -> FeatureError:
    text = x if isinstance(x, str) else shown(x)
    return FeatureError(f"no {name} for {shown(x)}: {reason}; leave {name} out", text=text, reason=f"{name}: {reason}")
