"""`properties`: sets of molecules compared, one figure for each property."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mrl.chem import Descriptors, title_and_unit
from mrl.features import featurize
from mrl.messages import format_count
from mrl.report.distributions import distributions
from mrl.report.gallery import choose_rows
from mrl.report.molecules import smiles_or_empty
from mrl.report.picture import Picture
from mrl.report.rows import MoleculeRows


def properties(
    sets: object, names: str | Sequence[str] = ("molwt", "logp", "tpsa", "qed"), *, n: int = 2000, seed: int = 0
) -> Picture:
    """Draw the distributions of properties in one or several sets of molecules.

    Parameters
    ----------
    sets : dataset, Table, column of str; or dict of str to one of these
        The sets by name, such as ``{"train": train, "generated": samples}``. The outline of the first one is repeated
        in the others.
    names : str or sequence of str
        Names of `mrl.chem.PROPERTIES`, or of RDKit's descriptors.
    n : int
        The most rows of a set to compute properties of, at about a millisecond each.
    seed : int
        Chooses these rows where a set has more.

    Returns
    -------
    Picture
        One figure for each property, with the n and the mean of each set. Invalid molecules are counted as n/a.

    Raises
    ------
    ValueError
        There is no property of a name; the message has similar names.
    TypeError
        A set holds no molecules.

    Examples
    --------
    >>> picture = properties({"train": ["CCO", "CCN"], "generated": ["CCCl", "C("]}, ["logp"])
    >>> picture.cells[0].label
    'Distribution of logP. train: 2 values, mean −0.018, from −0.035 to −0.0014. generated: 1 value, mean 1.25, from \
1.25 to 1.25, 1 without a value.'
    """
    function = Descriptors([names] if isinstance(names, str) else names)
    groups: Mapping[object, object] = sets if isinstance(sets, Mapping) else {"data": sets}
    values, sampled = {}, []
    for name, data in groups.items():
        for group, texts, sample in _texts(str(name), data, n, seed):
            values[group] = featurize(texts, function, on_error="mask", size=len(function), on_nonfinite="keep").dense()
            sampled += [f"{sample} of {group}"] if sample else []
    figures = []
    for i, name in enumerate(function.names):
        title, unit = title_and_unit(name)
        figures.append(distributions(title, {group: vectors[:, i] for group, vectors in values.items()}, unit=unit))
    note = f"computed of {', '.join(sampled)}, drawn at random with seed {seed}" if sampled else ""
    return Picture(f"Properties of {', '.join(values) or 'nothing'}", note, tuple(figures), 2)


def _texts(name: str, data: object, n: int, seed: int) -> Iterator[tuple[str, list[str], str]]:
    """Yield the name and texts of a set, of two sets for pairs; and how many rows they are, if not all."""
    source = MoleculeRows.of(data)
    rows = choose_rows(len(source), n, seed)
    sample = f"{len(rows):,} of {format_count(len(source), source.noun)}" if len(rows) < len(source) else ""
    for column, texts in source.texts.items():
        found = [texts[row] for row in rows]
        flat = [text for block in found for text in block] if source.noun == "block" else found
        yield (f"{name} {column}" if len(source.texts) > 1 else name), [smiles_or_empty(x) for x in flat], sample
