"""The tasks of Practical Molecular Optimization that RDKit alone can score, as scores.

Gao et al., NeurIPS 2022 (arXiv:2206.12411); most tasks are from GuacaMol, Brown et al. 2019
(doi:10.1021/acs.jcim.8b00839), as the Therapeutics Data Commons defines them. Four of them were corrected in 2022;
their older definitions have names that end in ``_first``. drd2, gsk3b and jnk3 need trained models and are not here.
"""

from __future__ import annotations

from collections.abc import Callable

from mrl.chem import (
    ElementCount,
    FormulaMatch,
    SimilarityTo,
    Substructure,
    aromatic_rings,
    bertz_complexity,
    logp,
    qed,
    rings,
    tpsa,
)
from mrl.loop.scores.functions import Function
from mrl.loop.scores.score import Component, Score
from mrl.loop.scores.transforms import Gaussian, Identity, Linear, Step, Transform
from mrl.messages import did_you_mean

_ALBUTEROL = "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1"
_AMLODIPINE = "Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\\C(=O)OC"
_CAMPHOR = "CC1(C)C2CCC1(C)C(=O)C2"
_CELECOXIB = "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"
_FEXOFENADINE = "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4"
_HOP = "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C"
_MENTHOL = "CC(C)C1CCC(C)CC1O"
_MESTRANOL = "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1"
_OSIMERTINIB = "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34"
_PERINDOPRIL = "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC"
_RANOLAZINE = "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2"
_SILDENAFIL = "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C"
_SITAGLIPTIN = "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F"
_TADALAFIL = "O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C"
_THIOTHIXENE = "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1"
_TROGLITAZONE = "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O"
_ZALEPLON = "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1"

_SAME, _PRESENT, _ABSENT = Identity(), Step(low=1), Step(high=0)
_HOP_SCAFFOLD = "[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12"
_HOP_DECORATION = "[#7]-c1ccc2ncsc2c1"
_HOP_CHAIN = "[#6]-[#6]-[#6]-[#8]-[#6]~[#6]~[#6]~[#6]~[#6]-[#7]-c1ccc2ncsc2c1"


def task(name: str) -> Score:
    """Return the score of a task.

    Parameters
    ----------
    name : str
        One of `TASKS`, or of the four older definitions: ``"isomers_c7h8n2o2_first"``,
        ``"isomers_c9h10n2o2pf2cl_first"``, ``"sitagliptin_mpo_first"``, ``"zaleplon_mpo_first"``.

    Returns
    -------
    Score
        Between 0 and 1, more is better.

    Raises
    ------
    ValueError
        There is no such task.

    Examples
    --------
    >>> task("celecoxib_rediscovery")(["Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"]).scores
    array([1.])
    """
    known = {**_DEFINITIONS, **_FIRST}
    if name not in known:
        raise ValueError(f"{name!r} is not a task{did_you_mean(name, known)}; choose one of {', '.join(known)}")
    return known[name]()


def _one(name: str, function: Function, transform: Transform = _SAME) -> Callable[[], Score]:
    return lambda: Score([Component(name, function, transform)])


def _mean(aggregate: str, **parts: tuple[Function, Transform]) -> Callable[[], Score]:
    components = tuple(Component(name, *part) for name, part in parts.items())
    return lambda: Score(components, "arithmetic" if aggregate == "arithmetic" else "geometric")


def _similar(target: str, fingerprint: str, transform: Transform = _SAME) -> tuple[Function, Transform]:
    return SimilarityTo(target, fingerprint), transform


def _sitagliptin(first: bool) -> Callable[[], Score]:
    return lambda: _mean(
        "geometric",
        dissimilarity=_similar(_SITAGLIPTIN, "ecfp4", Gaussian(0, 0.1)),
        logp=(logp, Gaussian(logp(_SITAGLIPTIN), 0.2)),
        tpsa=(tpsa, Gaussian(tpsa(_SITAGLIPTIN), 5)),
        formula=(FormulaMatch("C16H15F6N5O", first), Identity()),
    )()


def _zaleplon(first: bool) -> Callable[[], Score]:
    return lambda: _mean(
        "geometric",
        similarity=_similar(_ZALEPLON, "ecfp4"),
        formula=(FormulaMatch("C19H17N3O2", first), Identity()),
    )()


