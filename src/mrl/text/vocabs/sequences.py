"""Vocabularies of biological sequences: proteins, and nucleic acids by letter or by k-mer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, Literal, Self

import numpy as np

from mrl.errors import VocabError
from mrl.messages import format_value
from mrl.text.compile.segmentation import Segmentation
from mrl.text.vocabs.character import CharacterVocab
from mrl.text.vocabs.regex import RegexVocab

_MAX_WORDS = 1 << 20
_MAX_LETTERS = 1000  # of a word


class AminoAcidVocab(CharacterVocab):
    """Proteins by letter, in the one-letter code of IUPAC (doi:10.1111/j.1432-1033.1984.tb07877.x).

    The 20 standard amino acids, ``U`` and ``O``, the ambiguous ``B``, ``J``, ``X`` and ``Z``, gap ``-`` and stop ``*``.

    Parameters
    ----------
    itos : iterable of str, optional
        Other letters.
    control : iterable of str
        The names of control tokens; see `Vocab.add_control`.

    Examples
    --------
    >>> AminoAcidVocab().encode(["MK*"])[0]
    array([ 0, 14, 12, 31,  1], dtype=uint8)
    """

    kind = "amino-acid"

    def __init__(self, itos: Iterable[str] = "ACDEFGHIKLMNPQRSTVWYUOBJXZ-*", *, control: Iterable[str] = ()) -> None:
        super().__init__(itos, control=control)


class NucleotideVocab(CharacterVocab):
    """DNA and RNA by letter, in the code of IUPAC (doi:10.1093/nar/13.9.3021).

    ``A``, ``C``, ``G``, ``T``, ``U``, the ambiguous ``R Y S W K M B D H V N``, and the gap ``-``.

    Parameters
    ----------
    itos : iterable of str, optional
        Other letters.
    control : iterable of str
        The names of control tokens; see `Vocab.add_control`.

    Examples
    --------
    >>> NucleotideVocab().encode(["ACGTN"])[0]
    array([ 0,  4,  5,  6,  7, 19,  1], dtype=uint8)
    """

    kind = "nucleotide"

    def __init__(self, itos: Iterable[str] = "ACGTURYSWKMBDHVN-", *, control: Iterable[str] = ()) -> None:
        super().__init__(itos, control=control)


class KmerVocab(RegexVocab):
    """Sequences in words of k letters, one after the other; every word of the alphabet is a token.

    Parameters
    ----------
    k : int
        The number of letters of a word.
    stride : int, optional
        The distance from one word to the next; only `k` is allowed. Overlapping words would write each letter several
        times, so that a sequence of tokens need not be a text, and words with gaps between them would lose text.
    remainder : {"token", "raise"}
        How to treat fewer than k letters at the end, or in front of a letter outside the alphabet: shorter words are
        tokens as well, and other letters are unknown until they are learned; or everything that is not a whole word is
        an error, with its position.
    alphabet : str
        The letters.

    Raises
    ------
    VocabError
        `k`, `stride`, `remainder` or `alphabet` is invalid, or there would be more than a million words.

    Examples
    --------
    >>> vocab = KmerVocab(3)
    >>> vocab.tokenize("ACGTA"), vocab.rules()
    (['bos', 'ACG', 'TA', 'eos'], {'k': 3, 'remainder': 'token', 'alphabet': 'ACGT'})
    >>> len(vocab), len(KmerVocab(3, remainder="raise"))
    (88, 68)
    """

    kind = "kmer"

    def __init__(
        self, k: int, stride: int | None = None, remainder: Literal["token", "raise"] = "token", alphabet: str = "ACGT"
    ) -> None:
        if isinstance(k, bool) or not isinstance(k, int | np.integer):
            raise VocabError(
                f"k is {format_value(k)}; expected a whole number, the letters of a word: the words follow from k and "
                "the alphabet, as in KmerVocab(3), and are not given"
            )
        if k < 1:
            raise VocabError(f"k is {k}; expected 1 or more letters per word")
        if stride not in (None, k):
            raise VocabError(
                f"stride is {stride}, expected {k}, which is k: "
                + (
                    "words that overlap write letters several times, so that tokens need not give one text"
                    if 0 < stride < k
                    else "words with gaps between them lose text"
                )
            )
        if remainder not in ("token", "raise"):
            raise VocabError(f"remainder is {remainder!r}; expected 'token' or 'raise'")
        if not alphabet or len(set(alphabet)) < len(alphabet):
            raise VocabError(f"alphabet is {alphabet!r}; expected letters, each of them once")
        shortest = 1 if remainder == "token" else k
        if k > _MAX_LETTERS:
            raise VocabError(f"k is {k}; expected at most {_MAX_LETTERS} letters per word: choose a smaller k")
        if (words := sum(len(alphabet) ** n for n in range(shortest, k + 1))) > _MAX_WORDS:
            shown = f"{words:,}" if words < 10**12 else "more than a trillion"
            raise VocabError(
                f"there are {shown} words of {k} of these {len(alphabet)} letters, too many for a vocabulary; choose a "
                f"smaller k, or learn those that occur: vocab = RegexVocab([], {_word_pattern(alphabet, 1, k)!r}); "
                "vocab.update_vocab_from_data(texts)"
            )
        self.k, self.remainder, self.alphabet = k, remainder, alphabet
        if remainder == "raise":
            self.segmentation = Segmentation(
                grammar=f"a sequence of whole words of {k} of the letters {alphabet}; remainder='token' allows others"
            )
        super().__init__(
            ("".join(word) for n in range(k, shortest - 1, -1) for word in product(alphabet, repeat=n)),
            _word_pattern(alphabet, shortest, k),
        )

    def rules(self) -> dict[str, Any]:
        """Return the length of the words, the treatment of shorter ones, and the letters."""
        return {"k": self.k, "remainder": self.remainder, "alphabet": self.alphabet}

    @classmethod
    def _restored(cls, tokens: list[str], rules: dict[str, Any], transforms: Mapping[str, Any]) -> Self:
        vocab = cls(**rules)
        vocab._append(tokens[len(vocab) - len(vocab.special_tokens) :])
        return vocab


def _word_pattern(alphabet: str, shortest: int, k: int) -> str:
    letters = "".join(map(re.escape, alphabet))
    return f"[{letters}]{{{shortest},{k}}}"
