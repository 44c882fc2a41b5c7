"""Steps that reject molecules: by elements, rings and charges, properties, alerts, a set, or a function."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem, rdBase

from mrl.chem.canonical import CanonicalSet
from mrl.chem.cleaning.mcf import MCF
from mrl.chem.cleaning.steps import Row, Step
from mrl.chem.molecule import RDKIT_ERRORS, describe
from mrl.chem.notation.patterns import PatternSet
from mrl.chem.properties import PROPERTIES
from mrl.errors import FeatureError
from mrl.messages import format_names


@dataclass(frozen=True, init=False)
class OnlyElements(Step):
    """Reject molecules with atoms of other elements.

    Parameters
    ----------
    elements : str or iterable of str
        Symbols, in one string with blanks between them or one by one; ``*`` is an attachment point. ``H`` is needed
        only for hydrogens that are atoms (``[2H]``, ``[H][H]``); hydrogen counts are always allowed.

    Raises
    ------
    ValueError
        An unknown element, or no elements.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CCO", "CC[Si]"], [OnlyElements("C N O")]).rejects[0].reason
    'element: Si is not among C, N, O'
    """

    elements: tuple[str, ...]

    def __init__(self, elements: str | Iterable[str]) -> None:
        symbols = tuple(elements.split() if isinstance(elements, str) else elements)
        if unknown := [symbol for symbol in symbols if symbol not in _symbols()]:
            raise ValueError(f"unknown elements: {format_names(unknown)}; expected symbols such as 'C', 'Cl', '*'")
        if not symbols:
            raise ValueError("no elements: every molecule would be rejected; pass at least one symbol")
        object.__setattr__(self, "elements", symbols)

    def __call__(self, row: Row) -> str | None:
        others = row.mol.GetSubstructMatches(_others(self.elements))
        if not others:
            return None
        found = sorted({row.mol.GetAtomWithIdx(i).GetSymbol() for (i,) in others})
        return f"element: {', '.join(found)} {'is' if len(found) == 1 else 'are'} not among {', '.join(self.elements)}"


@dataclass(frozen=True)
class Within(Step):
    """Reject molecules with a property out of bounds.

    Parameters
    ----------
    name : str
        One of `mrl.chem.PROPERTIES`: ``"molwt"`` (g/mol), ``"heavy_atoms"``, ``"rings"``, ``"rotbond"``, ``"logp"``,
        ``"formal_charge"``, ... For another function: `Predicate`.
    least, most : float, optional
        The bounds, which are allowed values; None: no bound.

    Raises
    ------
    ValueError
        An unknown property, no bounds, or no value between them.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CCO", "CCCCCCCC"], [Within("heavy_atoms", 2, 6)]).rejects[0]
    Reject(row=1, text='CCCCCCCC', stage='heavy_atoms', reason='above 6: heavy_atoms is 8')
    """

    name: str
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        if self.name not in PROPERTIES:
            raise ValueError(f"{self.name!r} is not a property; choose one of {', '.join(PROPERTIES)}")
        _check_bounds(self.name, self.least, self.most)

    @property
    def stage(self) -> str:
        return self.name

    def __call__(self, row: Row) -> str | None:
        return _out_of_bounds(self.name, _call(PROPERTIES[self.name], row.mol, self.name, row), self.least, self.most)


@dataclass(frozen=True)
class RingSize(Step):
    """Reject molecules with a ring of more than `most` atoms in the smallest set of smallest rings.

    Parameters
    ----------
    most : int
        3 or more.

    Raises
    ------
    ValueError
        `most` is less than 3.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["C1CCCCC1", "C1CCCCCCC1"], [RingSize(7)]).rejects[0].reason
    'above 7: the largest ring has 8 atoms'
    """

    most: int

    def __post_init__(self) -> None:
        if self.most < 3:
            raise ValueError(f"most={self.most}: expected 3 or more; for no rings at all, Within('rings', most=0)")

    def __call__(self, row: Row) -> str | None:
        size = max(map(len, row.mol.GetRingInfo().AtomRings()), default=0)
        return f"above {self.most}: the largest ring has {size} atoms" if size > self.most else None


@dataclass(frozen=True)
class Neutral(Step):
    """Reject molecules with a charged atom, balanced ones too; for their sum: ``Within("formal_charge", 0, 0)``.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CCO", "C[N+](=O)[O-]"], [Neutral()]).rejects[0].reason
    'charge: N+1, O-1'
    """

    def __call__(self, row: Row) -> str | None:
        if not row.mol.HasSubstructMatch(_pattern("[!+0]")):
            return None
        charges = {(atom.GetSymbol(), atom.GetFormalCharge()) for atom in row.mol.GetAtoms()}
        return f"charge: {', '.join(sorted(f'{symbol}{charge:+d}' for symbol, charge in charges if charge))}"


@dataclass(frozen=True)
class TextLength(Step):
    """Reject rows by the length of their text at this point.

    Parameters
    ----------
    most, least : int, optional
        The bounds, which are allowed values; None: no bound.
    of : callable str -> int
        What to count: characters, or for example tokens, ``lambda text: len(vocab.tokenize(text))`` (defined in a
        module if rows are cleaned in several processes).

    Raises
    ------
    ValueError
        No bounds, or no length between them.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CCO", "CCCCCCCC"], [TextLength(5)]).rejects[0].reason
    'above 5: length is 8'
    """

    most: int | None = None
    least: int | None = None
    of: Callable[[str], int] = len

    needs_molecule: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_bounds("length", self.least, self.most)

    def __call__(self, row: Row) -> str | None:
        return _out_of_bounds("length", _call(self.of, row.text, "length", row), self.least, self.most)


@dataclass(frozen=True, init=False)
class Alerts(Step):
    """Reject molecules with a substructure of a catalogue of alerts: those of RDKit, and the MCF of MOSES.

    MCF: Polykovskiy et al. 2020, doi:10.3389/fphar.2020.565644. PAINS: Baell and Holloway 2010, doi:10.1021/jm901137j.
    BRENK: Brenk et al. 2008, doi:10.1002/cmdc.200700139. NIH: Jadhav et al. 2010, doi:10.1021/jm901070c, and Doveston
    et al. 2015, doi:10.1039/c4ob02287d.

    Parameters
    ----------
    *catalogues : str
        ``"PAINS"``, ``"BRENK"``, ``"NIH"``, or another name of RDKit's ``FilterCatalogParams.FilterCatalogs``;
        ``"MCF"``, the 22 medicinal chemistry filters of MOSES.

    Raises
    ------
    ValueError
        An unknown catalogue, or no catalogue.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["O=C1NC(=S)SC1=Cc1ccccc1", "CCO"], [Alerts("PAINS")]).rejects[0].reason
    'PAINS_A: ene_rhod_A(235)'
    """

    catalogues: tuple[str, ...]

    def __init__(self, *catalogues: str) -> None:
        object.__setattr__(self, "catalogues", catalogues)
        known = _rdkit_catalogues()
        if not catalogues or (unknown := [name for name in catalogues if name not in known and name != "MCF"]):
            wrong = f"unknown catalogues: {format_names(unknown)}" if catalogues else "no catalogues"
            raise ValueError(f"{wrong}; choose from MCF and RDKit's {', '.join(known)}")

    def __call__(self, row: Row) -> str | None:
        alert = find_alert(row.mol, self.catalogues)
        if alert is None:
            return None
        group = alert.GetProp("FilterSet") if "FilterSet" in alert.GetPropList() else self.catalogues[0]
        return f"{group}: {alert.GetDescription()}"


def find_alert(mol: Chem.Mol, catalogues: tuple[str, ...]) -> Any:
    """Return the first entry of the catalogues that a molecule matches, or None."""
    entries, patterns = _catalogue(catalogues)
    return next((entries[i] for i in patterns.candidates(mol) if entries[i].HasFilterMatch(mol)), None)


@dataclass(frozen=True)
class HoldOut(Step):
    """Reject the molecules of a hold-out set.

    They are compared by canonical SMILES as they are at this point: a set with stereo matches nothing after
    `DropStereo`. Clean it by the same steps first: ``HoldOut(clean(test, steps).smiles)``.

    Parameters
    ----------
    known : iterable of str or Mol, or CanonicalSet
        The molecules of the set.

    Raises
    ------
    MoleculeError
        A row of the set is not a molecule; `row` is its number.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["OCC", "CCN"], [HoldOut(["C(C)O"])]).rejects[0].reason
    'held out: CCO'
    >>> HoldOut(["C(C)O"]).to_dict()["molecules"]
    1
    """

    known: Iterable[str] = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", CanonicalSet.of(self.known))

    def __call__(self, row: Row) -> str | None:
        return f"held out: {row.canonical}" if row.canonical in self.known else None

    def to_dict(self) -> dict[str, Any]:
        """Return the number of molecules and a digest of them, for JSON."""
        known = sorted(self.known)
        return {"step": "hold out", "molecules": len(known), "sha256": sha256("\n".join(known).encode()).hexdigest()}


@dataclass(frozen=True)
class Predicate(Step):
    """Reject molecules for which a function returns False. In a list of steps the function alone is enough.

    Parameters
    ----------
    function : callable Mol -> bool
        Defined in a module if rows are cleaned in several processes. It must not edit the molecule.
    name : str, optional
        Its name in counts and rejects; by default that of the function.

    Examples
    --------
    >>> from mrl.chem import clean, tpsa
    >>> clean(["CCO", "CCC"], [Predicate(lambda mol: tpsa(mol) > 0, "polar")]).rejects[0]
    Reject(row=1, text='CCC', stage='polar', reason='polar: False')
    """

    function: Callable[[Chem.Mol], bool]
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            name = getattr(self.function, "__name__", type(self.function).__name__)
            object.__setattr__(self, "name", name)

    @property
    def stage(self) -> str:
        return self.name

    def __call__(self, row: Row) -> str | None:
        answer: object = _call(self.function, row.mol, self.name, row)
        if not isinstance(answer, bool | np.bool_):
            reason = f"it returned {describe(answer)} ({type(answer).__name__}), expected True or False"
            raise FeatureError(f"{self.name} of {describe(row.text)}: {reason}", text=row.text, reason=reason)
        return None if answer else f"{self.name}: False"


def _check_bounds(name: str, least: float | None, most: float | None) -> None:
    if least is None and most is None:
        raise ValueError(f"{name} has no bounds: pass `least`, `most` or both")
    if not (-math.inf if least is None else least) <= (math.inf if most is None else most):
        raise ValueError(f"no {name} is at least {least} and at most {most}")


def _out_of_bounds(name: str, value: float, least: float | None, most: float | None) -> str | None:
    if least is not None and not value >= least:  # NaN is out of any bounds
        return f"below {least:.10g}: {name} is {value:.10g}"
    if most is not None and not value <= most:
        return f"above {most:.10g}: {name} is {value:.10g}"
    return None


def _call(function: Callable[[Any], Any], x: Any, name: str, row: Row) -> Any:
    """Call a user's function; an error gets its name and the molecule."""
    try:
        return function(x)
    except FeatureError:
        raise
    except Exception as error:  # a user's function may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise FeatureError(f"{name} failed on {describe(row.text)}: {reason}", text=row.text, reason=reason) from error


