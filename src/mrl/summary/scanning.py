"""Two passes over blocks of rows, in bounded memory: what is counted of all rows, then those that are looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.corpus import TableColumn
from mrl.progress import Progress, track
from mrl.ragged import Ragged, Rejects, Text, concat_lines
from mrl.summary.duplicates import Duplicates, Repeated
from mrl.summary.rejections import RejectTally
from mrl.summary.sampling import Keys, Rows, SomeTexts, TextKeys, text_keys
from mrl.summary.source import Blocks, Source

_FIRST_REJECTS = 100
_FEW_VALUES = 64  # a column with more is not one of part names
_LOOKED_AT = 1000  # texts of each block, for the notation
_EXAMPLES, _ROWS_OF_EXAMPLE = 5, 5


@dataclass
class Scan:
    """What was found in all rows.

    Attributes
    ----------
    rows, rejected : int
        Rows that were read, and those that were not.
    smiles_column : str
    first_rejects : Rejects
    kinds : RejectTally
    notes : Counter
    lengths : Counter
        Bytes of a text -> rows.
    keys : TextKeys
        A number for each text.
    alike : SomeTexts
        Texts whose rows are compared.
    values : dict of str to Counter or None
        Column -> rows of each value, None where there are more than a few.
    parts : Counter
        Part of a corpus -> rows.
    filled : dict of str to bool
        Column of text -> whether any cell has something.
    some : list of str
        Texts from all over the rows.
    """

    keys: TextKeys
    alike: SomeTexts
    rows: int = 0
    rejected: int = 0
    smiles_column: str = "smiles"
    first_rejects: Rejects = field(default_factory=Rejects)
    kinds: RejectTally = field(default_factory=RejectTally)
    notes: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    values: dict[str, Counter[str] | None] = field(default_factory=dict)
    parts: Counter[str] = field(default_factory=Counter)
    filled: dict[str, bool] = field(default_factory=dict)
    some: list[str] = field(default_factory=list)

    def add(self, block: Source, split: str | None) -> None:
        """Count the rows of a block; the values of the column `split` however many there are."""
        keys = text_keys(block.smiles)
        self.keys.add(keys)
        self.alike.add(block.smiles, keys)
        sizes, counts = np.unique(block.smiles.lengths, return_counts=True)
        self.lengths.update(dict(zip(sizes.tolist(), counts.tolist(), strict=True)))
        self.rows += len(block)
        self.smiles_column = block.smiles_column
        self.rejected += len(block.rejects)
        more = block.rejects[: max(_FIRST_REJECTS - len(self.first_rejects), 0)]
        self.first_rejects = Rejects.concat([self.first_rejects, more])
        self.kinds.add(block.rejects)
        self.notes.update(block.notes)
        self.parts.update({name: len(rows) for name, rows in block.parts.items()})
        places = np.unique(np.linspace(0, max(len(block) - 1, 0), min(len(block), _LOOKED_AT)).astype(np.int64))
        self.some += block.smiles.take(places).tolist() if len(self.some) < 16 * _LOOKED_AT else []
        for name, column in block.columns.items():
            if isinstance(column, Text):
                self.filled[name] = self.filled.get(name, False) or bool(len(column.flat))
            self.values[name] = _counted(self.values.get(name, Counter()), column, every=name == split)

    def source(self, name: str) -> Source:
        """Return some rows, for what they hold, in no particular order."""
        step = max(len(self.some) // _LOOKED_AT, 1)
        return Source(name, Text.of(self.some[::step]))


def scan(blocks: Blocks, n: int, seed: int, split: str | None, progress: Progress) -> Scan:
    """Return what is found in a first pass over all rows; of `n` texts or fewer, all rows are to be compared."""
    found = Scan(TextKeys(), SomeTexts(n, seed))
    with track(progress, blocks.rows, "reading") as advance:
        for block in blocks:
            found.add(block, split)
            advance(len(block))
    return found


@dataclass
class Picked:
    """The rows that were looked at, in their order.

    Attributes
    ----------
    rows : ndarray of int64, shape (k,)
        Where they are among all rows.
    source : Source
        The rows.
    parts : list of str
        The part of a corpus that each belongs to.
    keys : ndarray of uint64, shape (k,)
        The numbers of their texts.
    same_text : Duplicates
        Rows of equal text, among all.
    """

    rows: Rows
    source: Source
    parts: list[str]
    keys: Keys
    same_text: Duplicates

    def at(self, rows: Rows) -> Rows:
        """Return where some rows are among those that were picked."""
        return np.searchsorted(self.rows, rows)


def pick(blocks: Blocks, found: Scan, wanted: Rows, alike: Keys, progress: Progress) -> Picked:
    """Return, in a second pass, the rows `wanted`, and those whose text has one of the sorted keys."""
    repeated = _Repeated(found.keys.sorted())
    pieces: list[Source] = []
    rows: list[Rows] = []
    keys: list[Keys] = []
    parts: list[str] = []
    start = 0
    with track(progress, found.rows, "looking at a sample") as advance:
        for block in blocks:
            numbers = text_keys(block.smiles)
            repeated.add(numbers, block)
            first, stop = np.searchsorted(wanted, [start, start + len(block)])
            taken = np.union1d(wanted[first:stop] - start, np.flatnonzero(is_in(numbers, alike)))
            pieces.append(block.select(taken))
            rows.append(taken + start)
            keys.append(numbers[taken])
            parts += _part_names(block, taken)
            start += len(block)
            advance(len(block))
    columns = {
        name: _concat([piece.columns[name] for piece in pieces]) for name in (pieces[0].columns if pieces else {})
    }
    blank = {name for name, has in found.filled.items() if not has}
    source = Source(
        blocks.name,
        Text.concat([piece.smiles for piece in pieces]) if pieces else Text.of([]),
        found.smiles_column,
        {name: column for name, column in columns.items() if not (name in blank and name in blocks.optional)},
        rows=np.concatenate([piece.numbers for piece in pieces]) if pieces else None,
        lines=concat_lines(pieces),
    )
    return Picked(
        np.concatenate(rows) if rows else np.zeros(0, np.int64),
        source,
        parts,
        np.concatenate(keys) if keys else np.zeros(0, np.uint64),
        repeated.duplicates(),
    )


class _Repeated:
    """Counts of equal texts, by their sorted keys, and the texts of the most frequent ones."""

    def __init__(self, keys: Keys) -> None:
        is_first = np.ones(len(keys) + 1, bool)
        is_first[1:-1] = keys[1:] != keys[:-1]
        self.rows, self.distinct = len(keys), int(np.count_nonzero(is_first[:-1])) if len(keys) else 0
        starts = np.flatnonzero(is_first[:-1] & ~is_first[1:]) if len(keys) else np.zeros(0, np.int64)
        ends = np.flatnonzero(~is_first[:-1] & is_first[1:]) if len(keys) else np.zeros(0, np.int64)
        counts = ends - starts + 1
        self.repeated = len(starts)
        least = np.partition(counts, -_EXAMPLES)[-_EXAMPLES] if len(counts) > _EXAMPLES else 0
        frequent = starts[counts >= least]
        self._candidates = keys[frequent].copy()
        self._counts = dict(zip(keys[starts[counts > least]].tolist(), counts[counts > least].tolist(), strict=True))
        self._least, self._most = int(least), min(_EXAMPLES, self.repeated)
        self._examples: dict[int, Repeated] = {}

    def add(self, keys: Keys, block: Source) -> None:
        """Look for the most frequent texts in a block; of equally frequent ones the first are taken."""
        if len(self._counts) < self._most:
            for row in np.flatnonzero(is_in(keys, self._candidates)).tolist():
                self._counts.setdefault(int(keys[row]), self._least)
                if len(self._counts) == self._most:
                    break
        for key in self._counts:
            known = self._examples.get(key)
            if known is None or len(known.rows) < _ROWS_OF_EXAMPLE:
                self._extend(key, np.flatnonzero(keys == np.uint64(key)), block)

    def _extend(self, key: int, places: Rows, block: Source) -> None:
        if not len(places):
            return
        known = self._examples.get(key) or Repeated(block.smiles[int(places[0])], self._counts[key], ())
        more = block.numbers[places[: _ROWS_OF_EXAMPLE - len(known.rows)]].tolist()
        self._examples[key] = known._replace(rows=(*known.rows, *more))

    def duplicates(self) -> Duplicates:
        examples = sorted(self._examples.values(), key=lambda one: (-one.count, one.rows[0]))
        return Duplicates(self.rows, self.distinct, self.repeated, tuple(examples))


def is_in(keys: Keys, known: Keys) -> NDArray[np.bool_]:
    """Return which keys are among known ones, which are sorted."""
    if not len(known):
        return np.zeros(len(keys), bool)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
    return found


def _part_names(block: Source, rows: Rows) -> list[str]:
    names = np.full(len(block), "", object)
    for name, members in block.parts.items():
        names[np.asarray(members)] = name
    return [str(name) for name in names[rows]]


def _counted(known: Counter[str] | None, column: TableColumn, *, every: bool) -> Counter[str] | None:
    """Return the rows of each value; None if there are many."""
    if known is None or (not isinstance(column, Text) and (isinstance(column, Ragged) or column.ndim != 1)):
        return None
    if not every:
        few = column[: 50 * _FEW_VALUES]  # nearly always enough to see that there are many
        if len({str(value) for value in few} | known.keys()) > _FEW_VALUES:
            return None
    counts = Counter(known)
    if isinstance(column, Text):
        found = column.to_arrow().value_counts()
        pairs = zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    else:
        pairs = zip(*(part.tolist() for part in np.unique(column, return_counts=True)), strict=True)
    for value, count in pairs:
        counts[str(value).strip()] += count
    return counts if every or len(counts) <= _FEW_VALUES else None


def _concat(pieces: list[TableColumn]) -> TableColumn:
    """Return the rows of a column, which is text if it is in some of its blocks."""
    if not any(isinstance(piece, Text) for piece in pieces):
        return np.concatenate(pieces)
    return Text.concat([piece if isinstance(piece, Text) else Text.of([*map(_cell, piece)]) for piece in pieces])


def _cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)
