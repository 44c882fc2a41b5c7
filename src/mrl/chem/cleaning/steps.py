"""What cleaning is made of: a row being cleaned, and the steps that change or reject it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar

from rdkit import Chem

from mrl.chem.molecule import to_mol
from mrl.errors import MoleculeError


class Row:
    """One row while it is being cleaned: a text, and its molecule.

    Parameters
    ----------
    text : str
        As it was found.

    Attributes
    ----------
    text : str
        As it was found until a step changes the molecule; then the canonical SMILES of the new one.
    stereo_groups : str
        Canonical CXSMILES of a racemate or a molecule of relative stereo whose tail was removed; else ``""``.
    replaced : bool
        Whether a step has replaced the molecule.
    failures : list of str
        Why steps left the molecule unchanged, see `fail`.

    Examples
    --------
    >>> row = Row("OCC")
    >>> row.mol.GetNumAtoms(), row.canonical
    (3, 'CCO')
    >>> row.replace(Chem.MolFromSmiles("C(O)C"))  # the same molecule
    >>> row.text
    'OCC'
    >>> row.replace(Chem.MolFromSmiles("OC"))
    >>> row.text
    'CO'
    >>> row.mol.GetAtomWithIdx(0).SetFormalCharge(1)
    >>> row.drop_mol()
    >>> row.mol.GetAtomWithIdx(0).GetFormalCharge()
    0
    """

    __slots__ = ("_canonical", "_mol", "failures", "replaced", "stereo_groups", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.stereo_groups = ""
        self.replaced = False
        self.failures: list[str] = []
        self._mol: Chem.Mol | None = None
        self._canonical: str | None = None

    @property
    def mol(self) -> Chem.Mol:
        """The molecule, parsed at first use (MoleculeError if it is invalid).

        A step that edits it in place calls `replace` or `drop_mol` afterwards.
        """
        if self._mol is None:
            self._mol = to_mol(self.text)
        return self._mol

    @property
    def canonical(self) -> str:
        """Canonical SMILES of the molecule, computed at first use."""
        if self._canonical is None:
            self._canonical = Chem.MolToSmiles(self.mol)
        return self._canonical

    def fail(self, reason: str) -> None:
        """Report that a step cannot process the molecule, which stays as it is and is counted.

        Parameters
        ----------
        reason : str
            One line that begins with its kind and a colon.

        Examples
        --------
        >>> row = Row("C")
        >>> row.fail("RDKit: too complex")
        >>> row.failures
        ['RDKit: too complex']
        """
        self.failures.append(reason)

    def drop_mol(self) -> None:
        """Discard the molecule, which was edited in place; `mol` parses the text again."""
        self._mol = None

    def replace(self, mol: Chem.Mol, *, as_parsed: bool = False) -> None:
        """Replace the molecule; the text changes only if the new molecule is a different one.

        The new molecule is parsed again from its SMILES, so that the text is always valid, and hydrogens, aromaticity
        and stereo centres are those of a text that was just parsed.

        Parameters
        ----------
        mol : Mol
            The new molecule.
        as_parsed : bool
            `mol` certainly is a different molecule, and already as if it were just parsed: four times as fast.

        Raises
        ------
        MoleculeError
            The SMILES of `mol` is not a molecule.
        """
        smiles = Chem.MolToSmiles(mol)
        if not as_parsed:
            if smiles == self.canonical:
                return
            mol = to_mol(smiles)
            smiles = Chem.MolToSmiles(mol)
            if smiles == self.canonical:
                return
        self._mol, self._canonical, self.text, self.replaced = mol, smiles, smiles, True


class Step(ABC):
    """A step of cleaning: changes a row, or returns why it must be removed.

    A subclass is a frozen dataclass whose fields are its parameters. It is a pure function of one row: rows are
    cleaned in any order and in any process, so a step is picklable and keeps nothing between two rows.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from mrl.chem import clean
    >>> @dataclass(frozen=True)
    ... class NoCarbon(Step):
    ...     def __call__(self, row: Row) -> str | None:
    ...         return "carbon: found" if "C" in row.canonical.upper() else None
    >>> clean(["O", "CO"], [NoCarbon()])
    Cleaned(1 of 2 rows; no carbon: 1 removed)
    >>> NoCarbon().stage
    'no carbon'
    """

    needs_molecule: ClassVar[bool] = True
    """Whether rows are parsed first; steps without a molecule may stand in front and see the text as it was found."""

    @property
    def stage(self) -> str:
        """Its name in counts and rejects: by default that of the class, in words."""
        return _kind(self)

    @abstractmethod
    def __call__(self, row: Row) -> str | None:
        """Change the row if necessary.

        Parameters
        ----------
        row : Row

        Returns
        -------
        str or None
            The reason to remove the row, one line that begins with its kind and a colon; None to keep it. A step that
            cannot process a molecule calls ``row.fail(reason)`` and returns None.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return the kind of the step and its parameters, for JSON.

        Examples
        --------
        >>> from mrl.chem import Within
        >>> Within("molwt", 250, 350).to_dict()
        {'step': 'within', 'name': 'molwt', 'least': 250, 'most': 350}
        """
        names: list[str] = [field.name for field in fields(self)] if is_dataclass(self) else []
        return {"step": _kind(self), **{name: _plain(getattr(self, name)) for name in names}}


class Parse(Step):
    """Parse the text: part of every cleaning."""

    def __call__(self, row: Row) -> str | None:
        try:
            row.mol  # noqa: B018
        except MoleculeError as error:
            return error.reason
        return None


def _kind(step: Step) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(step).__name__).lower()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if callable(value):
        name = getattr(value, "__qualname__", None)  # an instance has none
        return f"{value.__module__}.{name}" if name else type(value).__qualname__
    return value
