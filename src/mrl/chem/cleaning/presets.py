"""The cleaning of well-known systems, as steps."""

from __future__ import annotations

from functools import cache

from mrl.chem.cleaning.filters import Neutral, OnlyElements, RingSize, TextLength, Within
from mrl.chem.cleaning.standardize import (
    Canonical,
    DropAtomMaps,
    DropStereo,
    LargestFragment,
    Normalize,
    StripTail,
    Uncharge,
)
from mrl.chem.cleaning.steps import Step


def preset(name: str) -> tuple[Step, ...]:
    """Return the steps of a well-known system, to be used alone or with others in front and after.

    All but ``none`` remove what follows after a blank (`StripTail`) and write canonical SMILES of this RDKit.
    Duplicates are an argument of `clean`, not a step.

    Parameters
    ----------
    name : str
        ``none``: rows that are molecules, their texts unchanged.

        ``moses``: C N S O F Cl Br H only, no charged atom, no ring of 8 or more, weight 250 to 350, 7 rotatable bonds
        or fewer, logP 3.5 or less, no stereo (Polykovskiy et al. 2020, doi:10.3389/fphar.2020.565644). The paper takes
        XlogP from ZINC's Clean Leads; here logP is Crippen's. Not included: the medicinal chemistry filters (MCF), of
        which RDKit has no list, and PAINS, ``(*preset("moses"), Alerts("PAINS"))``. Isotopes stay here and in
        ``guacamol``; without them: ``(StripTail(), DropIsotopes(), *preset("moses"))``.

        ``guacamol``: largest fragment, H B C N O F Si P S Cl Se Br I only, neutralised, no stereo, 100 characters or
        fewer (Brown et al. 2019, doi:10.1021/acs.jcim.8b00839). Neutralised by RDKit's Uncharger, in the paper by a
        list of reactions. Not included: removing molecules that resemble ten marketed drugs (a `Predicate`), and texts
        of more than 200 characters, before cleaning.

        ``reinvent``: no atom maps, largest fragment, normalised, uncharged, 2 to 90 heavy atoms, weight 1200 or less,
        12 rings or fewer, no ring of 8 or more; stereo and isotopes stay (REINVENT 4, Loeffler et al. 2024,
        doi:10.1186/s13321-024-00812-5). Not included: its user's list of elements (`OnlyElements`), at least two carbon
        atoms, metals disconnected.

        ``molformer``: 211 characters or fewer, otherwise unchanged (Ross et al. 2022, doi:10.1038/s42256-022-00580-7).

    Returns
    -------
    tuple of Step

    Raises
    ------
    ValueError
        An unknown preset.

    Examples
    --------
    >>> preset("molformer")
    (StripTail(), Canonical(), TextLength(most=211, least=None, of=<built-in function len>))
    """
    presets = _presets()
    if name not in presets:
        raise ValueError(f"{name!r} is not a preset; choose one of {', '.join(presets)}, or pass a list of steps")
    return presets[name]


@cache
def _presets() -> dict[str, tuple[Step, ...]]:
    return {
        "none": (),
        "moses": (
            StripTail(),
            OnlyElements("C N S O F Cl Br H"),
            Neutral(),
            RingSize(7),
            Within("molwt", 250, 350),
            Within("rotbond", most=7),
            Within("logp", most=3.5),
            DropStereo(),
            Canonical(),
        ),
        "guacamol": (
            StripTail(),
            LargestFragment(),
            OnlyElements("H B C N O F Si P S Cl Se Br I"),
            Uncharge(),
            DropStereo(),
            Canonical(),
            TextLength(100),
        ),
        "reinvent": (
            StripTail(),
            DropAtomMaps(),
            LargestFragment(),
            Normalize(),
            Uncharge(),
            Within("heavy_atoms", 2, 90),
            Within("molwt", most=1200),
            Within("rings", most=12),
            RingSize(7),
            Canonical(),
        ),
        "molformer": (StripTail(), Canonical(), TextLength(211)),
    }
