"""Descriptors and properties by name, side by side in one vector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from mrl.chem.molecule import Molecule, describe, one_line, to_mol
from mrl.chem.properties import PROPERTIES, VERSION
from mrl.errors import FeatureError
from mrl.messages import did_you_mean

Descriptor: TypeAlias = Callable[[Chem.Mol], float]

_LEFT_OUT = ("Ipc", "AvgIpc")


class Descriptors:
    """Numbers of a molecule in the order of their names: a function of one molecule, which is parsed once.

    Parameters
    ----------
    names : iterable of str or dict of str to callable, optional
        Names of `PROPERTIES` and of RDKit's descriptors (``rdkit.Chem.Descriptors.descList``), or your own functions
        of an RDKit molecule by name. By default all of RDKit's except Ipc and AvgIpc, which take seconds for a
        molecule of some hundred atoms and exceed the range of float32.

    Attributes
    ----------
    names : tuple of str, D of them
    cache_key : str or None
        The names and the version of RDKit: equal exactly where the results are. None with your own functions, which
        may change without their names.

    Raises
    ------
    ValueError
        An unknown name (the message suggests similar ones), a repeated name, or no names.

    Examples
    --------
    >>> Descriptors(["heavy_atoms", "TPSA"])("CCO")
    array([ 3.  , 20.23], dtype=float32)
    >>> Descriptors({"bonds": lambda mol: mol.GetNumBonds()})("CCO")
    array([2.], dtype=float32)
    >>> Descriptors(["molwt", "TSPA"])
    Traceback (most recent call last):
    ...
    ValueError: 'TSPA' is not a descriptor (did you mean 'TPSA' or 'tpsa'?); see mrl.chem.PROPERTIES and \
rdkit.Chem.Descriptors.descList
    """

    checks_text: ClassVar[bool] = True

    def __init__(self, names: Iterable[str] | Mapping[str, Descriptor] | None = None) -> None:
        self._functions = _functions([name for name in _rdkit() if name not in _LEFT_OUT] if names is None else names)
        self.names = tuple(self._functions)
        own = isinstance(names, Mapping) and any(PROPERTIES.get(name) is not f for name, f in names.items())
        self._given: dict[str, Descriptor] | tuple[str, ...] = self._functions if own else self.names
        self.cache_key = (
            None if own else f"descriptors {','.join(self.names)} version={VERSION} rdkit={rdBase.rdkitVersion}"
        )

    def __call__(self, x: Molecule) -> NDArray[np.float32]:
        """Return the numbers of `x`, float32, shape (D,).

        NaN where RDKit does not define a number for a molecule, such as partial charges of metals.

        Raises
        ------
        MoleculeError
            `x` is not a molecule (see `to_mol`).
        FeatureError
            A function failed, or returned something else than a number in the range of float32; the message names it.
        """
        mol = to_mol(x)
        vector = np.empty(len(self.names), np.float32)
        with rdBase.BlockLogs(), np.errstate(over="ignore"):
            for place, (name, function) in enumerate(self._functions.items()):
                try:
                    value = float(function(mol))
                except Exception as error:  # a user's function may raise anything, and some of RDKit's divide by zero
                    raise _failed(x, name, f"{type(error).__name__}: {one_line(error)}") from error
                vector[place] = value
                if np.isinf(vector[place]):
                    raise _failed(x, name, f"{value:g} is outside the range of float32")
        return vector

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._given,)

    def __repr__(self) -> str:
        shown = self.names if len(self) <= 8 else (*self.names[:7], f"... {len(self) - 7} more")
        return f"Descriptors({', '.join(shown)})"


def _functions(names: Iterable[str] | Mapping[str, Descriptor]) -> dict[str, Descriptor]:
    if isinstance(names, Mapping):
        functions = dict(names)
    elif isinstance(names, str):
        raise ValueError(f"names is one name, {names!r}: wrap it in a list")
    else:
        names = list(names)
        functions = {name: _function(name) for name in names}
        if len(functions) < len(names):
            raise ValueError(
                f"repeated descriptors: {sorted({n for n in names if names.count(n) > 1})}; name each once"
            )
    if not functions:
        raise ValueError("there are no names; pass at least one, or leave the argument out for all of RDKit's")
    return functions


def _function(name: str) -> Descriptor:
    function = PROPERTIES.get(name) or _rdkit().get(name)  # RDKit's are loaded only if one of them is requested
    if function is None:
        meant = did_you_mean(str(name), [*_rdkit(), *PROPERTIES], most=3)
        raise ValueError(
            f"{describe(name)} is not a descriptor{meant}; see mrl.chem.PROPERTIES and rdkit.Chem.Descriptors.descList"
        )
    return function


@cache
def _rdkit() -> Mapping[str, Descriptor]:
    from rdkit.Chem import Descriptors as rdkits  # for cost: 40 ms at first use, not at import

    return dict(rdkits.descList)


def _failed(x: Molecule, name: str, reason: str) -> FeatureError:
    text = x if isinstance(x, str) else describe(x)
    return FeatureError(
        f"{name} of {describe(x)} failed: {reason}; leave {name} out", text=text, reason=f"{name}: {reason}"
    )
