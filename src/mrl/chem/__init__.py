"""Molecules as numbers, fingerprints, scaffolds, fragments and drawings; cleaning and evaluation of many molecules.

Everything is a function of a SMILES or an RDKit molecule, or of a column of these; no other package imports RDKit. The
functions have no state, print nothing, and raise `mrl.errors.MoleculeError` for an invalid molecule.
"""

from mrl.chem.canonical import CanonicalSet, canonical_groups
from mrl.chem.cleaning.clean import clean, clean_rows, deduplicate
from mrl.chem.cleaning.components import DisconnectMetals, LargestFragment, RejectMixtures, RemoveSalts
from mrl.chem.cleaning.duplicates import Duplicates, merge_labels
from mrl.chem.cleaning.filters import Alerts, HoldOut, Neutral, OnlyElements, Predicate, RingSize, TextLength, Within
from mrl.chem.cleaning.presets import preset
from mrl.chem.cleaning.result import Cleaned, Example, StepCount
from mrl.chem.cleaning.salts import SALTS
from mrl.chem.cleaning.standardize import (
    Canonical,
    CanonicalTautomer,
    DropAtomMaps,
    DropIsotopes,
    DropStereo,
    Normalize,
    Reionize,
    StripTail,
    Uncharge,
)
from mrl.chem.cleaning.steps import Row, Step
from mrl.chem.descriptors import Descriptors
from mrl.chem.design.counts import count_bits, profile
from mrl.chem.design.crossover import crossover
from mrl.chem.design.measures import (
    ElementCount,
    FormulaMatch,
    HasAlert,
    Measure,
    SimilarityTo,
    Substructure,
    bertz_complexity,
)
from mrl.chem.design.mutation import mutate
from mrl.chem.drawing import ATOM_COLORS, draw_molecule, draw_png
from mrl.chem.evaluation.add_carbon import add_carbon
from mrl.chem.evaluation.evaluate import evaluate
from mrl.chem.evaluation.facts import MoleculeFacts, molecule_facts
from mrl.chem.evaluation.kl_divergence import KLDivergence, kl_divergence
from mrl.chem.evaluation.leakage import Leaks, leaks
from mrl.chem.evaluation.metrics import Metric, Metrics
from mrl.chem.evaluation.screening import Screened, screen
from mrl.chem.fingerprints import ECFP4, ECFP6, FCFP4, FCFP6, Fingerprint, fp_to_array, morgan_fp
from mrl.chem.fragments import Fragments, attachment_points, fragment, fuse
from mrl.chem.molecule import canon_smile, to_mol, to_smile
from mrl.chem.notation.mol_blocks import mol_block_smiles
from mrl.chem.notation.tails import Stripped, strip_tail
from mrl.chem.packing import pack_fingerprints
from mrl.chem.properties import (
    PROPERTIES,
    aromatic_rings,
    elements,
    exact_mass,
    formal_charge,
    hba,
    hbd,
    heavy_atoms,
    logp,
    molwt,
    qed,
    rings,
    rotbond,
    sa_score,
    title_and_unit,
    tpsa,
)
from mrl.chem.randomize import randomize
from mrl.chem.safe import from_safe, shuffle_safe, to_safe
from mrl.chem.scaffolds import murcko_scaffold, scaffold_groups
from mrl.chem.similarity import cluster_groups, internal_diversity, nearest_neighbours, tanimoto

__all__ = [
    "ATOM_COLORS",
    "ECFP4",
    "ECFP6",
    "FCFP4",
    "FCFP6",
    "PROPERTIES",
    "SALTS",
    "Alerts",
    "Canonical",
    "CanonicalSet",
    "CanonicalTautomer",
    "Cleaned",
    "Descriptors",
    "DisconnectMetals",
    "DropAtomMaps",
    "DropIsotopes",
    "DropStereo",
    "Duplicates",
    "ElementCount",
    "Example",
    "Fingerprint",
    "FormulaMatch",
    "Fragments",
    "HasAlert",
    "HoldOut",
    "KLDivergence",
    "LargestFragment",
    "Leaks",
    "Measure",
    "Metric",
    "Metrics",
    "MoleculeFacts",
    "Neutral",
    "Normalize",
    "OnlyElements",
    "Predicate",
    "Reionize",
    "RejectMixtures",
    "RemoveSalts",
    "RingSize",
    "Row",
    "Screened",
    "SimilarityTo",
    "Step",
    "StepCount",
    "StripTail",
    "Stripped",
    "Substructure",
    "TextLength",
    "Uncharge",
    "Within",
    "add_carbon",
    "aromatic_rings",
    "attachment_points",
    "bertz_complexity",
    "canon_smile",
    "canonical_groups",
    "clean",
    "clean_rows",
    "cluster_groups",
    "count_bits",
    "crossover",
    "deduplicate",
    "draw_molecule",
    "draw_png",
    "elements",
    "evaluate",
    "exact_mass",
    "formal_charge",
    "fp_to_array",
    "fragment",
    "from_safe",
    "fuse",
    "hba",
    "hbd",
    "heavy_atoms",
    "internal_diversity",
    "kl_divergence",
    "leaks",
    "logp",
    "merge_labels",
    "mol_block_smiles",
    "molecule_facts",
    "molwt",
    "morgan_fp",
    "murcko_scaffold",
    "mutate",
    "nearest_neighbours",
    "pack_fingerprints",
    "preset",
    "profile",
    "qed",
    "randomize",
    "rings",
    "rotbond",
    "sa_score",
    "scaffold_groups",
    "screen",
    "shuffle_safe",
    "strip_tail",
    "tanimoto",
    "title_and_unit",
    "to_mol",
    "to_safe",
    "to_smile",
    "tpsa",
]
