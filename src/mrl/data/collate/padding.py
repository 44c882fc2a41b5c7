"""`Padding`: how wide batches of ids are, and on which side they are padded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np

from mrl.data.columns import Rows64
from mrl.errors import RowError


@dataclass(frozen=True)
class Padding:
    """How wide batches of ids are, and on which side they are padded.

    Parameters
    ----------
    to : int, optional
        The width of every batch, for models that are compiled for one shape.
    multiple : int, optional
        Make the width a multiple of this, so that few shapes occur.
    side : {"right", "left"}
        Where the padding goes; left for prompts that a model continues.

    Raises
    ------
    ValueError
        If `to` and `multiple` are both given, one is less than 1, or `side` is neither "right" nor "left".

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["C", "CC"], CharacterVocab("C"))
    >>> x, y = next(iter(ds.dataloader(2, padding=Padding(multiple=8))))
    >>> x.shape
    torch.Size([2, 8])
    """

    to: int | None = None
    multiple: int | None = None
    side: Literal["right", "left"] = "right"

    def __post_init__(self) -> None:
        if self.to is not None and self.multiple is not None:
            raise ValueError(f"padding to {self.to} and to a multiple of {self.multiple}; give one of them")
        given: dict[str, Any] = {"to": self.to, "multiple": self.multiple}
        for name, value in given.items():
            if value is not None and (not isinstance(value, Integral) or value < 1):
                raise ValueError(f"Padding({name}={value}); expected a whole number, 1 or more")
        if self.side not in ("right", "left"):
            raise ValueError(f"Padding(side={self.side!r}); expected 'right' or 'left'")

    def width(self, lengths: Callable[[], Rows64], longest: int, extra: int = 0) -> int:
        """Return the width of a batch.

        Parameters
        ----------
        lengths : callable
            Returns the number of ids of each row, int64 (B,), for the message.
        longest : int
            The largest of them.
        extra : int
            Columns beyond the longest row, unless `to` sets the width.

        Returns
        -------
        int

        Raises
        ------
        RowError
            (A ValueError.) If a row is longer than `to`.

        Examples
        --------
        >>> Padding(multiple=8).width(lambda: np.array([3, 9]), 9)
        16
        """
        if self.to is None:
            multiple = self.multiple or 1
            return -(-(longest + extra) // multiple) * multiple
        if longest > self.to:
            sizes = lengths()
            row = int(np.argmax(sizes > self.to))
            raise RowError(
                f"row {row} of the batch has {sizes[row]} ids, more than Padding(to={self.to}); raise it, or leave "
                f"out long rows: ds.view(ds.lengths() <= {self.to})",
                row=row,
                column="tokens",
                value=int(sizes[row]),
            )
        return self.to
