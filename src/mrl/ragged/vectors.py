"""Vectors that are kept beside a column of text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

__all__ = ["FeaturizedColumn", "StoredVectors"]


class StoredVectors(NamedTuple):
    """Vectors of the rows of a column, D numbers each.

    Attributes
    ----------
    column : Column
        n rows: the numbers, or 0 and 1 as bits, eight to a byte.
    size : int
        D.
    dtype : str
        NumPy's name of the type of the numbers.
    bits : bool
        Whether they are bits.

    Examples
    --------
    >>> StoredVectors(None, 2048, "uint8", True).bits
    True
    """

    column: Any
    size: int
    dtype: str
    bits: bool


class FeaturizedColumn(ABC):
    """A column of text beside which vectors may be kept; datasets then do not compute them again.

    Examples
    --------
    >>> class Kept(FeaturizedColumn):
    ...     def vectors(self, key):
    ...         return None
    >>> Kept().vectors("ecfp4") is None
    True
    """

    @abstractmethod
    def vectors(self, key: str) -> StoredVectors | None:
        """Return the vectors of all rows.

        Parameters
        ----------
        key : str
            What identifies their computation; see `mrl.features.key_of`.

        Returns
        -------
        StoredVectors or None
            None if there are none of that computation.

        Examples
        --------
        See the class.

        >>> FeaturizedColumn.vectors.__name__
        'vectors'
        """
