"""What all steps that edit a molecule have in common: the ways in which it can fail, and RDKit's tools."""

from __future__ import annotations

import re
from abc import abstractmethod
from functools import cache
from typing import Any, ClassVar

from rdkit import Chem, rdBase

from mrl.chem.cleaning.steps import Row, Step
from mrl.chem.molecule import RDKIT_ERRORS, one_line
from mrl.errors import MoleculeError


class Edit(Step):
    """A step that edits a molecule: a subclass says how, in `_edit`. A molecule that it cannot edit stays."""

    concerns: ClassVar[re.Pattern[str] | None] = None
    """The step changes no molecule whose text does not match; None: the text does not tell."""

    @abstractmethod
    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        """Return the molecule after an edit in place, or another molecule."""

    def _may_change(self, row: Row) -> bool:
        return self.concerns is None or self.concerns.search(row.text) is not None

    def __call__(self, row: Row) -> str | None:
        if not self._may_change(row):
            return None
        mol = row.mol
        before = mol.ToBinary()
        try:
            with rdBase.BlockLogs():  # MolStandardize logs what it does
                edited = self._edit(mol)
                # Writing a SMILES to see that nothing happened would take three times as long.
                if edited.ToBinary() == before:
                    return None
            row.drop_mol()
            row.replace(edited)
        except MoleculeError as error:
            row.fail(f"result: not a molecule, {error.reason}")
        except RDKIT_ERRORS as error:
            row.drop_mol()
            row.fail(f"RDKit: {one_line(error)}")
        return None


@cache
def tool(name: str, *arguments: Any) -> Any:
    """A tool of MolStandardize with RDKit's parameters, made once per process: they do not pickle."""
    from rdkit.Chem.MolStandardize import rdMolStandardize  # for cost: 20 ms at first use, not at import

    with rdBase.BlockLogs():
        return getattr(rdMolStandardize, name)(*arguments)
