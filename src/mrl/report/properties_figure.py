"""`properties`: how sets of molecules compare, one distribution for each property."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from mrl.chem import Descriptors
from mrl.features import featurize
from mrl.report.canvas import WIDTH
from mrl.report.distributions import property_distribution
from mrl.report.picture import Cell, Picture
from mrl.report.showing import chosen
from mrl.report.sources import source_of, spelled
from mrl.report.words import name_and_unit, number

__all__ = ["properties"]


def properties(
    sets: Any, names: Sequence[str] = ("molwt", "logp", "tpsa", "qed"), *, n: int = 2000, seed: int = 0
) -> Picture:
    """Draw how properties are distributed in one or several sets of molecules.

    Parameters
    ----------
    sets : data set, Table, column of str; or dict of str to one of these
        The sets by name, such as ``{"train": train, "generated": samples}``. The first one's outline is repeated
        behind the others.
    names : sequence of str
        Names of `mrl.chem.PROPERTIES`, or of RDKit's descriptors.
    n : int
        The most rows of a set that properties are computed of, at about a millisecond each.
    seed : int
        Draws them where a set has more.

    Returns
    -------
    Picture
        One drawing for each property, with the n and the mean of each set. What is no molecule is counted as n/a.

    Raises
    ------
    ValueError
        There is no property of a name; the message has those that are close.
    TypeError
        There are no molecules in a set.

    Examples
    --------
    >>> picture = properties({"train": ["CCO", "CCN"], "generated": ["CCCl", "C("]}, ["logp"])
    >>> picture.cells[0].label
    'Distribution of logP. train: 2 values, mean −0.018, from −0.035 to −0.0014. generated: 1 values, mean 1.25, from \
1.25 to 1.25, 1 without a value.'
    """
    function = Descriptors([names] if isinstance(names, str) else names)
    groups = dict(sets) if isinstance(sets, Mapping) else {"data": sets}
    values, cut = {}, []
    for name, data in groups.items():
        for group, texts, some in _texts(str(name), data, n, seed):
            values[group] = featurize(texts, function, on_error="mask", size=len(function)).dense()
            cut += [f"{some} of {group}"] if some else []
    cells = []
    for i, name in enumerate(function.names):
        svg = property_distribution(*name_and_unit(name), {group: column[:, i] for group, column in values.items()})
        cells.append(_cell(svg))
    title = f"Properties of {', '.join(values) or 'nothing'}"
    note = f"computed of {', '.join(cut)}, drawn at random with seed {seed}" if cut else ""
    return Picture(title, note, tuple(cells), 2)


def _texts(name: str, data: Any, n: int, seed: int) -> Iterator[tuple[str, list[str], str]]:
    """Name and texts of a set, two sets for pairs; and of how many rows they are, if not of all."""
    source = source_of(data)
    rows = chosen(source.total, n, seed)
    some = f"{number(len(rows))} of {number(source.total)} {source.row}s" if len(rows) < source.total else ""
    for column, texts in source.texts.items():
        found = [texts[row] for row in rows]
        flat = [text for block in found for text in block] if source.blocks else found
        yield (f"{name} {column}" if len(source.texts) > 1 else name), [spelled(x) for x in flat], some


def _cell(svg: str) -> Cell:
    """A figure as a cell."""
    head = _HEAD.match(svg)
    assert head is not None
    return Cell(svg[head.end() : svg.rindex("</svg>")], WIDTH, int(head[1]), unescape(head[2]))


_HEAD = re.compile(r'<svg [^>]*viewBox="0 0 \d+ (\d+)"[^>]*aria-label="([^"]*)"[^>]*>')