def _valsartan() -> Score:
    return _mean(
        "geometric",
        substructure=(Substructure("CN(C=O)Cc1ccc(c2ccccc2)cc1"), _PRESENT),
        tpsa=(tpsa, Gaussian(tpsa(_SITAGLIPTIN), 5)),
        logp=(logp, Gaussian(logp(_SITAGLIPTIN), 0.2)),
        complexity=(bertz_complexity, Gaussian(bertz_complexity(_SITAGLIPTIN), 30)),
    )()


_DEFINITIONS: dict[str, Callable[[], Score]] = {
    "albuterol_similarity": _one("similarity", SimilarityTo(_ALBUTEROL, "fcfp4"), Linear(0, 0.75)),
    "amlodipine_mpo": _mean("geometric", similarity=_similar(_AMLODIPINE, "ecfp4"), rings=(rings, Gaussian(3, 0.5))),
    "celecoxib_rediscovery": _one("similarity", SimilarityTo(_CELECOXIB)),
    "deco_hop": _mean(
        "arithmetic",
        similarity=_similar(_HOP, "pharmacophore", Linear(0, 0.85)),
        no_sulfone=(Substructure("CS([#6])(=O)=O"), _ABSENT),
        no_decoration=(Substructure(_HOP_DECORATION), _ABSENT),
        scaffold=(Substructure(_HOP_SCAFFOLD), _PRESENT),
    ),
    "fexofenadine_mpo": _mean(
        "geometric",
        tpsa=(tpsa, Gaussian(90, 10, "below")),
        logp=(logp, Gaussian(4, 1, "above")),
        similarity=_similar(_FEXOFENADINE, "atompair", Linear(0, 0.8)),
    ),
    "isomers_c7h8n2o2": _one("formula", FormulaMatch("C7H8N2O2")),
    "isomers_c9h10n2o2pf2cl": _one("formula", FormulaMatch("C9H10N2O2PF2Cl")),
    "median1": _mean("geometric", camphor=_similar(_CAMPHOR, "ecfp4"), menthol=_similar(_MENTHOL, "ecfp4")),
    "median2": _mean("geometric", tadalafil=_similar(_TADALAFIL, "ecfp6"), sildenafil=_similar(_SILDENAFIL, "ecfp6")),
    "mestranol_similarity": _one("similarity", SimilarityTo(_MESTRANOL, "atompair"), Linear(0, 0.75)),
    "osimertinib_mpo": _mean(
        "geometric",
        tpsa=(tpsa, Gaussian(100, 10, "below")),
        logp=(logp, Gaussian(1, 1, "above")),
        similarity=_similar(_OSIMERTINIB, "fcfp4", Linear(0, 0.8)),
        dissimilarity=_similar(_OSIMERTINIB, "ecfp6", Gaussian(0.85, 0.1, "above")),
    ),
    "perindopril_mpo": _mean(
        "geometric",
        similarity=_similar(_PERINDOPRIL, "ecfp4"),
        aromatic_rings=(aromatic_rings, Gaussian(2, 0.5)),
    ),
    "qed": _one("qed", qed),
    "ranolazine_mpo": _mean(
        "geometric",
        tpsa=(tpsa, Gaussian(95, 20, "below")),
        logp=(logp, Gaussian(7, 1, "below")),
        similarity=_similar(_RANOLAZINE, "atompair", Linear(0, 0.7)),
        fluorine=(ElementCount("F"), Gaussian(1, 1)),
    ),
    "scaffold_hop": _mean(
        "arithmetic",
        similarity=_similar(_HOP, "pharmacophore", Linear(0, 0.75)),
        decoration=(Substructure(_HOP_CHAIN), _PRESENT),
        no_scaffold=(Substructure(_HOP_SCAFFOLD), _ABSENT),
    ),
    "sitagliptin_mpo": _sitagliptin(first=False),
    "thiothixene_rediscovery": _one("similarity", SimilarityTo(_THIOTHIXENE)),
    "troglitazone_rediscovery": _one("similarity", SimilarityTo(_TROGLITAZONE)),
    "valsartan_smarts": _valsartan,
    "zaleplon_mpo": _zaleplon(first=False),
}

_FIRST: dict[str, Callable[[], Score]] = {
    "isomers_c7h8n2o2_first": _one("formula", FormulaMatch("C7H8N2O2", first=True)),
    "isomers_c9h10n2o2pf2cl_first": _one("formula", FormulaMatch("C9H10N2O2PF2Cl", first=True)),
    "sitagliptin_mpo_first": _sitagliptin(first=True),
    "zaleplon_mpo_first": _zaleplon(first=True),
}

TASKS = tuple(_DEFINITIONS)
"""The names of the 20 tasks."""
