"""Vocabularies of single characters: the notebook's two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mrl.errors import VocabError
from mrl.text.compile.segmentation import Segmentation
from mrl.text.tokenize import literal, replacement_pattern
from mrl.text.vocabs.vocab import Vocab


class CharacterVocab(Vocab):
    """Tokens are single characters (Unicode code points).

    Parameters
    ----------
    itos : iterable of str
        The characters, in the order of their ids.
    control : iterable of str
        The names of control tokens; see `Vocab.add_control`.

    Examples
    --------
    >>> vocab = CharacterVocab(["C", "l", "O"])
    >>> vocab.tokenize("CCl")
    ['bos', 'C', 'C', 'l', 'eos']
    """

    kind = "character"
    segmentation = Segmentation()


class CharacterReplaceVocab(Vocab):
    r"""Tokens are single characters, after longer strings were replaced by one character each.

    A replacement character that occurs in the text itself is a token of its own with a backslash in front (``\R``), and
    is learned like any other: ``[Ru]`` never becomes ``[Bru]``.

    Parameters
    ----------
    itos : iterable of str
        The characters, in the order of their ids; replacement characters that are not among them are appended.
    replace_dict : mapping of str to str
        ``{longer string: single character}``; it is copied.
    control : iterable of str
        The names of control tokens; see `Vocab.add_control`.

    Raises
    ------
    VocabError
        A replacement could not be undone: a value of several characters, or one value for two keys.

    Examples
    --------
    >>> vocab = CharacterReplaceVocab(["C", "[", "]"], {"Br": "R", "Cl": "L"})
    >>> vocab.tokenize("CC[Br]"), vocab.token_text("R"), vocab.rules()
    (['bos', 'C', 'C', '[', 'R', ']', 'eos'], 'Br', {'replace_dict': {'Br': 'R', 'Cl': 'L'}})
    >>> vocab.decode(vocab.encode(["ClCBr"]))
    ['ClCBr']
    """

    kind = "character-replace"
    segmentation = Segmentation()

    def __init__(self, itos: Iterable[str], replace_dict: Mapping[str, str], *, control: Iterable[str] = ()) -> None:
        check_replacements(replace_dict)
        self.replace_dict = dict(replace_dict)
        self.reverse_dict = {character: key for key, character in self.replace_dict.items()}
        texts = self.reverse_dict | {literal(character): character for character in self.reverse_dict}
        self.segmentation = Segmentation(replacement_pattern(replace_dict), texts)
        itos = list(itos)
        super().__init__(
            [*itos, *(character for character in self.reverse_dict if character not in itos)], control=control
        )

    def tokenize(self, smile: str) -> list[str]:
        """Return the tokens of `smile` after replacing, with ``bos`` in front and ``eos`` at the end."""
        return super().tokenize(smile)

    def rules(self) -> dict[str, Any]:
        """Return the replacements."""
        return {"replace_dict": dict(self.replace_dict)}


def check_replacements(replacement_dict: Mapping[str, str]) -> None:
    """Raise a VocabError for replacements that cannot be undone."""
    seen: dict[str, str] = {}
    for key, character in replacement_dict.items():
        if not isinstance(key, str) or not key or any("\ud800" <= c <= "\udfff" for c in key):
            raise VocabError(f"replace_dict has the key {key!r}; expected a string of one or more characters")
        if not isinstance(character, str) or len(character) != 1:
            raise VocabError(
                f"replace_dict maps {key!r} to {character!r}; expected a single character, because texts are cut by "
                "character; choose one that does not occur in the texts"
            )
        if character in seen:
            raise VocabError(
                f"replace_dict maps both {seen[character]!r} and {key!r} to {character!r}, which could not be undone; "
                "give each its own character"
            )
        seen[character] = key
