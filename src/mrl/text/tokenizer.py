"""Token by token in Python: what a subclass overrides, and the readable specification of the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from operator import index

from mrl.errors import TokenIdError, VocabError
from mrl.ragged import Ragged, Text
from mrl.text.atoms import atoms_by_character
from mrl.text.constants import EOS, SPECIAL_TOKENS, UNK, UNKNOWN
from mrl.text.tokens import TokenList

__all__ = ["Tokenizer"]


class Tokenizer(TokenList):
    """The part of a vocabulary that deals with one text at a time; see `Vocab`."""

    def tokenize(self, input: str) -> list[str]:
        """Cut `input` into tokens, ``bos`` before and ``eos`` behind.

        Parameters
        ----------
        input : str
            Any text; a subclass says where its tokens end.

        Returns
        -------
        list of str
            The tokens; those between ``bos`` and ``eos`` spell `input`.

        Raises
        ------
        NotImplementedError
            In this base class, which has no rule.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say where tokens end; use CharacterVocab, CharacterReplaceVocab or "
            "RegexVocab, or override tokenize in a subclass"
        )

    def numericalize(self, input: Iterable[str]) -> list[int]:
        """Give the id of each token; a token that is not in the vocabulary gets 3 and is counted in `unks`.

        Parameters
        ----------
        input : iterable of str
            Tokens, as `tokenize` returns them.

        Returns
        -------
        list of int
            One id per token.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> vocab = Vocab(["C"])
        >>> vocab.numericalize(["bos", "C", "Si", "eos"]), vocab.unks
        ([0, 4, 3, 1], Counter({'Si': 1}))
        """
        stoi = self.stoi
        ids = []
        for token in input:
            i = stoi.get(token)
            if i is None:
                self.unks[token] += 1
                i = UNK
            ids.append(i)
        return ids

    def reconstruct(self, input: Iterable[int], *, unk: str = UNKNOWN) -> str:
        r"""Spell the text of `input`: stop at ``eos``, skip ``bos`` and ``pad``, write `unk` for id 3.

        Parameters
        ----------
        input : iterable of int
            Ids: a list, an array, a tensor of one dimension.
        unk : str
            What stands for an unknown token; U+FFFD by default, which no molecule contains.

        Returns
        -------
        str
            The text.

        Raises
        ------
        TokenIdError
            (An IndexError.) If an id is negative or not below the number of tokens.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> Vocab(["C", "O"]).reconstruct([0, 4, 4, 5, 1, 2, 2])
        'CCO'
        """
        itos, n = self.itos, len(self.itos)
        pieces = []
        for item in input:
            i = index(item)
            if not 0 <= i < n:
                raise TokenIdError(
                    f"id {i} is no id of this vocabulary, which has the ids 0 to {n - 1}; the ids were written with "
                    "another vocabulary, or by a model with more outputs than tokens",
                    id=i,
                )
            if i == EOS:
                break
            if i == UNK:
                pieces.append(unk)
            elif i > UNK:
                pieces.append(self.spelling(itos[i]))
        return "".join(pieces)

    def spelling(self, token: str) -> str:
        """Text that `token` stands for: itself, unless a subclass replaces some."""
        return token

    def prefixes(self, ids: Iterable[int]) -> list[str]:
        """Spell what had been written after each id, for a reward per step.

        Parameters
        ----------
        ids : iterable of int
            One sample.

        Returns
        -------
        list of str
            ``len(ids)`` texts; element i is the text of ``ids[:i + 1]``.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> Vocab(["C", "O"]).prefixes([0, 4, 5, 1])
        ['', 'C', 'CO', 'CO']
        """
        row = list(ids)
        return [self.reconstruct(row[: i + 1]) for i in range(len(row))]

    def spans(self, string: str) -> list[tuple[int, int, int | None]]:
        """Tell for each token of `tokenize` where it stands in the text, and to which atom of a SMILES it belongs.

        Parameters
        ----------
        string : str
            One text.

        Returns
        -------
        list of (int, int, int or None)
            Begin and end in code points, and the number of the atom, from 0 in the order of the text (as RDKit numbers
            the atoms that it reads, explicit hydrogens included). The atom is None for what is no part of an atom and
            for a token of several. ``bos`` and ``eos`` are empty spans; a token that is one byte of a code point has
            the span of that code point.

        Raises
        ------
        VocabError
            If the tokens of a subclass do not spell the text.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> CharacterVocab([]).spans("C=Cl")
        [(0, 0, None), (0, 1, 0), (1, 2, None), (2, 3, 1), (3, 4, 1), (4, 4, None)]
        """
        atoms = atoms_by_character(string)
        characters = [i for i, character in enumerate(string) for _ in character.encode()]  # of each byte
        found: list[tuple[int, int, int | None]] = []
        at = 0
        for token in self.tokenize(string):
            size = 0 if token in SPECIAL_TOKENS else len(self._bytes_of(token))
            begin = characters[at] if at < len(characters) else len(string)
            end = characters[at + size - 1] + 1 if 0 < size <= len(characters) - at else begin
            inside = {atom for atom in atoms[begin:end] if atom is not None}
            found.append((begin, end, inside.pop() if len(inside) == 1 else None))
            at += size
        if at != len(characters):
            raise VocabError(
                f"the tokens of {type(self).__name__} do not spell {string!r}, so that they have no place in it; give "
                "the class a method `spelling` that says what each token stands for"
            )
        return found

    def _bytes_of(self, token: str) -> bytes:
        return self.spelling(token).encode(errors="surrogateescape")

    def _unknown(self, string: str) -> Iterator[tuple[str, int]]:
        """Each token of a text that is none of the vocabulary, and its position in characters."""
        at = 0
        for token in self.tokenize(string):
            if token not in self.stoi:
                yield token, at
            at += len(self.spelling(token)) if token not in SPECIAL_TOKENS else 0

    def _encode_by_methods(self, text: Text) -> tuple[Ragged, list[tuple[int, str, int]], int]:
        """Row by row, by the methods of a subclass: ids, what is no token (row, token, position), and how many."""
        rows: list[list[int]] = []
        missing: list[tuple[int, str, int]] = []
        kept, self.unks = self.unks, Counter()  # encode writes nothing to the vocabulary
        try:
            for row, string in enumerate(text):
                tokens = self.tokenize(string)
                ids = self.numericalize(tokens)
                rows.append(ids)
                if UNK in ids:
                    spelled = ("" if token in SPECIAL_TOKENS else self.spelling(token) for token in tokens)
                    places = accumulate(map(len, spelled), initial=0)
                    missing += [(row, token, at) for token, at, i in zip(tokens, places, ids, strict=False) if i == UNK]
        finally:
            self.unks = kept
        return Ragged.from_rows(rows, self.dtype), missing, len(missing)
