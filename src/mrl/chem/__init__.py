"""Molecules as numbers, fingerprints, scaffolds and drawings: functions of a SMILES or an RDKit molecule.

The only room that imports RDKit. Its functions have no state, print nothing, and raise `mrl.errors.MoleculeError` for
what is not a molecule.
"""

from mrl.chem.cleaning import Cleaned, clean
from mrl.chem.composition import elements
from mrl.chem.counts import aromatic_rings, formal_charge, hba, hbd, heavy_atoms, rings, rotbond
from mrl.chem.drawing import draw
from mrl.chem.fingerprints import ECFP4, ECFP6, FCFP4, FCFP6, fp_to_array, morgan_fp
from mrl.chem.molecule import canon_smile, to_mol, to_smile
from mrl.chem.properties import (
    PROPERTIES,
    exact_mass,
    logp,
    molwt,
    qed,
    sa_score,
    tpsa,
)
from mrl.chem.scaffolds import murcko_scaffold, scaffold_groups
from mrl.chem.screening import CanonicalSet, Screened, screen

__all__ = [
    "ECFP4",
    "ECFP6",
    "FCFP4",
    "FCFP6",
    "PROPERTIES",
    "CanonicalSet",
    "Cleaned",
    "Screened",
    "aromatic_rings",
    "canon_smile",
    "clean",
    "draw",
    "elements",
    "exact_mass",
    "formal_charge",
    "fp_to_array",
    "hba",
    "hbd",
    "heavy_atoms",
    "logp",
    "molwt",
    "morgan_fp",
    "murcko_scaffold",
    "qed",
    "rings",
    "rotbond",
    "sa_score",
    "scaffold_groups",
    "screen",
    "to_mol",
    "to_smile",
    "tpsa",
]
