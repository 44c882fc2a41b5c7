"""The cleaning of well-known systems, as steps."""

from __future__ import annotations

from functools import cache

from rdkit import Chem

from mrl.chem.cleaning.components import LargestFragment
from mrl.chem.cleaning.filters import Alerts, Neutral, OnlyElements, Predicate, RingSize, TextLength, Within
from mrl.chem.cleaning.standardize import (
    Canonical,
    DropAtomMaps,
    DropIsotopes,
    DropStereo,
    Normalize,
    Reionize,
    StripTail,
    Uncharge,
)
from mrl.chem.cleaning.steps import Step


def preset(name: str) -> tuple[Step, ...]:
    """Return the steps of a well-known system, to be used alone or with others in front and after.

    All but ``none`` remove what follows after a blank (`StripTail`) and write canonical SMILES of this RDKit. They
    follow the programs that these teams published, and differ where it is said. Everywhere a molecule that a step
    cannot process stays and is counted, where the programs remove it. Duplicates are an argument of `clean`, not a
    step: the programs remove repeated texts.

    Parameters
    ----------
    name : str
        ``none``: rows that are molecules, their texts unchanged.

        ``moses``: no ring of 8 or more, no charged atom, C N S O F Cl Br H only, no alert of MCF and PAINS, no stereo
        and no isotopes (moses/metrics/utils.py); and what the paper selected from ZINC with: weight 250 to 350, 7
        rotatable bonds or fewer, logP 3.5 or less (Polykovskiy et al. 2020, doi:10.3389/fphar.2020.565644).
        Differences: logP is Crippen's, in ZINC it is XlogP. PAINS are those of RDKit's catalogue; 13 of 4,997 molecules
        pass or fail otherwise by the list of MOSES, most of them phenothiazines. Deuterium becomes hydrogen, there it
        stays ``[H]``.

        ``guacamol``: texts of 5 to 200 characters, of these the longest fragment as it is written (the first of
        several), H B C N O F Si P S Cl Se Br I only, no stereo and no isotopes, then 100 characters or fewer, and
        neutralised if plus and minus signs differ in number (Brown et al. 2019, doi:10.1021/acs.jcim.8b00839;
        guacamol/data/get_data.py). Differences: the whole text must be a molecule, not only its longest fragment;
        charges are neutralised by RDKit's Uncharger, which leaves as many as there are charges without hydrogens to
        balance (``[n+]`` beside ``S(=O)(=O)[O-]``), there by nine replacements, which leave phosphates, anilides and
        perchlorates; deuterium becomes hydrogen, there it stays ``[H]``; aromatic silicon stays. Not included: removing
        molecules that resemble ten marketed drugs (a `Predicate`, a `HoldOut`).

        ``reinvent``: no halogen that needs brackets (a charge, an isotope, a radical, ``[IH2]``), no isotopes, no atom
        maps; C O N S F Cl Br I only, 2 to 90 heavy atoms, two or more carbon atoms, weight without hydrogens 1200 or
        less; then the largest fragment by all atoms, normalised by RDKit's table, 12 rings or fewer, no ring of 8 or
        more, uncharged, reionised (REINVENT 4, Loeffler et al. 2024, doi:10.1186/s13321-024-00812-5; the defaults of
        reinvent/datapipeline). As there, elements and sizes are those of all fragments, so that a sodium salt is
        removed, while stereo stays. Differences: the program reads tokens, which loses the charge of an atom with an
        isotope (``[15NH2+]``), keeps ``*``, rejects ``[H]`` and every text with a bracketed halogen, neutral ones as
        well. It normalises by RDKit's call in place, before rings are aromatic: mesoionic molecules
        (``C[n+]1cc([O-])on1``) end as others, and a few cations of rings (``CC1=C[N+](C)=CN1``) in another form.

        ``molformer``: 211 characters or fewer, otherwise unchanged (Ross et al. 2022, doi:10.1038/s42256-022-00580-7,
        after canonicalisation). The program leaves out texts of one token, and of 202 or more, instead; its fine-tuning
        drops stereo and isotopes: ``(*preset("molformer"), DropStereo(), DropIsotopes())``.

    Returns
    -------
    tuple of Step

    Raises
    ------
    ValueError
        An unknown preset.

    Examples
    --------
    >>> preset("molformer")[1:]
    (Canonical(), TextLength(most=211, least=None, of=<built-in function len>))
    """
    presets = _presets()
    if name not in presets:
        raise ValueError(f"{name!r} is not a preset; choose one of {', '.join(presets)}, or pass a list of steps")
    return presets[name]


def has_plain_halogens(mol: Chem.Mol) -> bool:
    """Return whether no halogen needs brackets in SMILES, its atom map apart."""
    return not any(
        atom.GetAtomicNum() in _HALOGENS
        and (
            atom.GetFormalCharge()
            or atom.GetIsotope()
            or atom.GetNumRadicalElectrons()
            or (atom.GetDegree() and atom.GetTotalNumHs())
        )
        for atom in mol.GetAtoms()
    )


def has_two_carbons(mol: Chem.Mol) -> bool:
    """Return whether a molecule has at least two carbon atoms."""
    return sum(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms()) >= 2


def weighs_at_most_1200(mol: Chem.Mol) -> bool:
    """Return whether the weight without hydrogens, in g/mol, is 1200 or less."""
    table = Chem.GetPeriodicTable()
    return sum(table.GetAtomicWeight(atom.GetAtomicNum()) for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1) <= 1200


MOSES_FILTERS: tuple[Step, ...] = (RingSize(7), Neutral(), OnlyElements("C N S O F Cl Br H"))
"""What MOSES requires of a molecule, apart from its properties and `moses_alerts`."""


@cache
def moses_alerts() -> Alerts:
    """Return the step that rejects the alerts of MOSES."""
    return Alerts("MCF", "PAINS")


_HALOGENS = frozenset({9, 17, 35, 53})


@cache
def _presets() -> dict[str, tuple[Step, ...]]:
    return {
        "none": (),
        "moses": (
            StripTail(stereo_groups="drop"),
            *MOSES_FILTERS,
            Within("molwt", 250, 350),
            Within("rotbond", most=7),
            Within("logp", most=3.5),
            moses_alerts(),
            DropStereo(),
            DropIsotopes(),
            Canonical(),
        ),
        "guacamol": (
            StripTail(stereo_groups="drop"),
            TextLength(200, least=5),
            LargestFragment(by="text"),
            OnlyElements("H B C N O F Si P S Cl Se Br I"),
            DropStereo(),
            DropIsotopes(),
            Canonical(),
            TextLength(100),
            Uncharge(only_unbalanced=True),
        ),
        "reinvent": (
            StripTail(),
            Predicate(has_plain_halogens, "plain halogens"),
            DropIsotopes(),
            DropAtomMaps(),
            OnlyElements("C O N S F Cl Br I"),
            Within("heavy_atoms", 2, 90),
            Predicate(has_two_carbons, "two carbon atoms"),
            Predicate(weighs_at_most_1200, "weight without hydrogens"),
            LargestFragment(by="atoms"),
            Normalize(rdkit_only=True),
            Within("rings", most=12),
            RingSize(7),
            Uncharge(),
            Reionize(),
            Canonical(),
        ),
        "molformer": (StripTail(), Canonical(), TextLength(211)),
    }
