"""Molecules as numbers, fingerprints, scaffolds and drawings: functions of a SMILES or an RDKit molecule.

The only room that imports RDKit. Its functions have no state, print nothing, and raise `mrl.errors.MoleculeError` for
what is not a molecule.
"""

from mrl.chem.cleaned import Cleaned, StepCount
from mrl.chem.cleaning import clean, clean_rows, deduplicate
from mrl.chem.clusters import cluster_groups
from mrl.chem.composition import elements
from mrl.chem.control import add_carbon
from mrl.chem.counts import aromatic_rings, formal_charge, hba, hbd, heavy_atoms, rings, rotbond
from mrl.chem.descriptors import Descriptors
from mrl.chem.drawing import draw
from mrl.chem.duplicates import Duplicates
from mrl.chem.evaluation import evaluate
from mrl.chem.filters import Alerts, HoldOut, Neutral, OnlyElements, Predicate, RingSize, TextLength, Within
from mrl.chem.fingerprints import ECFP4, ECFP6, FCFP4, FCFP6, Fingerprint, fp_to_array, morgan_fp
from mrl.chem.fragments import Fragments, attachment_points, fragment, fuse
from mrl.chem.leaks import Leaks, leaks
from mrl.chem.metrics import Metric, Metrics
from mrl.chem.molecule import canon_smile, to_mol, to_smile
from mrl.chem.presets import preset
from mrl.chem.properties import (
    PROPERTIES,
    exact_mass,
    logp,
    molwt,
    qed,
    sa_score,
    tpsa,
)
from mrl.chem.randomizing import randomized
from mrl.chem.scaffolds import canonical_groups, murcko_scaffold, scaffold_groups
from mrl.chem.screening import CanonicalSet, Screened, screen
from mrl.chem.similarity import nearest_neighbours, packed_bits, tanimoto
from mrl.chem.standardize import (
    Canonical,
    CanonicalTautomer,
    DropAtomMaps,
    DropIsotopes,
    DropStereo,
    LargestFragment,
    Normalize,
    Reionize,
    StripTail,
    Uncharge,
)
from mrl.chem.steps import Row, Step

__all__ = [
    "ECFP4",
    "ECFP6",
    "FCFP4",
    "FCFP6",
    "PROPERTIES",
    "Alerts",
    "Canonical",
    "CanonicalSet",
    "CanonicalTautomer",
    "Cleaned",
    "Descriptors",
    "DropAtomMaps",
    "DropIsotopes",
    "DropStereo",
    "Duplicates",
    "Fingerprint",
    "Fragments",
    "HoldOut",
    "LargestFragment",
    "Leaks",
    "Metric",
    "Metrics",
    "Neutral",
    "Normalize",
    "OnlyElements",
    "Predicate",
    "Reionize",
    "RingSize",
    "Row",
    "Screened",
    "Step",
    "StepCount",
    "StripTail",
    "TextLength",
    "Uncharge",
    "Within",
    "add_carbon",
    "aromatic_rings",
    "attachment_points",
    "canon_smile",
    "canonical_groups",
    "clean",
    "clean_rows",
    "cluster_groups",
    "deduplicate",
    "draw",
    "elements",
    "evaluate",
    "exact_mass",
    "formal_charge",
    "fp_to_array",
    "fragment",
    "fuse",
    "hba",
    "hbd",
    "heavy_atoms",
    "leaks",
    "logp",
    "molwt",
    "morgan_fp",
    "murcko_scaffold",
    "nearest_neighbours",
    "packed_bits",
    "preset",
    "qed",
    "randomized",
    "rings",
    "rotbond",
    "sa_score",
    "scaffold_groups",
    "screen",
    "tanimoto",
    "to_mol",
    "to_smile",
    "tpsa",
]
