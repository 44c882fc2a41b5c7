"""`Weighted`: rows drawn with replacement, each as often as its weight says.

The weights become whole numbers once, and their sums are exact: which row a random number means is then the same on any
machine, where sums of floating numbers depend on how many are added at a time. A batch costs one binary search per row.
"""

from __future__ import annotations

import hashlib
import json
import operator
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import IGNORED, Array, Rows64, labels_of, values_of
from mrl.errors import ColumnError, RowError
from mrl.ragged import Text

__all__ = ["Weighted"]

FLOAT64 = np.dtype(np.float64)
TOTAL = 62  # bits of the sum of all weights: below int64, with four random numbers for each unit


class Weighted:
    """Rows drawn at random with replacement, in proportion to their weights, anew each epoch.

    It goes to a loader as ``ds.dataloader(bs, order=Weighted(weights, bs))``; on several ranks `batch_size` is the
    global one. All batches are full. In an epoch a row may come several times, or not at all. Keeps 8 bytes per row.

    Parameters
    ----------
    weights : column, array, tensor or list, shape (n,)
        How often each row is drawn, relative to the others; 0 for never. They need not sum to anything. Kept to one
        part in ``2 ** (61 - bits of n)`` of the largest, or finer; none above 0 becomes 0.
    batch_size : int
        Rows of a (global) batch.
    seed : int
        Names the draws; the same seed gives the same ones on any machine.
    batches : int, optional
        Batches of an epoch; enough to draw n rows if not given.

    Raises
    ------
    RowError
        If a weight is negative, missing, infinite or no number: row, value.
    ColumnError
        If `weights` are not one number per row, or none is above 0.

    Notes
    -----
    The inverse of the cumulative distribution (Devroye, Non-Uniform Random Variate Generation, 1986,
    doi:10.1007/978-1-4613-8643-8, chapter III.2), at whole numbers from 0 to below the sum of the weights, which are
    made from 64 random bits by multiplication (Lemire 2019, doi:10.1145/3230636).

    Examples
    --------
    >>> order = Weighted([0, 1, 3], batch_size=4, seed=0, batches=2)
    >>> [order.batch(0, k).tolist() for k in range(len(order))]
    [[1, 2, 2, 2], [2, 2, 2, 2]]
    """

    def __init__(self, weights: Any, batch_size: int, seed: int = 0, batches: int | None = None) -> None:
        self._sums = np.cumsum(_whole(_checked(weights)))
        self.n = len(self._sums)
        self.batch_size = operator.index(batch_size)
        self.seed = operator.index(seed)
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; expected 1 or more")
        self.batches = -(-self.n // self.batch_size) if batches is None else operator.index(batches)
        if self.batches < 1:
            raise ValueError(f"batches is {batches}; expected 1 or more batches an epoch")

    @classmethod
    def balanced(cls, labels: Any, batch_size: int, seed: int = 0, batches: int | None = None) -> Self:
        """Draw each class equally often, and each row of a class equally often.

        Random over-sampling of the rare classes (He & Garcia 2009, doi:10.1109/TKDE.2008.239).

        Parameters
        ----------
        labels : column, array, tensor or list, shape (n,)
            The class of each row: numbers or texts. A row without one (NaN, or -100) is never drawn.
        batch_size, seed, batches
            As in the constructor.

        Returns
        -------
        Weighted

        Raises
        ------
        ColumnError
            If `labels` are not one class per row, or no row has one.

        Examples
        --------
        >>> order = Weighted.balanced([0, 0, 0, 0, 0, 1, float("nan")], batch_size=4, seed=0)
        >>> [order.batch(0, k).tolist() for k in range(len(order))]
        [[1, 5, 5, 4], [5, 4, 3, 5]]
        """
        classes, present = _classes(labels)
        weights = np.zeros(len(present))
        _, inverse, counts = np.unique(classes[present], return_inverse=True, return_counts=True)
        weights[present] = 1 / counts[inverse]
        return cls(weights, batch_size, seed, batches)

    def __len__(self) -> int:
        return self.batches

    def facts(self) -> dict[str, Any]:
        """Everything that the batches depend on, as plain values."""
        facts = {"order": type(self).__name__, "n": self.n, "batch_size": self.batch_size, "batches": self.batches}
        return facts | {"seed": self.seed, "weights": hashlib.sha256(self._sums.astype("<i8").tobytes()).hexdigest()}

    def key(self) -> str:
        """Digest of everything that the batches depend on."""
        return self._key

    @cached_property
    def _key(self) -> str:
        return hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode()).hexdigest()[:32]

    def batch(self, epoch: int, k: int) -> Rows64:
        """Give the rows of batch `k` of epoch `epoch`."""
        if not 0 <= k < len(self):
            raise IndexError(f"batch {k} of {len(self)}")
        bits = hashlib.shake_128(f"draws {self.seed} {epoch} {k}".encode()).digest(8 * self.batch_size)
        places = _below(np.frombuffer(bits, "<u8"), int(self._sums[-1]))
        return np.asarray(np.searchsorted(self._sums, places, side="right"), np.int64)


