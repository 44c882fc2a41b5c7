"""StackedColumns: columns of numbers side by side."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.corpus.store.column import StoredColumn


class StackedColumns:
    """Columns of numbers side by side as one column, (n, T).

    Parameters
    ----------
    columns : list of StoredColumn
        T of them.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.corpus import Table, open_corpus, save_corpus
    >>> from mrl.ragged import Text
    >>> columns = {"smiles": Text.of(["CCO", "C"]), "a": np.array([0.5, 1.5]), "b": np.array([1, 0])}
    >>> folder = tempfile.mkdtemp()
    >>> save_corpus(Table(columns, targets=("a", "b")), folder)
    >>> y = open_corpus(folder).y
    >>> y, y.shape, y.dtype, len(y.digest)
    (StackedColumns(a, b), (2, 2), dtype('float64'), 64)
    """

    def __init__(self, columns: list[StoredColumn]) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that holds all of them."""
        return np.result_type(*(column.dtype for column in self._columns))

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, T)."""
        return len(self), len(self._columns)

    def take(self, rows: Any) -> NDArray[Any]:
        """Return some rows.

        Parameters
        ----------
        rows : array of int, or mask
            Which rows, in any order, repeats allowed.

        Returns
        -------
        ndarray, shape (k, T)

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> from mrl.ragged import Text
        >>> folder = tempfile.mkdtemp()
        >>> columns = {"smiles": Text.of(["CCO", "C"]), "a": np.array([0.5, 1.5]), "b": np.array([1, 0])}
        >>> save_corpus(Table(columns, targets=("a", "b")), folder)
        >>> open_corpus(folder).y.take([1])
        array([[1.5, 0. ]])
        """
        return np.stack([column.take(rows) for column in self._columns], axis=1)

    def __getitem__(self, index: Any) -> Any:
        return np.stack([column[index] for column in self._columns], axis=-1)

    def tolist(self) -> list[Any]:
        """Return all rows as lists of T numbers.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> from mrl.ragged import Text
        >>> folder = tempfile.mkdtemp()
        >>> columns = {"smiles": Text.of(["CCO", "C"]), "a": np.array([0.5, 1.5]), "b": np.array([1, 0])}
        >>> save_corpus(Table(columns, targets=("a", "b")), folder)
        >>> open_corpus(folder).y.tolist()
        [[0.5, 1.0], [1.5, 0.0]]
        """
        values: list[Any] = np.asarray(self).tolist()
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.stack([np.asarray(column) for column in self._columns], axis=1).astype(dtype or self.dtype)

    @property
    def digest(self) -> str:
        """A hash of the digests of the columns."""
        return hashlib.sha256("\n".join(column.digest for column in self._columns).encode()).hexdigest()

    def __repr__(self) -> str:
        return f"StackedColumns({', '.join(column.name for column in self._columns)})"
