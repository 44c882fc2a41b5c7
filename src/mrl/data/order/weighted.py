"""`Weighted`: rows drawn with replacement, each as often as its weight says.

The weights become whole numbers once, and their sums are exact. Which row a random number selects is then the same on
any machine, where sums of floating-point numbers depend on how many are added at a time. A batch costs one binary
search per row.
"""

from __future__ import annotations

import hashlib
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import Rows64
from mrl.data.order.base import BaseOrder, ensure_int
from mrl.errors import ColumnError, RowError
from mrl.ragged import IGNORED, as_labels, class_codes

TOTAL_BITS = 62  # of the sum of all weights: it fits int64, and four random numbers select each unit of it


class Weighted(BaseOrder):
    """Rows drawn at random with replacement, in proportion to their weights, anew each epoch.

    Pass it to a loader as ``ds.dataloader(bs, order=Weighted(weights, bs))``; on several ranks `batch_size` is the
    global one. All batches are full. In one epoch a row may come several times, or not at all. Keeps 8 bytes per row.

    Parameters
    ----------
    weights : column of numbers, shape (n,)
        How often each row is drawn relative to the others; 0 for never. They may have any sum. Kept to one part in
        ``2 ** (61 - bits of n)`` of the largest, or finer; no weight above 0 becomes 0.
    batch_size : int
        Rows per (global) batch.
    seed : int
        Seed of the draws: the same seed gives the same rows on any machine.
    batches : int, optional
        Batches per epoch; by default as many as draw n rows.

    Raises
    ------
    RowError
        If a weight is negative, missing, infinite or not a number.
    ColumnError
        If `weights` is not one number per row, or no weight is above 0.
    ValueError
        If `batch_size` or `batches` is less than 1.

    Notes
    -----
    Inversion of the cumulative distribution (Devroye, Non-Uniform Random Variate Generation, 1986,
    doi:10.1007/978-1-4613-8643-8, chapter III.2), at whole numbers from 0 to below the sum of the weights, which are
    made from 64 random bits by multiplication (Lemire 2019, doi:10.1145/3230636).

    Examples
    --------
    >>> order = Weighted([0, 1, 3], batch_size=4, seed=0, batches=2)
    >>> [order.batch(0, k).tolist() for k in range(len(order))]
    [[1, 2, 2, 2], [2, 2, 2, 2]]
    """

    def __init__(self, weights: Any, batch_size: int, seed: int = 0, batches: int | None = None) -> None:
        self._sums = np.cumsum(whole_weights(_valid_weights(weights)))
        self.n = len(self._sums)
        self.batch_size = ensure_int(batch_size, "batch_size", 1)
        self.seed = ensure_int(seed, "seed")
        self.batches = -(-self.n // self.batch_size) if batches is None else ensure_int(batches, "batches", 1)

    @classmethod
    def balanced(cls, labels: Any, batch_size: int, seed: int = 0, batches: int | None = None) -> Self:
        """Return an order that draws each class equally often, and each row of a class equally often.

        Random over-sampling of the rare classes (He & Garcia 2009, doi:10.1109/TKDE.2008.239).

        Parameters
        ----------
        labels : column of numbers or texts, shape (n,)
            The class of each row. A row without a class (None, NaN or -100) is never drawn.
        batch_size, seed, batches : int, optional
            See `Weighted`.

        Returns
        -------
        Weighted

        Raises
        ------
        RowError
            If text and numbers are mixed, or a row has several values.
        ColumnError
            If `labels` is not one class per row, or no row has a class.

        Examples
        --------
        >>> order = Weighted.balanced([0, 0, 0, 0, 0, 1, float("nan")], batch_size=4, seed=0)
        >>> [order.batch(0, k).tolist() for k in range(len(order))]
        [[1, 5, 5, 4], [5, 4, 3, 5]]
        """
        codes, classes = class_codes(labels, "labels")
        weights = np.array([0.0 if label in (None, IGNORED) else 1.0 for label in classes])
        if not weights.any():
            raise ColumnError(f"none of the {len(codes)} rows has a label; give at least one", column="labels")
        numbers = [code for code, label in enumerate(classes) if not isinstance(label, str | None)]
        if numbers and any(isinstance(label, str) for label in classes):
            row = int((codes == numbers[0]).argmax())
            expected = "text like the others, or None where it is missing; convert the column first"
            raise RowError.of(row, "labels", classes[numbers[0]], expected)
        return cls((weights / np.bincount(codes))[codes], batch_size, seed, batches)

    def __len__(self) -> int:
        return self.batches

    def config(self) -> dict[str, Any]:
        weights = hashlib.sha256(self._sums.astype("<i8").tobytes()).hexdigest()
        settings = {"batch_size": self.batch_size, "batches": self.batches, "seed": self.seed}
        return super().config() | settings | {"weights": weights}

    def batch(self, epoch: int, k: int) -> Rows64:
        self._require_batch(k)
        stream = hashlib.shake_128(f"draws {self.seed} {epoch} {k}".encode()).digest(8 * self.batch_size)
        positions = scale_to_total(np.frombuffer(stream, "<u8"), int(self._sums[-1]))
        return np.asarray(np.searchsorted(self._sums, positions, side="right"), np.int64)


def scale_to_total(bits: NDArray[np.uint64], total: int) -> NDArray[np.int64]:
    """Return 64 random bits spread evenly over 0 to below `total`: the upper half of their 128-bit product."""
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    a, b, c, d = bits >> half, bits & low, np.uint64(total >> 32), np.uint64(total & 0xFFFFFFFF)
    one = a * d + (b * d >> half)
    two = b * c + (one & low)
    return np.asarray(a * c + (one >> half) + (two >> half), np.int64)


def whole_weights(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return weights as whole numbers with a sum below 2**62, scaled by a power of 2 so that they are only rounded."""
    bits = TOTAL_BITS - len(weights).bit_length() - int(np.frexp(weights.max())[1])
    whole = np.rint(np.ldexp(weights, bits)).astype(np.int64)
    return np.asarray(np.where(weights > 0, np.maximum(whole, 1), 0), np.int64)


def _valid_weights(weights: Any) -> NDArray[np.float64]:
    """Return weights as float64 (n,), of which at least one is above 0."""
    array = as_labels(weights, "weights", np.float64)
    if array.ndim != 1:
        raise ColumnError(f"weights have the shape {array.shape}; expected one for each row, (n,)", column="weights")
    invalid = ~((array >= 0) & (array < np.inf))
    if invalid.any():
        row = int(invalid.argmax())
        expected = "a finite number, 0 or above (0 for a row that is never drawn)"
        raise RowError.of(row, "weights", float(array[row]), expected)
    if not array.any():
        raise ColumnError(
            f"none of the {len(array)} weights is above 0; give at least one row a weight", column="weights"
        )
    return array