@cache
def _pattern(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


@cache
def _symbols() -> dict[str, int]:
    table = Chem.GetPeriodicTable()
    return {table.GetElementSymbol(number): number for number in range(119)}


@cache
def _others(elements: tuple[str, ...]) -> Chem.Mol:
    """A pattern for one atom of any other element."""
    return _pattern(f"[{'&'.join(f'!#{_symbols()[symbol]}' for symbol in elements)}]")


def _rdkit_catalogues() -> Mapping[str, Any]:
    """RDKit's catalogues by name."""
    from rdkit.Chem import FilterCatalog  # for cost: 10 ms at first use, not at import

    catalogues: Mapping[str, Any] = FilterCatalog.FilterCatalogParams.FilterCatalogs.names
    return catalogues


@cache
def _catalogue(names: tuple[str, ...]) -> tuple[list[Any], PatternSet]:
    """The entries of the catalogues, and their patterns: made once per process, at the first molecule (0.2 s)."""
    from rdkit.Chem import FilterCatalog

    known = _rdkit_catalogues()
    with rdBase.BlockLogs():
        params = FilterCatalog.FilterCatalogParams()
        for name in names:
            if name != "MCF":
                params.AddCatalog(known[name])
        catalogue = FilterCatalog.FilterCatalog(params)
        for place, smarts in enumerate(MCF.split() if "MCF" in names else (), 1):
            pattern = Chem.MergeQueryHs(Chem.MolFromSmarts(smarts))
            matcher = FilterCatalog.SmartsMatcher(f"MCF{place}", pattern)
            entry = FilterCatalog.FilterCatalogEntry(f"MCF{place}", matcher)
            entry.SetProp("FilterSet", "MCF")
            catalogue.AddEntry(entry)
        entries = [catalogue.GetEntryWithIdx(place) for place in range(catalogue.GetNumEntries())]
        return entries, PatternSet([_entry_pattern(entry) for entry in entries])


def _entry_pattern(entry: Any) -> Chem.Mol | None:
    """The pattern of an entry, which RDKit shows in its serialised form only; None if it is not there."""
    name = entry.GetDescription().encode()
    _, mark, rest = entry.Serialize().partition(b" %d %b " % (len(name), name))
    size, _, data = rest.partition(b" ")
    if not (mark and size.isdigit()):
        return None
    try:
        return Chem.Mol(data[: int(size)])
    except RDKIT_ERRORS:
        return None
