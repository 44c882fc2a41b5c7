"""Vocabularies of sequences: proteins, nucleic acids by letter or by k-mer, and SELFIES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, Literal, Self

from mrl.errors import VocabError
from mrl.text.selfies import installed_version
from mrl.text.transforms import Transform
from mrl.text.vocabs import CharacterVocab, GaplessVocab

__all__ = ["AminoAcidVocab", "KmerVocab", "NucleotideVocab", "SelfiesVocab"]

_MOST_WORDS = 1 << 20
_SELFIES = r"\[[^\[\]]*]|\."


class AminoAcidVocab(CharacterVocab):
    """Proteins by letter, in the one-letter code of IUPAC (doi:10.1111/j.1432-1033.1984.tb07877.x).

    The 20 standard amino acids, ``U`` and ``O``, the ambiguous ``B``, ``J``, ``X`` and ``Z``, gap ``-`` and stop ``*``.

    Parameters
    ----------
    itos : iterable of str, optional
        Other letters.

    Examples
    --------
    >>> AminoAcidVocab().encode(["MK*"])[0]
    array([ 0, 14, 12, 31,  1], dtype=uint8)
    """

    kind = "amino-acid"

    def __init__(self, itos: Iterable[str] = "ACDEFGHIKLMNPQRSTVWYUOBJXZ-*") -> None:
        super().__init__(itos)

    def _rule(self) -> None:
        return None


class NucleotideVocab(CharacterVocab):
    """DNA and RNA by letter, in the code of IUPAC (doi:10.1093/nar/13.9.3021).

    ``A``, ``C``, ``G``, ``T``, ``U``, the ambiguous ``R Y S W K M B D H V N``, and the gap ``-``.

    Parameters
    ----------
    itos : iterable of str, optional
        Other letters.

    Examples
    --------
    >>> NucleotideVocab().encode(["ACGTN"])[0]
    array([ 0,  4,  5,  6,  7, 19,  1], dtype=uint8)
    """

    kind = "nucleotide"

    def __init__(self, itos: Iterable[str] = "ACGTURYSWKMBDHVN-") -> None:
        super().__init__(itos)

    def _rule(self) -> None:
        return None


class KmerVocab(GaplessVocab):
    """Sequences in words of k letters, one after the other; every word of the alphabet is a token.

    Parameters
    ----------
    k : int
        Letters of a word.
    stride : int, optional
        Letters from one word to the next: k. Words that overlap write each letter several times, so that a sequence of
        such tokens need not be any text (nor its letters agree), and words that leave gaps lose text; both are refused.
    remainder : {"token", "raise"}
        What becomes of fewer than k letters at the end, or before a letter of no word: shorter words are tokens as
        well, and other letters unknown until they are learned; or all that is no whole word is refused with its
        position.
    alphabet : str
        The letters.

    Raises
    ------
    VocabError
        If `k`, `stride` or `alphabet` cannot be, or there would be more than a million words.

    Examples
    --------
    >>> KmerVocab(3).tokenize("ACGTA")
    ['bos', 'ACG', 'TA', 'eos']
    >>> len(KmerVocab(3)), len(KmerVocab(3, remainder="raise"))
    (88, 68)
    """

    kind = "kmer"

    def __init__(
        self,
        k: int,
        stride: int | None = None,
        remainder: Literal["token", "raise"] = "token",
        alphabet: str = "ACGT",
    ) -> None:
        if k < 1:
            raise VocabError(f"k is {k}; expected 1 or more letters for a word")
        if stride not in (None, k):
            raise VocabError(
                f"stride is {stride}, expected {k}, which is k: "
                + (
                    "words that overlap write letters several times, so that tokens would not spell one text"
                    if 0 < stride < k
                    else "words with gaps between them lose text"
                )
            )
        if remainder not in ("token", "raise"):
            raise VocabError(f"remainder is {remainder!r}; expected 'token' or 'raise'")
        if not alphabet or len(set(alphabet)) < len(alphabet):
            raise VocabError(f"alphabet is {alphabet!r}; expected letters, each of them once")
        shortest = 1 if remainder == "token" else k
        if (words := sum(len(alphabet) ** n for n in range(shortest, k + 1))) > _MOST_WORDS:
            raise VocabError(
                f"there are {words:,} words of {k} of these {len(alphabet)} letters, too many to have them all; take a "
                "smaller k, or learn those that occur: RegexVocab([], '[ACGT]{1,12}').update_vocab_from_data(texts)"
            )
        self.k, self.remainder, self.alphabet = k, remainder, alphabet
        self.language = (
            f"a sequence of whole words of {k} of the letters {alphabet}; remainder='token' allows for others"
        )
        letters = "".join(map(re.escape, alphabet))
        super().__init__(
            ("".join(word) for n in range(k, shortest - 1, -1) for word in product(alphabet, repeat=n)),
            f"[{letters}]{{{shortest},{k}}}",
        )

    def rules(self) -> dict[str, Any]:
        """Length of the words, what becomes of shorter ones, and the letters."""
        return {"k": self.k, "remainder": self.remainder, "alphabet": self.alphabet}

    def _is_foreign(self, piece: str) -> bool:
        return self.remainder == "raise" and super()._is_foreign(piece)

    @classmethod
    def _restored(cls, tokens: list[str], rules: dict[str, Any], transforms: Mapping[str, Transform]) -> Self:
        vocab = cls(**rules)
        vocab._append(tokens[len(vocab) - len(vocab.special_tokens) :])
        return vocab


class SelfiesVocab(GaplessVocab):
    r"""Tokens are the symbols of SELFIES; what is no SELFIES is refused with the position.

    Nothing is converted here: SMILES become SELFIES by `smiles_to_selfies`, or within
    ``TransformedVocab(SelfiesVocab(), ["selfies"])``, which takes SMILES and gives SMILES.

    Parameters
    ----------
    itos : iterable of str
        The symbols, in the order of their ids.
    version : str or None
        The version of the package ``selfies`` that the symbols are of, which is kept in the file; by default the one
        that is installed, None if there is none.

    Raises
    ------
    VocabError
        If a token is no symbol of SELFIES.

    Examples
    --------
    >>> vocab = SelfiesVocab(["[C]", "[=Branch1]", "[nop]", "."])
    >>> vocab.tokenize("[C][=Branch1][C].[nop]")[1:-1]
    ['[C]', '[=Branch1]', '[C]', '.', '[nop]']
    """

    kind = "selfies"
    language = "SELFIES, which consist of symbols in brackets and dots; smiles_to_selfies converts SMILES"

    def __init__(self, itos: Iterable[str] = (), version: str | None = "installed") -> None:
        super().__init__(itos, _SELFIES)
        self.version = installed_version() if version == "installed" else version

    def rules(self) -> dict[str, Any]:
        """The version of ``selfies``."""
        return {"version": self.version}
