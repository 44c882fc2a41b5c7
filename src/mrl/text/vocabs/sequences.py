"""Vocabularies of biological sequences: proteins, and nucleic acids by letter or by k-mer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from mrl.errors import VocabError
from mrl.messages import format_value
from mrl.ragged import as_text
from mrl.text.compile.decode import as_ids
from mrl.text.compile.engine import CompiledEngine, Engine
from mrl.text.compile.overlap import Overlap, OverlapEngine
from mrl.text.compile.segmentation import Segmentation
from mrl.text.constants import UNKNOWN
from mrl.text.learning.counting import PieceCounter, map_blocks
from mrl.text.vocabs.character import CharacterVocab
from mrl.text.vocabs.regex import RegexVocab
from mrl.text.vocabs.spans import Span, token_spans, valid_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

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
    """Sequences in words of k letters, one after the other or overlapping; every word of the alphabet is a token.

    Parameters
    ----------
    k : int
        The number of letters of a word.
    stride : int, optional
        The distance from one word to the next, 1 to `k`; `k` if not given. With fewer than k, words overlap, as in
        DNABERT (Ji et al. 2021, doi:10.1093/bioinformatics/btab083). Texts come back exactly; ids in which a word does
        not continue the one before it are not a text, and an error to decode (see `consistent`).
    remainder : {"token", "raise"}
        How to treat fewer than k letters at the end, or in front of a letter outside the alphabet: shorter words are
        tokens as well, and other letters are unknown until they are learned; or everything that is not a whole word is
        an error, with its position.
    alphabet : str
        The letters.
    control : iterable of str
        The names of control tokens; see `Vocab.add_control`.

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
    >>> overlapping = KmerVocab(3, 1)
    >>> overlapping.tokenize("ACGTA"), overlapping.decode(overlapping.encode(["ACGTA", "AC"]))
    (['bos', 'ACG', 'CGT', 'GTA', 'eos'], ['ACGTA', 'AC'])
    """

    kind = "kmer"
    segmentation = Segmentation()
    _overlap: Overlap | None = None

    def __init__(
        self,
        k: int,
        stride: int | None = None,
        remainder: Literal["token", "raise"] = "token",
        alphabet: str = "ACGT",
        *,
        control: Iterable[str] = (),
    ) -> None:
        if isinstance(k, bool) or not isinstance(k, int | np.integer):
            raise VocabError(
                f"k is {format_value(k)}; expected a whole number, the letters of a word: the words follow from k and "
                "the alphabet, as in KmerVocab(3), and are not given"
            )
        if k < 1:
            raise VocabError(f"k is {k}; expected 1 or more letters per word")
        stride = k if stride is None else stride
        if isinstance(stride, bool) or not isinstance(stride, int | np.integer) or not 1 <= stride <= k:
            raise VocabError(
                f"stride is {format_value(stride)}; expected 1 to {k}, which is k: words with gaps between them lose "
                "text"
            )
        if remainder not in ("token", "raise"):
            raise VocabError(f"remainder is {remainder!r}; expected 'token' or 'raise'")
        if not alphabet or len(set(alphabet)) < len(alphabet):
            raise VocabError(f"alphabet is {alphabet!r}; expected letters, each of them once")
        if stride < k and not alphabet.isascii():
            raise VocabError(f"alphabet is {alphabet!r}; words overlap only of ASCII letters: leave out stride")
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
        self.k, self.stride, self.remainder, self.alphabet = int(k), int(stride), remainder, alphabet
        if stride < k:
            self._overlap = Overlap(self.k, self.stride, alphabet)
        if remainder == "raise":
            self.segmentation = Segmentation(
                grammar=f"a sequence of whole words of {k} of the letters {alphabet}; remainder='token' allows others"
            )
        super().__init__(
            ("".join(word) for n in range(k, shortest - 1, -1) for word in product(alphabet, repeat=n)),
            _word_pattern(alphabet, shortest, k),
            control=control,
        )

    def rules(self) -> dict[str, Any]:
        """Return the length of the words, the treatment of shorter ones, the letters, and a stride below k."""
        rules = {"k": self.k, "remainder": self.remainder, "alphabet": self.alphabet}
        return rules if self._overlap is None else rules | {"stride": self.stride}

    @property
    def _engine(self) -> Engine:
        engine = super()._engine
        if self._overlap is None or not isinstance(engine, CompiledEngine):
            return engine
        return OverlapEngine(engine, self._overlap)

    # The methods without a docstring do what those of `Vocab` do, also for words that overlap.

    def tokenize(self, smile: str) -> list[str]:
        if self._overlap is None:
            return super().tokenize(smile)
        OverlapEngine(self._compile(), self._overlap).require_grammar(valid_text(smile))
        return ["bos", *self._overlap.words(smile), "eos"]

    def reconstruct(self, input: Iterable[int], *, unk: str = UNKNOWN, control: bool = False) -> str:
        if self._overlap is None:
            return super().reconstruct(input, unk=unk, control=control)
        engine = OverlapEngine(self._compile(), self._overlap)
        (text,) = engine.decode(as_ids([list(input)]), unk, control).tolist()
        return str(text)

    def consistent(self, ids: Any) -> NDArray[np.bool_]:
        """Return which rows of ids are texts: in each, every word continues the one before it.

        Parameters
        ----------
        ids : Ragged, array or tensor (B, L), or sequence of sequences of int
            B rows of ids, such as those that a model sampled.

        Returns
        -------
        ndarray of bool, shape (B,)
            All True for words that do not overlap.

        Examples
        --------
        >>> vocab = KmerVocab(3, 1)
        >>> ids = vocab.encode(["ACGT", "ACG"])
        >>> vocab.consistent(ids), vocab.consistent([[vocab.stoi["ACG"], vocab.stoi["TTT"]]])
        (array([ True,  True]), array([False]))
        """
        rows = as_ids(ids)
        if self._overlap is None:
            return np.ones(len(rows), bool)
        return OverlapEngine(self._compile(), self._overlap).consistent(rows)

    def spans(self, string: str) -> list[Span]:
        if self._overlap is None:
            return super().spans(string)
        letters = token_spans(
            valid_text(string), [len(character.encode()) for character in string], type(self).__name__
        )
        words = []
        for begin, end in self._overlap.spans(string):
            atoms = tuple(dict.fromkeys(atom for _, _, atom in letters[begin:end] if isinstance(atom, int)))
            words.append((begin, end, (atoms if len(atoms) > 1 else atoms[0]) if atoms else None))
        return [(0, 0, None), *words, (len(string), len(string), None)]

    def count_tokens(self, inputs: Any) -> Counter[str]:
        overlap = self._overlap
        if overlap is None:
            return super().count_tokens(inputs)
        counter, engine = (
            PieceCounter(replace(self.segmentation, grammar=None)),
            OverlapEngine(self._compile(), overlap),
        )

        def count(column: Any) -> None:
            text = as_text(column)
            if self.remainder == "raise":
                engine.encode(text)
            counter.add(overlap.written(text))

        for _ in map_blocks(count, inputs):
            pass
        return counter.counts

    def to_huggingface(self) -> PreTrainedTokenizerFast:
        if self._overlap is not None:
            raise VocabError(
                f"a tokenizer of HuggingFace reads each letter once, so that it has no words that overlap; export "
                f"KmerVocab({self.k}), or give the model the ids of vocab.encode"
            )
        return super().to_huggingface()

    @classmethod
    def _restored(cls, tokens: list[str], rules: dict[str, Any], transforms: Mapping[str, Any]) -> Self:
        vocab = cls(**rules)
        vocab._append(tokens[len(vocab) - len(vocab.special_tokens) :])
        return vocab


def _word_pattern(alphabet: str, shortest: int, k: int) -> str:
    letters = "".join(map(re.escape, alphabet))
    return f"[{letters}]{{{shortest},{k}}}"
