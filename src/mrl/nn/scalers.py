"""`Scaler`: targets of mean 0 and standard deviation 1, and predictions converted back to their units."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any, Self, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrl.errors import ColumnError, RowError
from mrl.ragged import as_labels

__all__ = ["Scaler"]

SMALLEST, LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)


class Scaler(nn.Module):
    """Standardise columns of numbers: ``(x - mean) / scale``, each column by its own; missing (NaN) stays missing.

    Made by `Scaler.fit`, of training rows only. It is a module without parameters: as part of a model it is saved with
    it and moves to its device. `mean` and `scale` are float32, and stay so in a model of half precision.

    Without overflow and underflow ``inverse(transform(x))`` differs from x by at most four roundings of the larger of
    ``abs(x)`` and ``abs(mean)``: ``4 * eps * max(abs(x), abs(mean))``, where eps is that of the type computed in.

    Parameters
    ----------
    columns : int
        Number of columns, T; a new scaler changes nothing until it is fitted, or its state is loaded.

    Attributes
    ----------
    mean : Tensor, float32, shape (T,)
        What is subtracted, in the units of the columns.
    scale : Tensor, float32, shape (T,)
        What is divided by, above 0, in the units of the columns.

    Examples
    --------
    >>> scaler = Scaler.fit([[1.0, 10.0], [3.0, float("nan")], [5.0, 30.0]])
    >>> scaler
    Scaler(mean=[3, 20], scale=[1.63, 10])
    >>> scaler.transform([[3.0, 30.0]])
    array([[0., 1.]])
    >>> scaler.inverse(torch.tensor([[0.0, 1.0]]))
    tensor([[ 3., 30.]])

    Saved and loaded with the model that it belongs to:

    >>> model = nn.ModuleDict({"net": nn.Linear(4, 2), "scaler": scaler})
    >>> other = nn.ModuleDict({"net": nn.Linear(4, 2), "scaler": Scaler(2)})
    >>> other.load_state_dict(model.state_dict())
    <All keys matched successfully>
    >>> other["scaler"]
    Scaler(mean=[3, 20], scale=[1.63, 10])
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, columns: int = 1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(operator.index(columns), dtype=torch.float32, device="cpu"))
        self.register_buffer("scale", torch.ones(operator.index(columns), dtype=torch.float32, device="cpu"))

    @classmethod
    def fit(cls, values: Any) -> Self:
        """Return a scaler with the mean and the standard deviation (of the population) of each column.

        Parameters
        ----------
        values : column of numbers, shape (n,) or (n, T)
            The training rows, such as ``train.y_vals``: list, array, tensor, Series; NaN where a value is missing.
            Computed in float64.

        Returns
        -------
        Scaler
            On the CPU. A column of equal values is shifted but not scaled (`scale` 1), with one warning
            for all such columns.

        Raises
        ------
        ColumnError
            If a column has no values, or its mean or deviation is out of the range of float32.
        RowError
            If a value is infinite or not a number.

        Examples
        --------
        >>> Scaler.fit([2.0, 4.0])
        Scaler(mean=[3], scale=[1])
        """
        array = _numbers(values)
        array = array[:, None] if array.ndim == 1 else array
        scaler = cls(array.shape[1])
        found = [_mean_and_scale(column, i) for i, column in enumerate(array.T)]
        for i, (mean, scale) in enumerate(found):
            scaler.mean[i], scaler.scale[i] = mean, scale or 1.0
        if constant := [i for i, (_, scale) in enumerate(found) if not scale]:
            warnings.warn(_describe_constant(constant, found, len(array.T)), stacklevel=2)
        return scaler

    def __repr__(self) -> str:
        mean, scale = (", ".join(f"{x:.3g}" for x in part.tolist()) for part in (self.mean, self.scale))
        return f"{type(self).__name__}(mean=[{mean}], scale=[{scale}])"

    @overload
    def transform(self, values: Tensor) -> Tensor: ...
    @overload
    def transform(self, values: Any) -> Any: ...
    def transform(self, values: Any) -> Any:
        """Return the standardised values, ``(values - mean) / scale``.

        Parameters
        ----------
        values : Tensor, floating, shape (..., T), any shape where T is 1; or what `fit` takes
            In the units of the columns.

        Returns
        -------
        Tensor, float32 (float64 for float64), on the device of `values`; or ndarray of float64
            Same shape.

        Raises
        ------
        ValueError
            If the last dimension is not T, or `values` is a tensor of integers (classes).

        Examples
        --------
        >>> Scaler.fit([2.0, 4.0]).transform(torch.tensor([3.0, 5.0]))
        tensor([0., 2.])
        """
        return self._mapped(lambda x, mean, scale: (x - mean) / scale, values)

    @overload
    def inverse(self, values: Tensor) -> Tensor: ...
    @overload
    def inverse(self, values: Any) -> Any: ...
    def inverse(self, values: Any) -> Any:
        """Return values in the units of the columns, ``values * scale + mean``; the inverse of `transform`.

        Parameters
        ----------
        values : as of `transform`
            Standardised, such as the predictions of a model that was trained on standardised targets.

        Returns
        -------
        As of `transform`.

        Raises
        ------
        ValueError
            As of `transform`.

        Examples
        --------
        >>> Scaler.fit([2.0, 4.0]).inverse([0.0, 2.0])
        array([3., 5.])
        """
        return self._mapped(lambda x, mean, scale: x * scale + mean, values)

    def _mapped(self, function: Callable[[Tensor, Tensor, Tensor], Tensor], values: Any) -> Any:
        if not isinstance(values, Tensor):
            return self._mapped(function, torch.from_numpy(_numbers(values))).numpy()
        if not values.is_floating_point():
            raise ValueError(
                f"values are {values.dtype}; expected floating-point numbers (classes are not scaled): convert numbers "
                "by values.float()"
            )
        columns = len(self.mean)
        if columns != 1 and values.shape[-1:] != (columns,):
            raise ValueError(
                f"values have the shape {tuple(values.shape)}; the scaler was fitted to {columns} columns and expects "
                f"(..., {columns})"
            )
        # One column fits any shape, because both (B,) and (B, 1) are in use for it.
        mean, scale = (part.squeeze().to(values.device) for part in (self.mean, self.scale))
        return function(values.to(torch.promote_types(values.dtype, torch.float32)), mean, scale)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Follow the model to another device, but not to half precision, in which `inverse` would be inexact."""
        before = self.mean, self.scale
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self.mean.dtype != torch.float32:
            self.mean, self.scale = (part.to(self.mean.device) for part in before)
        return self


def _numbers(values: Any) -> NDArray[np.float64]:
    """Return any column of numbers as float64, NaN where missing."""
    return as_labels(values.double() if isinstance(values, Tensor) else values, "values", np.float64)


def _mean_and_scale(column: NDArray[np.float64], i: int) -> tuple[float, float]:
    """Return mean and standard deviation of the values present in column `i`; 0 for that of equal values."""
    infinite = np.isinf(column)
    if infinite.any():
        row = int(infinite.argmax())
        expected = f"a finite number in column {i}, or NaN where it is missing"
        raise RowError.of(row, "values", float(column[row]), expected)
    column = column[~np.isnan(column)]
    if not len(column):
        raise ColumnError(
            f"column {i} of values has no value in these rows; leave it out, or fit to rows that have one",
            column="values",
        )
    mean, scale = float(column.mean()), float(column.std())
    if scale < SMALLEST or column.min() == column.max():
        scale = 0.0
    if max(abs(mean), scale) > LARGEST:
        raise ColumnError(
            f"column {i} of values has the mean {mean:g} and the standard deviation {scale:g}; expected at most "
            f"{LARGEST:g}: use another unit",
            column="values",
        )
    return mean, scale


def _describe_constant(constant: list[int], found: list[tuple[float, float]], n: int) -> str:
    """Return the warning about columns that do not vary."""
    if len(constant) == 1:
        i = constant[0]
        return f"column {i} of values does not vary from {found[i][0]:g}; it is shifted, but not scaled"
    shown = ", ".join(map(str, constant[:10])) + (f" and {len(constant) - 10:,} more" if len(constant) > 10 else "")
    return f"{len(constant):,} of {n:,} columns of values do not vary ({shown}); they are shifted, but not scaled"
