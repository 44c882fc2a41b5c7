"""Sliding windows over long rows: the setting, the map from windows to rows, and the column of the texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mrl.arguments import require_integer
from mrl.data.columns import Joined, Rows64, View, column_identity
from mrl.errors import ColumnError
from mrl.ragged import row_numbers


@dataclass(frozen=True)
class Windows:
    """How to read rows that are too long: as `on_long`, one window of ``max_length`` ids after the other.

    Parameters
    ----------
    stride : int, optional
        The ids from the beginning of one window to the next; ``max_length`` if not given. Fewer make windows overlap;
        with ``max_length - 1``, each id but the first is predicted once by a model of the next token.

    Raises
    ------
    ValueError
        If `stride` is not an integer of 1 or more.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import NucleotideVocab
    >>> ds = TextDataset(["ACGTTGCA", "AC"], NucleotideVocab(), max_length=6, on_long=Windows(stride=4))
    >>> [ds.vocab.reconstruct(row) for row in ds]
    ['ACGTT', 'TTGCA', 'AC']
    >>> ds.windows.rows, ds.windows.offsets
    (array([0, 0, 1]), array([0, 4, 0]))
    """

    stride: int | None = None

    def __post_init__(self) -> None:
        if self.stride is not None:
            require_integer("stride", self.stride, 1)

    def cut(self, lengths: NDArray[np.int64], width: int) -> WindowMap:
        """Return the windows of at most `width` ids over rows.

        Parameters
        ----------
        lengths : ndarray of int64, shape (n,)
            The number of ids of each row.
        width : int
            The largest number of ids of a window.

        Returns
        -------
        WindowMap
            A row that is not longer is one window; the last window of a row ends with it.

        Raises
        ------
        ValueError
            If `stride` is more than `width`, so that ids would be in no window.

        Examples
        --------
        >>> Windows(stride=2).cut(np.array([5, 2]), 3).lengths
        array([3, 3, 2])
        """
        stride = width if self.stride is None else self.stride
        if stride > width:
            raise ValueError(f"stride is {stride}; expected at most {width}, which is max_length: others lose ids")
        counts = 1 + np.maximum(-(-(lengths - width) // stride), 0)
        rows = np.repeat(np.arange(len(lengths)), counts)
        offsets = stride * (np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts))
        return WindowMap(rows, offsets, np.minimum(lengths[rows] - offsets, width), lengths)


@dataclass(frozen=True, eq=False)
class WindowMap:
    """Which part of which row each window is: ``ds.windows`` of a dataset with ``on_long=Windows(...)``.

    Attributes
    ----------
    rows : ndarray of int64, shape (m,)
        The row of each window, by its number in the column that was given.
    offsets : ndarray of int64, shape (m,)
        Where it begins among the ids of the row, ``bos`` included.
    lengths : ndarray of int64, shape (m,)
        Its number of ids.
    row_lengths : ndarray of int64, shape (n,)
        The number of ids of each row.

    Examples
    --------
    >>> windows = Windows(stride=2).cut(np.array([5, 2]), 3)
    >>> windows.rows, windows.offsets, windows.distinct_rows
    (array([0, 0, 1]), array([0, 2, 0]), array([0, 1]))
    """

    rows: Rows64
    offsets: Rows64
    lengths: Rows64
    row_lengths: Rows64

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def distinct_rows(self) -> Rows64:
        """The rows that have a window here, ascending, int64 (r,)."""
        return np.unique(self.rows)

    def take(self, windows: Rows64) -> WindowMap:
        """Return the map of some of the windows.

        Parameters
        ----------
        windows : ndarray of int64, shape (k,)
            Their numbers.

        Returns
        -------
        WindowMap

        Examples
        --------
        >>> Windows().cut(np.array([5, 2]), 3).take(np.array([1])).offsets
        array([3])
        """
        return WindowMap(self.rows[windows], self.offsets[windows], self.lengths[windows], self.row_lengths)

    def combine(self, values: Any, by: Literal["mean", "sum", "min", "max"] = "mean") -> NDArray[Any]:
        """Return one value for each row, from one for each window.

        Parameters
        ----------
        values : array or tensor, shape (m, ...)
            A prediction, or a label, of each window.
        by : {"mean", "sum", "min", "max"}
            How those of a row become one.

        Returns
        -------
        ndarray, shape (r, ...)
            In the order of `distinct_rows`.

        Raises
        ------
        ValueError
            If there are not m values, or `by` is something else.

        Examples
        --------
        >>> Windows().cut(np.array([5, 2]), 3).combine([0.25, 0.75, 1.0])
        array([0.5, 1. ])
        """
        array = _one_for_each(values, len(self))
        joins: dict[str, np.ufunc] = {"mean": np.add, "sum": np.add, "min": np.minimum, "max": np.maximum}
        if by not in joins:
            raise ValueError(f"by is {by!r}; expected one of {', '.join(map(repr, joins))}")
        order = np.argsort(self.rows, kind="stable")
        _, starts, counts = np.unique(self.rows[order], return_index=True, return_counts=True)
        if not len(starts):
            return array
        made = joins[by].reduceat(array[order], starts, axis=0)
        return made / counts.reshape(-1, *[1] * (array.ndim - 1)) if by == "mean" else made

    def stitch(self, values: Any, by: Literal["mean", "first", "center"] = "mean") -> list[NDArray[Any]]:
        """Return the values of the ids of each row, from those of the ids of each window.

        Parameters
        ----------
        values : array or tensor, shape (m, L, ...)
            A value for each id; those beyond the length of a window are padding.
        by : {"mean", "first", "center"}
            Where windows overlap: the mean; the value of the first window, which has seen most of what comes before; or
            that of the window in which the id is furthest from a cut.

        Returns
        -------
        list of r ndarrays, shapes (length of the row, ...)
            In the order of `distinct_rows`; NaN for ids that are in no window here.

        Raises
        ------
        ValueError
            If the shape does not fit the windows, or `by` is something else.

        Examples
        --------
        >>> windows = Windows(stride=2).cut(np.array([5, 2]), 3)
        >>> windows.stitch([[0.0, 1.0, 2.0], [4.0, 5.0, 6.0], [7.0, 8.0, 0.0]])
        [array([0., 1., 3., 5., 6.]), array([7., 8.])]
        """
        array = _one_for_each(values, len(self))
        longest = int(self.lengths.max(initial=0))
        if array.ndim < 2 or array.shape[1] < longest:
            raise ValueError(f"values have the shape {array.shape}; expected (m, L, ...) with L of {longest} or more")
        if by not in ("mean", "first", "center"):
            raise ValueError(f"by is {by!r}; expected 'mean', 'first' or 'center'")
        kept, row = np.unique(self.rows, return_inverse=True)
        starts = np.concatenate([[0], np.cumsum(self.row_lengths[kept])])
        window = np.repeat(np.arange(len(self)), self.lengths)
        place = np.arange(len(window)) - np.repeat(np.cumsum(self.lengths) - self.lengths, self.lengths)
        target = starts[row[window]] + self.offsets[window] + place
        flat = array[window, place]
        made = np.full((starts[-1], *array.shape[2:]), np.nan, np.result_type(array.dtype, np.float32))
        if by == "mean":
            counts = np.bincount(target, minlength=starts[-1])
            made[counts > 0] = 0
            np.add.at(made, target, flat)
            made /= np.maximum(counts, 1).reshape(-1, *[1] * (made.ndim - 1))
        else:
            begins, ends = self.offsets == 0, self.offsets + self.lengths == self.row_lengths[self.rows]
            far = np.iinfo(np.int64).max
            before = np.where(begins[window], far, place)
            after = np.where(ends[window], far, self.lengths[window] - 1 - place)
            score = np.minimum(before, after) if by == "center" else -self.offsets[window]
            best = np.lexsort((self.offsets[window], -score, target))
            first = best[np.unique(target[best], return_index=True)[1]]
            made[target[first]] = flat[first]
        return np.split(made, starts[1:-1]) if len(kept) else []


def _one_for_each(values: Any, m: int) -> NDArray[Any]:
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if not array.ndim or len(array) != m:
        raise ValueError(f"values have the shape {array.shape}; expected one for each of the {m} windows")
    return array


class WindowedText:
    """A column of texts whose rows are windows: ``column[i]`` is the whole text that window i is a part of.

    Examples
    --------
    >>> from mrl.ragged import Text
    >>> column = WindowedText(Text.of(["ACGT", "A"]), Windows().cut(np.array([6, 3]), 4))
    >>> len(column), column[1], column.tolist()
    (3, 'ACGT', ['ACGT', 'ACGT', 'A'])
    """

    def __init__(self, text: Any, windows: WindowMap) -> None:
        self.text = text
        self.windows = windows

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return self.take(np.arange(len(self))[i])
        return self.take(i) if np.ndim(i) else self.text[int(self.windows.rows[i])]

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"WindowedText({len(self)} windows of {self.text!r})"

    def tolist(self) -> list[str]:
        """Return the text of each window as a list of str."""
        return list(self)

    def take(self, rows: Any) -> WindowedText:
        """Return the rows `rows` (numbers or a mask)."""
        return WindowedText(self.text, self.windows.take(row_numbers(rows, len(self))))

    @classmethod
    def concat(cls, parts: Sequence[WindowedText]) -> WindowedText:
        """Return the rows of all parts, one part after the other."""
        before = np.cumsum([0, *(len(part.text) for part in parts)])
        maps = [part.windows for part in parts]
        rows = np.concatenate([one.rows + start for one, start in zip(maps, before, strict=False)])
        others = (
            np.concatenate([getattr(one, name) for one in maps]) for name in ("offsets", "lengths", "row_lengths")
        )
        return cls(Joined([part.text for part in parts]), WindowMap(rows, *others))

    @property
    def digest(self) -> str:
        """Content hash."""
        windows = self.windows
        made = hashlib.sha256(column_identity(self.text).encode())
        for array in (windows.rows, windows.offsets, windows.lengths):
            made.update(array.astype("<i8").tobytes())
        return made.hexdigest()


def windowed_text(column: Any) -> WindowedText | None:
    """Return a column of windows, or some rows of one, as `WindowedText`; None for any other column."""
    if isinstance(column, View | Joined):
        parts = [column.column] if isinstance(column, View) else column.parts
        if any(windowed_text(part) is None for part in parts):
            return None
        column = column.take(np.arange(len(column)))
    return column if isinstance(column, WindowedText) else None


def repeat_rows(
    columns: dict[str, Any], name: str, windows: Windows, width: int, lengths: NDArray[np.int64]
) -> tuple[dict[str, Any], Rows64]:
    """Return columns with a row for each window over the texts of column `name`, and the row that each one is of."""
    found = windows.cut(lengths, width)
    made = {other: View(column, found.rows) for other, column in columns.items()}
    return made | {name: WindowedText(columns[name], found)}, found.rows


def require_width(column: WindowedText, name: str, width: int) -> None:
    """Raise a ColumnError for windows that are longer than `width` ids."""
    longest = int(column.windows.lengths.max(initial=0))
    if longest > width:
        raise ColumnError(
            f"{name} has windows of up to {longest} ids, more than max_length {width}; give the texts themselves",
            column=name,
        )
