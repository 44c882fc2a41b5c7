"""What cleaning is made of: a row on its way, and the steps that change or refuse it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar

from rdkit import Chem

from mrl.chem.molecule import to_mol
from mrl.errors import MoleculeError

__all__ = ["Parse", "Row", "Step"]


class Row:
    """One row on its way through the steps: a text, and the molecule that it spells.

    Parameters
    ----------
    text : str
        As it was found.

    Attributes
    ----------
    text : str
        As it was found while the molecule is what it was; else the canonical SMILES of what it became.

    Examples
    --------
    >>> row = Row("OCC")
    >>> row.become(row.mol)
    >>> row.text, row.form
    ('OCC', 'CCO')
    """

    __slots__ = ("_form", "_mol", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._mol: Chem.Mol | None = None
        self._form: str | None = None

    @property
    def mol(self) -> Chem.Mol:
        """The molecule, parsed at first use (raises MoleculeError); not to be edited in place, see `become`."""
        if self._mol is None:
            self._mol = to_mol(self.text)
        return self._mol

    def forget(self) -> None:
        """Let go of the molecule, which was edited in place; the text spells it as it was."""
        self._mol = None

    @property
    def form(self) -> str:
        """Canonical SMILES of the molecule, written at first use."""
        if self._form is None:
            self._form = Chem.MolToSmiles(self.mol)
        return self._form

    def become(self, mol: Chem.Mol) -> None:
        """Take another molecule; the text changes only if it is another one.

        It is read again from the SMILES that it gives, so that text and molecule are one: what is written is a
        molecule, and hydrogens, aromaticity and stereo centres are those of a text that was just read.

        Raises
        ------
        MoleculeError
            Its SMILES is not a molecule.
        """
        written = Chem.MolToSmiles(mol)
        if written != self.form:
            again = to_mol(written)
            form = Chem.MolToSmiles(again)
            if form != self.form:
                self._take(again, form)

    def become_at_once(self, mol: Chem.Mol) -> None:
        """Take a molecule that is surely another one and in the state of one just read; four times as fast."""
        self._take(mol, Chem.MolToSmiles(mol))

    def _take(self, mol: Chem.Mol, form: str) -> None:
        self._mol, self._form, self.text = mol, form, form


class Step(ABC):
    """A step of cleaning: changes a row, or says why it must go.

    A subclass is a frozen dataclass whose fields are its parameters. It is a pure function of one row: rows are
    cleaned in any order, in any process, so a step has to be picklable and keep nothing between two rows.
    """

    needs_molecule: ClassVar[bool] = True
    """Whether rows have to be parsed before; the others may stand before and look at the text as it was found."""

    @property
    def stage(self) -> str:
        """Its name in counts and rejects."""
        return _kind(self)

    @abstractmethod
    def __call__(self, row: Row) -> str | None:
        """Change the row if need be.

        Parameters
        ----------
        row : Row

        Returns
        -------
        str or None
            The reason why the row has to go, one line that begins with its kind and a colon; None if it stays.
        """

    def to_dict(self) -> dict[str, Any]:
        """The kind of the step and its parameters, as JSON can write them.

        Examples
        --------
        >>> from mrl.chem import Within
        >>> Within("molwt", 250, 350).to_dict()
        {'step': 'within', 'name': 'molwt', 'least': 250, 'most': 350}
        """
        names: list[str] = [field.name for field in fields(self)] if is_dataclass(self) else []
        return {"step": _kind(self), **{name: _plain(getattr(self, name)) for name in names}}


class Parse(Step):
    """Text -> molecule: part of every cleaning."""

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
        return (
            f"{value.__module__}.{value.__qualname__}" if hasattr(value, "__qualname__") else type(value).__qualname__
        )
    return value
