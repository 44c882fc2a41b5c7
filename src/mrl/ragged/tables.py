"""Columns as the tables of other libraries: Arrow, and through it pandas and polars."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from mrl.errors import ColumnError
from mrl.formatting import PREVIEW_ROWS, html_preview
from mrl.ragged.ragged import Ragged

__all__ = ["Tabular", "arrow_table"]


def arrow_table(columns: Mapping[str, Any]) -> Any:
    """Return columns as an Arrow table.

    Parameters
    ----------
    columns : mapping of str to column, each of shape (n,)
        `Text`, `Ragged`, NumPy array, Arrow array or list; None is a missing value.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    ColumnError
        A column has values of several types, or of one that Arrow does not have; a ``ValueError``.

    Examples
    --------
    >>> arrow_table({"y": [1.5, None]}).to_pydict()
    {'y': [1.5, None]}
    """
    import pyarrow as pa

    arrays = {}
    for name, column in columns.items():
        try:
            arrays[name] = column.to_arrow() if isinstance(column, Ragged) else pa.array(column)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            problem = f"column {name!r} cannot be an Arrow column ({error}): give it values of one type"
            raise ColumnError(problem, column=name) from error
    return pa.table(arrays)


class Tabular(ABC):
    """A result with rows and named columns, which other libraries take as a table.

    Examples
    --------
    >>> class Masses(Tabular):
    ...     def to_arrow(self):
    ...         return arrow_table({"smiles": ["C", "O"], "mass": [16.04, 18.02]})
    >>> Masses().to_pandas()["mass"].tolist()
    [16.04, 18.02]
    """

    __slots__ = ()

    @abstractmethod
    def to_arrow(self) -> Any:
        """Return the columns as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n rows.

        Examples
        --------
        >>> from mrl.chem import screen
        >>> screen(["CCO", "OCC"]).to_arrow()["unique"].to_pylist()
        [True, False]
        """

    def _repr_html_(self) -> str:
        table = self.to_arrow()
        return html_preview(table.slice(0, PREVIEW_ROWS).to_pydict(), table.num_rows, caption=repr(self))

    def to_pandas(self) -> Any:
        """Return the columns as a pandas DataFrame; see `to_arrow`.

        Returns
        -------
        pandas.DataFrame
            Of n rows, numbered from 0.

        Raises
        ------
        ImportError
            pandas is not installed.

        Examples
        --------
        >>> from mrl.chem import screen
        >>> screen(["CCO", "OCC"]).to_pandas().unique.tolist()
        [True, False]
        """
        table = self.to_arrow()
        try:
            return table.to_pandas()
        except ImportError as error:
            raise ImportError(
                f"to_pandas needs pandas ({error}): pip install pandas, or use to_arrow(), which polars takes as well"
            ) from error
