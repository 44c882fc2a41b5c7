"""`TransformedVocab`: another vocabulary, with named functions before and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Self

from mrl.errors import RowError, VocabError
from mrl.ragged import Ragged, Text, as_text
from mrl.text.compile.engine import Encoded, Engine
from mrl.text.constants import UNKNOWN
from mrl.text.coverage import Coverage
from mrl.text.learning.counting import map_blocks
from mrl.text.learning.sampling import TextSample
from mrl.text.vocabs.selfies import selfies_to_smiles, smiles_to_selfies
from mrl.text.vocabs.spans import Span, valid_text
from mrl.text.vocabs.vocab import Vocab


class Transform(NamedTuple):
    """A function of a text, and its inverse."""

    function: Callable[[str], str]
    inverse: Callable[[str], str]


_registered = {"selfies": Transform(smiles_to_selfies, selfies_to_smiles)}


def register_transform(name: str, function: Callable[[str], str], inverse: Callable[[str], str]) -> None:
    """Register a pair of functions under the name by which vocabulary files refer to it; ``"selfies"`` is built in.

    Parameters
    ----------
    name : str
        The name.
    function : callable
        Text to text, applied before a text is cut into tokens.
    inverse : callable
        Text to text, applied to the text of the tokens.

    Raises
    ------
    VocabError
        Other functions are registered under that name.

    Examples
    --------
    >>> register_transform("upside down", lambda text: text[::-1], lambda text: text[::-1])
    """
    made = Transform(function, inverse)
    if _registered.setdefault(name, made) != made:
        raise VocabError(f"another transform is registered as {name!r}, which files may refer to; choose another name")


def _find_transform(name: str, more: Mapping[str, Any]) -> Transform:
    found = more.get(name) or _registered.get(name)
    if found is None:
        raise VocabError(
            f"no transform {name!r} is registered (there are: {', '.join(sorted({*_registered, *more}))}); call "
            f"register_transform({name!r}, function, inverse) first, or pass transforms={{{name!r}: (function, "
            "inverse)} where the vocabulary is made or loaded"
        )
    return Transform(*found)


@dataclass(frozen=True)
class TransformedEngine:
    """An `Engine` that changes texts first and changes decoded texts back, by named transforms in their order."""

    engine: Engine
    transforms: Sequence[tuple[str, Transform]]

    @property
    def kind(self) -> Literal["table", "re", "python"]:
        return self.engine.kind

    @property
    def reason(self) -> str:
        names = (name for name, _ in self.transforms)
        return f"{' and '.join(names)} in Python, then {self.engine.reason}"

    def encode(self, column: Any, threads: int = 1) -> Encoded:
        return self.engine.encode(self.changed(as_text(column)), threads)

    def decode(self, ids: Ragged, unk: str, control: bool = False) -> list[str]:
        _check_no_names(control)
        return [self.change_back(text, row) for row, text in enumerate(self.engine.decode(ids, unk))]

    def coverage(self, text: Text) -> Coverage:
        return self.engine.coverage(self.changed(text))

    def changed(self, text: Text) -> Text:
        """Return all texts after the transforms."""
        return Text.of([self.change(string, row) for row, string in enumerate(text)])

    def change(self, string: str, row: int | None = None) -> str:
        """Return a text after the transforms; an error names the row."""
        for name, transform in self.transforms:
            string = _apply(transform.function, string, f"the transform {name!r}", row)
        return string

    def change_back(self, string: str, row: int | None = None) -> str:
        """Return a text as it was before the transforms; an error names the row."""
        for name, transform in reversed(self.transforms):
            string = _apply(transform.inverse, string, f"the inverse of the transform {name!r}", row)
        return string


def _check_no_names(control: bool) -> None:
    if control:
        raise VocabError(
            "the names of control tokens cannot be changed back by the transforms; decode with the inner vocabulary: "
            "vocab.vocab.decode(ids, control=True)"
        )


def _apply(function: Callable[[str], object], string: str, what: str, row: int | None) -> str:
    where = "" if row is None else f"row {row}: "
    try:
        changed = function(string)
    except Exception as error:  # a user's function may fail in any way
        message = f"{where}{what} fails on {string!r}: {error}"
        raise RowError(message, row=row, column="strings", value=string) from error
    if not isinstance(changed, str):
        message = f"{where}{what} returns {changed!r} for {string!r}; expected a string"
        raise RowError(message, row=row, column="strings", value=string)
    return changed


class TransformedVocab(Vocab):
    """A vocabulary for texts that named functions change before they are cut, and change back after decoding.

    The text comes back exactly if each inverse undoes its function.

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
        A name is not registered.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> dashed = {"dashes": (lambda text: text.replace("\u2212", "-"), lambda text: text)}
    >>> vocab = TransformedVocab(CharacterVocab("NO+-[]"), ["dashes"], transforms=dashed)
    >>> vocab.decode(vocab.encode(["[O\u2212]"]))
    ['[O-]']
    >>> vocab.rules()
    {'transforms': ['dashes'], 'kind': 'character', 'rules': {}}
    >>> vocab.merging_from is None
    True
    """

    kind = "transformed"

    def __init__(
        self, vocab: Vocab, names: Sequence[str], *, transforms: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.vocab, self.names = vocab, list(names)
        self._transforms = [(name, _find_transform(name, transforms)) for name in self.names]
        self.itos, self.stoi, self.unks, self.special_tokens = vocab.itos, vocab.stoi, vocab.unks, vocab.special_tokens
        self.control = vocab.control

    @property
    def _engine(self) -> TransformedEngine:
        return TransformedEngine(self.vocab._engine, self._transforms)

    # The methods without a docstring do for the changed texts what those of `Vocab` do.

    def tokenize(self, input: str) -> list[str]:
        return self.vocab.tokenize(self._engine.change(valid_text(input)))

    def numericalize(self, input: Iterable[str]) -> list[int]:
        return self.vocab.numericalize(input)

    def reconstruct(self, input: Iterable[int], *, unk: str = UNKNOWN, control: bool = False) -> str:
        _check_no_names(control)
        return self._engine.change_back(self.vocab.reconstruct(input, unk=unk))

    def token_text(self, token: str) -> str:
        return self.vocab.token_text(token)

    def spans(self, string: str) -> list[Span]:
        return self.vocab.spans(self._engine.change(valid_text(string)))

    def count_tokens(self, inputs: Any) -> Counter[str]:
        def count(column: Any) -> Counter[str]:
            return self.vocab.count_tokens(self._engine.changed(as_text(column)))

        return sum(map_blocks(count, inputs), Counter())

    def rules(self) -> dict[str, Any]:
        """Return the names of the transforms, and kind and rules of the other vocabulary."""
        return {"transforms": list(self.names), "kind": self.vocab.kind, "rules": self.vocab.rules()}

    @property
    def resegments(self) -> bool:
        return self.vocab.resegments

    @property
    def merging_from(self) -> int | None:
        return self.vocab.merging_from

    def _set_merging(self, merging_from: int | None) -> None:
        self.vocab._set_merging(merging_from)

    def _set_control(self, control: Mapping[str, int]) -> None:
        self.vocab._set_control(control)

    def learn_merges(self, inputs: Any, n: int, *, min_count: int = 2) -> int:
        sample = inputs if isinstance(inputs, TextSample) else TextSample(inputs)
        changed = TextSample(limit=sample.limit)
        for text, count in sample.counts.items():
            changed.count(self._engine.change(text), count)
        return self.vocab.learn_merges(changed, n, min_count=min_count)

    def _append(self, tokens: Iterable[str]) -> int:
        return self.vocab._append(tokens)

    @classmethod
    def _restored(cls, tokens: list[str], rules: dict[str, Any], transforms: Mapping[str, Any]) -> Self:
        inner = cls.kinds[rules["kind"]]._restored(tokens, rules["rules"], transforms)
        if not isinstance(inner, Vocab):
            raise VocabError(f"{rules['kind']!r} is not a vocabulary")
        return cls(inner, rules["transforms"], transforms=transforms)
