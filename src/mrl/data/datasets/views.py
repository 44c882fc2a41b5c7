"""`ViewDataset`: views of a dataset, and its split into two."""

from __future__ import annotations

import operator
from typing import Any, Self

import numpy as np

from mrl.data.columns import as_row_index
from mrl.data.datasets.rows import RowDataset
from mrl.data.order.randomness import shuffled_positions
from mrl.data.splitting import count_rows, require_rows


class ViewDataset(RowDataset):
    """Some rows of a dataset as another one, which copies none; see `BaseDataset`."""

    def view(self, rows: Any) -> Self:
        """Return some rows, in their order, as a dataset that copies none of them.

        Parameters
        ----------
        rows : range, array of int, or mask
            Which rows.

        Returns
        -------
        BaseDataset

        Raises
        ------
        IndexError
            If they are not rows of this dataset.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> TextDataset(["C", "CC", "CCC"], CharacterVocab("C")).view([2, 0]).smiles.tolist()
        ['CCC', 'C']
        """
        rows = as_row_index(rows, len(self))
        if not self.columns:
            raise NotImplementedError(
                f"{type(self).__name__} has no columns, so its rows are not known here; use ds.add_column, or override "
                "split_on_idxs"
            )
        made = self._copy()
        made._choose(rows if isinstance(rows, range) else rows.copy())  # the caller may go on to change them
        return made

    def split(self, percent_valid: float, seed: int = 0) -> tuple[Self, Self]:
        """Split at random into a training and a validation view.

        Parameters
        ----------
        percent_valid : float
            The fraction for validation, 0 < p < 1; the training part has n * (1 - p) rows, rounded down, exactly. Of
            windows, n is the number of texts, all windows of which are in one part.
        seed : int
            Determines the split: the same seed gives the same one on any machine.

        Returns
        -------
        train, valid : BaseDataset
            Views; disjoint, and together every row; only the training rows are augmented where the dataset is.

        Raises
        ------
        ValueError
            If `percent_valid` is not between 0 and 1, or a part would be empty.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C"] * 10, CharacterVocab(["C"]))
        >>> [len(part) for part in ds.split(0.9)]
        [1, 9]
        """
        if not 0 < percent_valid < 1:
            raise ValueError(f"percent_valid is {percent_valid}; expected a fraction between 0 and 1, such as 0.1")
        windows = self.windows
        texts = np.arange(len(self)) if windows is None else windows.distinct_rows
        n = len(texts)
        train = count_rows(1 - percent_valid, n)
        remedy = "there are too few rows for this fraction; use split_on_idxs, or mrl.split with numbers of rows"
        require_rows((train, n - train), (1 - percent_valid, percent_valid), remedy)
        rows = shuffled_positions(np.arange(n), n, f"split {operator.index(seed)}")
        if windows is None:
            return self.split_on_idxs(rows[:train], rows[train:])
        in_train = np.isin(windows.rows, texts[rows[:train]])
        return self.split_on_idxs(np.flatnonzero(in_train), np.flatnonzero(~in_train))

    def split_on_idxs(self, train_idxs: Any, valid_idxs: Any) -> tuple[Self, Self]:
        """Split into a training and a validation view by row numbers.

        Parameters
        ----------
        train_idxs, valid_idxs : array of int, or mask
            The rows of each.

        Returns
        -------
        train, valid : BaseDataset
            Views; only the training rows are augmented where the dataset is.

        Raises
        ------
        IndexError
            If they are not rows of this dataset.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C", "CC", "CCC"], CharacterVocab("C"))
        >>> [part.smiles.tolist() for part in ds.split_on_idxs([0, 2], [1])]
        [['C', 'CCC'], ['CC']]
        """
        return self.view(train_idxs), self.view(valid_idxs).without_augmentation()
