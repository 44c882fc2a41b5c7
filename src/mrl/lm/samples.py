"""Samples: the ids that a model drew, and which rows are whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.formatting import PREVIEW_ROWS, Html, html_preview
from mrl.lm.model import require_accepted
from mrl.ragged import Ragged, Tabular, arrow_table
from mrl.text import Vocab


@dataclass(frozen=True, eq=False, repr=False)
class Samples(Tabular):
    """The result of `sample`: n rows.

    Attributes
    ----------
    ids : Ragged
        Token ids, ``bos`` first; ``eos`` last in the rows that are finished. No padding; the smallest unsigned dtype.
    finished : ndarray of bool, shape (n,)
        Rows that end with ``eos``. The others were cut at the length limit: their text is the beginning of a molecule,
        not a molecule, even where it can be parsed.
    log_probs : Ragged of float64
        Log-probability of each id after ``bos``, in nats, under the model itself: temperature 1, all ids possible. Ids
        of a prompt are included.
    vocab_size, vocab_fingerprint : int, str
        Of the model's vocabulary.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig, sample
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab(["C", "O"])
    >>> samples = sample(LanguageModel(ModelConfig.for_vocab(vocab, hidden=8), seed=1), 3, max_length=10, seed=5)
    >>> samples, samples.log_likelihood.shape
    (Samples(3 rows, 3 finished), (3,))
    >>> len(samples.decode(vocab)), samples.ids.take(samples.finished) == samples.ids
    (3, True)
    """

    ids: Ragged
    finished: NDArray[np.bool_]
    log_probs: Ragged
    vocab_size: int
    vocab_fingerprint: str

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def log_likelihood(self) -> NDArray[np.float64]:
        """Log-probability of each row, float64 (n,): what `log_likelihood` computes."""
        if not len(self):
            return np.zeros(0)
        return np.asarray(np.add.reduceat(self.log_probs.values, self.log_probs.offsets[:-1]), np.float64)

    def decode(self, vocab: Vocab) -> list[str]:
        """Return the text of each row; a row that is not finished is cut.

        Parameters
        ----------
        vocab : Vocab
            The model's vocabulary, or one that has grown from it.

        Returns
        -------
        list of str, n of them

        Raises
        ------
        StateError
            It is another vocabulary; a ValueError.
        """
        require_accepted(vocab, self.vocab_size, self.vocab_fingerprint, "these ids were drawn")
        return vocab.decode(self.ids)

    def to_arrow(self) -> Any:
        """Return the samples as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n rows: ``ids``, ``finished``, ``log_likelihood``. Their text is ``decode(vocab)``.

        Examples
        --------
        >>> from mrl.lm import LanguageModel, ModelConfig, sample
        >>> from mrl.text import CharacterVocab
        >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=1)
        >>> sample(model, 3, seed=5).to_arrow().column_names
        ['ids', 'finished', 'log_likelihood']
        """
        return arrow_table({"ids": self.ids, "finished": self.finished, "log_likelihood": self.log_likelihood})

    def _repr_html_(self) -> Html:
        shown = {
            "tokens": [len(row) for row in self.ids[:PREVIEW_ROWS]],
            "finished": ["yes" if one else "no" for one in self.finished[:PREVIEW_ROWS]],
            "log-likelihood": self.log_likelihood[:PREVIEW_ROWS].tolist(),
            "ids": [" ".join(map(str, row.tolist())) for row in self.ids[:PREVIEW_ROWS]],
        }
        return html_preview(shown, len(self), caption=f"{self!r}; decode(vocab) returns their text")

    def __repr__(self) -> str:
        return f"Samples({len(self):,} rows, {int(self.finished.sum()):,} finished)"
