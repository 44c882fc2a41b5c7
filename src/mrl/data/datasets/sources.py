"""`SourceDataset`: what a dataset knows of the datasets that it was made of by `concat` or `mix`."""

from __future__ import annotations

from mrl.data.batch import RequestDataset
from mrl.data.columns import RowIndex
from mrl.data.order.mixed import Mixture
from mrl.errors import DatasetError
from mrl.messages import format_names


class SourceDataset(RequestDataset):
    """The base class of `RowDataset`; see there."""

    mixture: Mixture | None = None
    """Which rows come from which source and how often each is drawn, if `mix` made this dataset."""
    differing_settings: tuple[str, ...] = ()
    """Settings in which the sources differ, if `concat` or `mix` made this dataset."""
    _kept: RowIndex = range(0)  # numbers of the rows among those that the dataset was made from

    def __len__(self) -> int:
        return len(self._kept)

    def rows_by_source(self) -> tuple[RowIndex, ...]:
        """Return the rows of each source of a mixture; all rows, of a dataset that is not one.

        Returns
        -------
        tuple of range or ndarray of int64

        Examples
        --------
        >>> from mrl.data import TextDataset, mix
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C", "CC"], CharacterVocab("C"))
        >>> mix({"a": ds, "b": ds}).rows_by_source()
        (range(0, 2), range(2, 4))
        """
        return (range(len(self)),) if self.mixture is None else self.mixture.sources(self._kept)

    def _require_one_configuration(self) -> None:
        """Raise a DatasetError if new rows could not be configured as all of these are."""
        if self.differing_settings:
            raise DatasetError(
                f"the datasets that this one was made of differ in {format_names(self.differing_settings)}, of which "
                "new rows could have but one; call this on one of those datasets"
            )
