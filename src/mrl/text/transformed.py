"""`TransformedVocab`: another vocabulary, with functions before and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

from mrl.errors import RowError, VocabError
from mrl.ragged import Ragged, Text
from mrl.text._engine import Engine
from mrl.text.constants import UNKNOWN
from mrl.text.coverage import Coverage
from mrl.text.inputs import blocks_of, texts_of
from mrl.text.transforms import Transform, find_transform
from mrl.text.unknown import OnUnknown
from mrl.text.vocab import Vocab

__all__ = ["TransformedVocab"]


class TransformedVocab(Vocab):
    """A vocabulary for texts that named functions change before they are cut, and change back when they are spelled.

    What comes back is what the functions make of it: the text itself if each inverse undoes its function.

    Parameters
    ----------
    vocab : Vocab
        Cuts the changed texts; it is shared, and grows with this one.
    names : sequence of str
        Names of transforms, applied in this order (and undone in the opposite one); see `register_transform`. Files
        keep the names.
    transforms : mapping of str to (function, inverse)
        Transforms that are not registered.

    Raises
    ------
    VocabError
        If a name is not registered.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> dashed = {"dashes": (lambda text: text.replace("\u2212", "-"), lambda text: text)}
    >>> vocab = TransformedVocab(CharacterVocab("NO+-[]"), ["dashes"], transforms=dashed)
    >>> vocab.decode(vocab.encode(["[O\u2212]"]))
    ['[O-]']
    """

    kind = "transformed"

    def __init__(
        self, vocab: Vocab, names: Sequence[str], *, transforms: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.vocab, self.names = vocab, list(names)
        self._transforms = [find_transform(name, transforms) for name in self.names]
        self.special_tokens, self.regroups = vocab.special_tokens, vocab.regroups
        self.itos, self.stoi, self.unks = vocab.itos, vocab.stoi, vocab.unks

    def tokenize(self, input: str) -> list[str]:
        """Cut the changed `input` as the other vocabulary does."""
        return self.vocab.tokenize(self._changed(input))

    def numericalize(self, input: Iterable[str]) -> list[int]:
        """Give the id of each token; see `Vocab.numericalize`."""
        return self.vocab.numericalize(input)

    def reconstruct(self, input: Iterable[int], *, unk: str = UNKNOWN) -> str:
        """Spell the text of `input`, and change it back."""
        return self._changed_back(self.vocab.reconstruct(input, unk=unk))

    def spelling(self, token: str) -> str:
        """Text that `token` stands for in the changed text."""
        return self.vocab.spelling(token)

    def spans(self, string: str) -> list[tuple[int, int, int | None]]:
        """Where each token stands in the changed text; see `Vocab.spans`."""
        return self.vocab.spans(self._changed(string))

    def encode(self, strings: Any, *, on_unknown: OnUnknown = "warn", threads: int = 1) -> Ragged:
        """Turn many texts into ids; see `Vocab.encode`."""
        return self.vocab.encode(self._all_changed(texts_of(strings)), on_unknown=on_unknown, threads=threads)

    def decode(self, ids: Any, *, unk: str = UNKNOWN) -> list[str]:
        """Spell the texts of many rows of ids, and change them back; see `Vocab.decode`."""
        return [self._changed_back(text, row) for row, text in enumerate(self.vocab.decode(ids, unk=unk))]

    def decode_bytes(self, ids: Any, *, unk: str = UNKNOWN) -> Text:
        """Like `decode`, as one flat `Text`."""
        return Text.of(self.decode(ids, unk=unk))

    def coverage(self, strings: Any) -> Coverage:
        """Count what the vocabulary does not cover in the changed texts; see `Vocab.coverage`."""
        return self.vocab.coverage(self._all_changed(texts_of(strings)))

    def count_tokens(self, inputs: Any) -> Counter[str]:
        """Count the tokens of the changed texts; see `Vocab.count_tokens`."""
        counts: Counter[str] = Counter()
        for text in blocks_of(inputs):
            counts += self.vocab.count_tokens(self._all_changed(text))
        return counts

    def rules(self) -> dict[str, Any]:
        """The names of the transforms, and kind and rules of the other vocabulary."""
        return {"transforms": list(self.names), "kind": self.vocab.kind, "rules": self.vocab.rules()}

    @property
    def engine_reason(self) -> str:
        """Why `engine` is what it is."""
        return f"{' and '.join(self.names)} in Python, then {self.vocab.engine_reason}"

    @property
    def _engine(self) -> Engine | None:
        return self.vocab._engine

    def _append(self, tokens: Iterable[str]) -> int:
        return self.vocab._append(tokens)

    @classmethod
    def _restored(cls, tokens: list[str], rules: dict[str, Any], transforms: Mapping[str, Transform]) -> Self:
        inner = cls.kinds[rules["kind"]]._restored(tokens, rules["rules"], transforms)
        if not isinstance(inner, Vocab):
            raise VocabError(f"{rules['kind']!r} is no vocabulary")
        return cls(inner, rules["transforms"], transforms=transforms)

    def _all_changed(self, text: Text) -> Text:
        return Text.of([self._changed(string, row) for row, string in enumerate(text)])

    def _changed(self, string: str, row: int | None = None) -> str:
        for name, transform in zip(self.names, self._transforms, strict=True):
            string = _applied(transform.function, string, f"the transform {name!r}", row)
        return string

    def _changed_back(self, string: str, row: int | None = None) -> str:
        for name, transform in reversed(list(zip(self.names, self._transforms, strict=True))):
            string = _applied(transform.inverse, string, f"the inverse of the transform {name!r}", row)
        return string


def _applied(function: Any, string: str, what: str, row: int | None) -> str:
    where = "" if row is None else f"row {row}: "
    try:
        changed = function(string)
    except Exception as error:  # a user's function may fail in any way
        message = f"{where}{what} fails on {string!r}: {error}"
        raise RowError(message, row=row, column="strings", value=string) from error
    if not isinstance(changed, str):
        message = f"{where}{what} makes {changed!r} of {string!r}; expected a text"
        raise RowError(message, row=row, column="strings", value=string)
    return changed
