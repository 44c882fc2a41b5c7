"""The field of a dataset of several sources: the rows of one field after those of another."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_not
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.columns import RowIndex, Rows64, index_digest, row_array, rows_by_part, take_rows
from mrl.data.fields.field import Field, Part
from mrl.data.fields.selection import JoinedSelection, RowSelection, Selection
from mrl.data.fields.tokens import Tokens
from mrl.ragged import Ragged, Rejects

MAX_IDS = 1 << 30  # that are kept in one array as well


class JoinedField(Field):
    """The parts of a sample, from one of several fields of the same kind.

    Parameters
    ----------
    parts : sequence of (Field, range or ndarray of int64)
        The field of each source, and which of its stored rows are rows of this one.

    Examples
    --------
    >>> from mrl.data import Tokens
    >>> from mrl.ragged import Text
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab("CO")
    >>> one, two = Tokens(Text.of(["C", "CC"]), vocab), Tokens(Text.of(["O"]), vocab)
    >>> field = JoinedField([(one, range(2)), (two, range(1))])
    >>> field.sample(2), field.lengths()
    ((tensor([0, 5, 1]),), array([3, 4, 3]))
    >>> field.gather(np.array([2, 1]))[0].take().tolist()
    [[0, 5, 1], [0, 4, 4, 1]]
    """

    def __init__(self, parts: Sequence[tuple[Field, RowIndex]]) -> None:
        self.parts = tuple(parts)
        self.names = self.parts[0][0].names
        self.starts = np.cumsum([0, *(len(rows) for _, rows in self.parts)])
        tokens = [field for field, _ in self.parts if type(field) is Tokens]
        self._tokens = tokens if len(tokens) == len(self.parts) else None
        self._sources: list[Ragged | None] = []  # the ids of the sources that `_joined` was made of
        self._joined: RowSelection | None = None

    @property
    def compiled(self) -> bool:  # type: ignore[override]
        """Whether all of them are."""
        return all(field.compiled for field, _ in self.parts)

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether one of them is."""
        return any(field.random for field, _ in self.parts)

    def gather(self, rows: Rows64, epoch: int | Rows64 = 0) -> tuple[Part, ...]:
        if (joined := self._in_one_array()) is not None:
            return (joined._replace(rows=rows),)
        groups = rows_by_part(self.starts, rows)
        if not groups:
            return self.parts[0][0].gather(rows)
        gathered: list[tuple[Part, ...]] = []
        places: list[Rows64] = []
        for number, at, local in groups:
            field, index = self.parts[number]
            stored = row_array(take_rows(index, local))
            for own, chosen in _by_epoch(epoch, at):
                gathered.append(field.gather(stored if chosen is None else stored[chosen], own))
                places.append(at if chosen is None else at[chosen])
        return tuple(_join(list(part), places) for part in zip(*gathered, strict=True))

    def _in_one_array(self) -> RowSelection | None:
        """Return the ids of all rows, if they are in memory: a batch is then made in half the time; at most 1 GB."""
        if self._tokens is None:
            return None
        ids = [field.ids for field in self._tokens]
        if len(ids) != len(self._sources) or any(map(is_not, ids, self._sources)):
            self._sources, self._joined = ids, None
            if sum(MAX_IDS + 1 if one is None else len(one.values) for one in ids) <= MAX_IDS:
                indices = [rows for _, rows in self.parts]
                own = [one.take(row_array(rows)) for one, rows in zip(ids, indices, strict=True) if one is not None]
                self._joined = RowSelection.of(Ragged.concat(own), np.zeros(0, np.int64), self._tokens[0].width)
        return self._joined

    def lengths(self) -> NDArray[np.int64] | None:
        found = [(field.lengths(), rows) for field, rows in self.parts]
        lengths = [own[row_array(rows)] for own, rows in found if own is not None]
        return np.concatenate(lengths) if lengths else None

    def without_augmentation(self) -> Field:
        parts = [(field.without_augmentation(), rows) for field, rows in self.parts]
        changed = any(field is not own for (field, _), (own, _) in zip(parts, self.parts, strict=True))
        return JoinedField(parts) if changed else self

    def prepare(self) -> None:
        for field, _ in self.parts:
            field.prepare()
        self._in_one_array()

    def validity(self) -> tuple[NDArray[np.bool_], Rejects] | None:
        oks, rejects = [], []
        for (field, rows), start in zip(self.parts, self.starts.tolist(), strict=False):
            found = field.validity()
            stored = row_array(rows)
            oks.append(np.ones(len(rows), bool) if found is None else found[0][stored])
            if found is not None:
                own = dict(zip(stored.tolist(), range(start, start + len(stored)), strict=True))
                rejects += [(own[one.row], *one[1:]) for one in found[1] if one.row in own]
        return (np.concatenate(oks), Rejects(rejects)) if rejects or not all(map(np.all, oks)) else None

    def fingerprint(self) -> str:
        indices = (index_digest(take_rows(field.source_rows, rows)) for field, rows in self.parts)
        parts = (f"{field.fingerprint()} {index}" for (field, _), index in zip(self.parts, indices, strict=True))
        return "\n".join((type(self).__qualname__, *parts))


def _by_epoch(epoch: int | Rows64, at: Rows64) -> list[tuple[int, Any]]:
    """Return the epochs of some rows of a batch, and which of them are of each; None for all."""
    if isinstance(epoch, int):
        return [(epoch, None)]
    own = epoch[at]
    if (own == own[0]).all():
        return [(int(own[0]), None)]
    return [(each, np.flatnonzero(own == each)) for each in np.unique(own).tolist()]


def _join(parts: list[Any], places: list[Rows64]) -> Any:
    """Return one part of a sample over all rows."""
    if len(parts) == 1:  # all rows, in their order
        return parts[0]
    if not isinstance(parts[0], Selection):
        joined = torch.cat(parts)
        order = np.argsort(np.concatenate(places), kind="stable")
        return joined[torch.from_numpy(order)]
    flat: list[RowSelection] = []
    flat_places: list[Rows64] = []
    for part, at in zip(parts, places, strict=True):
        if isinstance(part, RowSelection):
            on_host = part.device_offsets is None
            flat.append(part if on_host else RowSelection.of(part.take(), width=part.width))
            flat_places.append(at)
        else:
            flat += part.parts
            flat_places += [at[own] for own in part.places]
    return JoinedSelection(tuple(flat), tuple(flat_places), flat[0].width)
