"""Fields of token ids: texts as they are, and texts that are rewritten in each epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl import kernels
from mrl.data.columns import Rows64, View
from mrl.data.fields.field import Field, row_blocks
from mrl.data.fields.selection import RowSelection
from mrl.data.order.randomness import row_keys
from mrl.errors import RowError
from mrl.ragged import Ragged, Text, TokenizedColumn
from mrl.text import UNK, Vocab

Augment = Callable[[str, int], str]

_IDS_PER_ROW = 32  # about, of molecules


def token_field(
    text: Any, vocab: Vocab, *, augment: Augment | None = None, seed: int = 0, max_length: int | None = None
) -> Tokens | AugmentedTokens:
    """Return the token ids of a text column as a field, augmented if `augment` is given; see `AugmentedTokens`."""
    tokens = Tokens(text, vocab)
    return tokens if augment is None else AugmentedTokens(tokens, augment, seed=seed, max_length=max_length)


class Tokens(Field):
    """The token ids of a text column: int64 (L,) in a sample, `RowSelection` in a batch.

    Texts in memory are encoded once, at the first use, and again when the vocabulary has grown and that could change
    an id. Columns on disk are encoded batch by batch, unless their ids are kept beside them.

    Parameters
    ----------
    text : column of str
        n texts.
    vocab : Vocab
        Tokenizes and numbers them.
    name : str
        The name of the part in a batch.
    width : int, optional
        The width that every batch has.
    ids : Ragged, optional
        The ids of the texts, if they are known already; they are then taken as they are.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> field = Tokens(Text.of(["CO", "C"]), CharacterVocab("CO"))
    >>> field.sample(0), field.lengths()
    ((tensor([0, 4, 5, 1]),), array([4, 3]))
    >>> field.ids.tolist()
    [[0, 4, 5, 1], [0, 4, 1]]
    """

    def __init__(
        self, text: Any, vocab: Vocab, *, name: str = "tokens", width: int | None = None, ids: Ragged | None = None
    ) -> None:
        self.text = text
        self.vocab = vocab
        self.names = (name,)
        self.width = width
        self._ids = ids
        self._all: RowSelection | None = None  # the arrays of the ids
        self._fixed = ids is not None or not isinstance(text, Text)
        self._encoded_with = len(vocab)  # tokens that the vocabulary had
        self._may_change = False  # with a vocabulary that has grown
        self._on_disk: tuple[int, Any] = (-1, None)  # tokens that the vocabulary had, and ids that are kept

    @property
    def ids(self) -> Ragged | None:
        """The ids of every stored row; None for a column that is not in memory."""
        if self._fixed:
            return self._ids
        if self._ids is None or (self._may_change and self._encoded_with != len(self.vocab)):
            self._ids, self._all = self.vocab.encode(self.text), None
            # A row of known tokens stays the same whatever is added, unless the class tokenizes by what it knows.
            own_code = self.vocab.engine == "python"
            self._may_change = bool((self._ids.values == UNK).any()) or self.vocab.resegments or own_code
            self._encoded_with = len(self.vocab)
        return self._ids

    def prepare(self) -> None:
        _ = self.ids

    def _read(self, rows: Rows64) -> RowSelection:
        """Return rows that are not in memory: ids that are kept, where they lie, or texts that are encoded now."""
        known, kept = self._on_disk
        if known != len(self.vocab):
            kept = kept_ids(self.text, self.vocab)
            self._on_disk = len(self.vocab), kept
            # An epoch is many small calls.
            encodes = kept is None and self.vocab.engine == "table"
            kernels.expect_calls(_IDS_PER_ROW * len(self.text), fallback="python" if encodes else "numpy")
        if kept is None:
            return RowSelection.of(self.vocab.encode(self.text.take(rows)), width=self.width)
        values, spans = kept.spans(rows)
        return RowSelection.of_spans(values, spans, self.width)

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[RowSelection]:
        ids = self.ids
        if ids is None:
            return (self._read(rows),)
        if self._all is None:
            self._all = RowSelection.of(ids, rows, self.width)
        return (self._all._replace(rows=rows),)

    def lengths(self) -> NDArray[np.int64]:
        ids = self.ids
        if ids is not None:
            return ids.lengths
        return np.concatenate([self._read(rows).lengths for rows in row_blocks(len(self.text))])

    def with_ids(self, column: Any, ids: Ragged) -> Tokens:
        if column is not self.text:
            return self
        return Tokens(self.text, self.vocab, name=self.names[0], width=self.width, ids=ids)

    def fingerprint(self) -> str:
        given = self._ids.digest if self._fixed and self._ids is not None else ""
        return f"{super().fingerprint()} {self.vocab.fingerprint()} {self.width} {given}"


def kept_ids(text: Any, vocab: Vocab) -> Any:
    """Return the column of ids that are kept beside a column of text on disk; None if there are none of `vocab`."""
    base = text.column if isinstance(text, View) else text
    if not isinstance(base, TokenizedColumn) or vocab.engine == "python":  # whose code no fingerprint covers
        return None
    ids = base.token_ids(vocab.fingerprint())
    return View(ids, text.rows) if isinstance(text, View) and ids is not None else ids


class AugmentedTokens(Field):
    """The token ids of texts that are rewritten in each epoch, such as randomised SMILES.

    Parameters
    ----------
    tokens : Tokens
        The texts as they are.
    augment : callable
        ``augment(text, key)`` returns the text in another notation; `key`, 0 <= key < 2**63, selects which.
    seed : int
        With the epoch and the row it determines the key.
    max_length : int, optional
        A text that augmentation makes longer than this many ids stays as it is.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> tokens = Tokens(Text.of(["CO"]), CharacterVocab("CO"))
    >>> field = AugmentedTokens(tokens, lambda text, key: text[::-1])
    >>> field.sample(0), field.without_augmentation().sample(0)
    ((tensor([0, 5, 4, 1]),), (tensor([0, 4, 5, 1]),))
    """

    compiled = False
    random = True

    def __init__(self, tokens: Tokens, augment: Augment, *, seed: int = 0, max_length: int | None = None) -> None:
        self.tokens = tokens
        self.augment = augment
        self.seed = seed
        self.max_length = max_length
        self.names = tokens.names
        self.vocab = tokens.vocab

    def prepare(self) -> None:
        self.tokens.prepare()

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[RowSelection]:
        texts = self.tokens.text.take(rows).tolist()
        keys = (row_keys(self.seed, epoch, rows, "augment") >> np.uint64(1)).tolist()
        rewritten = [self._rewrite(*each) for each in zip(rows.tolist(), texts, keys, strict=True)]
        ids = self.tokens.vocab.encode(rewritten)
        if self.max_length is not None and (ids.lengths > self.max_length).any():
            long = (ids.lengths > self.max_length).tolist()
            kept = [text if too_long else new for text, new, too_long in zip(texts, rewritten, long, strict=True)]
            ids = self.tokens.vocab.encode(kept)
        return (RowSelection.of(ids),)

    def _rewrite(self, row: int, text: str, key: int) -> str:
        try:
            new = self.augment(text, key)
        except Exception as error:
            raise RowError(
                f"augment failed for row {row}, {text!r}: {type(error).__name__}: {error}; remove such rows, or let "
                "augment return the text unchanged",
                row=row,
                column="smiles",
                value=text,
            ) from error
        if not isinstance(new, str):
            raise RowError(
                f"augment returned {new!r} for row {row}, {text!r}; expected a str",
                row=row,
                column="smiles",
                value=text,
            )
        return new

    def lengths(self) -> NDArray[np.int64]:
        return self.tokens.lengths()

    def with_ids(self, column: Any, ids: Ragged) -> AugmentedTokens:
        return AugmentedTokens(
            self.tokens.with_ids(column, ids), self.augment, seed=self.seed, max_length=self.max_length
        )

    def without_augmentation(self) -> Tokens:
        return self.tokens

    def fingerprint(self) -> str:
        name = f"{getattr(self.augment, '__module__', '')}.{getattr(self.augment, '__qualname__', type(self.augment))}"
        settings = f"{name} {self.seed} {self.max_length}"
        return f"{super().fingerprint()} {self.tokens.fingerprint()} {hashlib.sha256(settings.encode()).hexdigest()}"