def _below(bits: NDArray[np.uint64], total: int) -> NDArray[np.int64]:
    """Spread 64 random bits evenly over 0 to below `total`: the upper half of their product of 128 bits."""
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    a, b, c, d = bits >> half, bits & low, np.uint64(total >> 32), np.uint64(total & 0xFFFFFFFF)
    one = a * d + (b * d >> half)
    two = b * c + (one & low)
    return np.asarray(a * c + (one >> half) + (two >> half), np.int64)


def _whole(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Weights as whole numbers of a sum below 2**62; by a power of 2, so that nothing but the last digit changes."""
    bits = TOTAL - len(weights).bit_length() - int(np.frexp(weights.max())[1])
    whole = np.rint(np.ldexp(weights, bits)).astype(np.int64)
    return np.asarray(np.where(weights > 0, np.maximum(whole, 1), 0), np.int64)


def _checked(weights: Any) -> NDArray[np.float64]:
    """Weights as float64 (n,), of which one at least is above 0."""
    column = labels_of(weights, "weights", FLOAT64)
    array: NDArray[np.float64] = np.asarray(column.take(np.arange(len(column))), np.float64)
    if array.ndim != 1:
        raise ColumnError(f"weights have the shape {array.shape}; expected one for each row, (n,)", column="weights")
    bad = ~((array >= 0) & (array < np.inf))
    if bad.any():
        row = int(bad.argmax())
        raise RowError(
            f"row {row} of weights is {array[row]}; expected a finite number, 0 or above (0 if the row is never to be "
            "drawn)",
            row=row,
            column="weights",
            value=float(array[row]),
        )
    if not array.any():
        raise ColumnError(
            f"none of the {len(array)} weights is above 0; give at least one row a weight", column="weights"
        )
    return array


def _classes(labels: Any) -> tuple[Array, NDArray[np.bool_]]:
    """The class of each row, and which rows have one."""
    column = values_of(labels, "labels")
    taken = column.take(np.arange(len(column)))
    if isinstance(taken, Text):
        return np.array(list(taken)), np.ones(len(taken), bool)
    if taken.dtype == object and any(isinstance(label, str) for label in taken.flat):
        return _names(taken.ravel().tolist())
    classes = labels_of(taken, "labels", FLOAT64).take(np.arange(len(column)))
    if classes.ndim != 1:
        raise ColumnError(
            f"labels have the shape {classes.shape}; expected one class for each row, (n,): choose a task, such as "
            "labels[:, 0]",
            column="labels",
        )
    present = ~np.isnan(classes) & (classes != IGNORED)
    if not present.any():
        raise ColumnError(f"none of the {len(classes)} rows has a label", column="labels")
    return classes, present


def _names(labels: list[Any]) -> tuple[Array, NDArray[np.bool_]]:
    """Classes that are texts, of which some are missing."""
    for row, label in enumerate(labels):
        if not (isinstance(label, str) or label is None or label != label or type(label).__name__ == "NAType"):
            raise RowError(
                f"row {row} of labels is {label!r}, others are text; expected text, or nothing where it is missing",
                row=row,
                column="labels",
                value=label,
            )
    present = np.array([isinstance(label, str) for label in labels])
    return np.array([label if isinstance(label, str) else "" for label in labels]), present
