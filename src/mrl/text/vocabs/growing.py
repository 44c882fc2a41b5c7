"""`GrowingTokens`: tokens that are learned from texts."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

from mrl.arguments import require_integer
from mrl.errors import VocabError
from mrl.ragged import as_text
from mrl.text.compile.engine import CompiledEngine, Engine
from mrl.text.compile.segmentation import Segmentation
from mrl.text.constants import SPECIAL_TOKENS
from mrl.text.learning.counting import PieceCounter, map_blocks
from mrl.text.learning.merging import learned_merges
from mrl.text.learning.sampling import TextSample
from mrl.text.vocabs.tokens import TokenList


class GrowingTokens(TokenList):
    """Tokens that are learned from texts; see `Vocab`."""

    segmentation: Segmentation | None = None

    @property
    def _engine(self) -> Engine:
        raise NotImplementedError

    def tokenize(self, input: str) -> list[str]:
        """Return the tokens of `input`."""
        raise NotImplementedError

    def _append(self, tokens: Iterable[str]) -> int:
        tokens = list(tokens)
        grammar = None if self.segmentation is None else self.segmentation.grammar
        for token in tokens:
            if isinstance(token, str) and self._out_of_grammar(token):
                raise VocabError(f"the token {token!r} is not part of {grammar}; it is never used")
        return super()._append(tokens)

    def _out_of_grammar(self, token: str) -> bool:
        rule = self.segmentation
        return rule is not None and rule.out_of_grammar(token) and any(map(rule.out_of_grammar, rule.pieces(token)))

    def count_tokens(self, inputs: Any) -> Counter[str]:
        """Return how often each token occurs in the texts `inputs` (a column or iterator), known or not.

        The counts of parts add up to those of the whole: a large corpus can be counted in shards, anywhere and in any
        order, for `update_from_counts`. With byte fallback, these are the pieces that could become tokens.

        Raises
        ------
        RowError
            A row is not a string.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab([])
        >>> vocab.count_tokens(["CCO"]) + vocab.count_tokens(["CN"])
        Counter({'C': 3, 'O': 1, 'N': 1})
        """
        engine = self._engine
        if not isinstance(engine, CompiledEngine):
            tokens = (token for text in map_blocks(as_text, inputs) for one in text for token in self.tokenize(one))
            return Counter(token for token in tokens if token not in SPECIAL_TOKENS)
        counter = PieceCounter(engine.segmentation)
        for _ in map_blocks(counter.add, inputs):
            pass
        return Counter({engine.segmentation.token(piece): count for piece, count in counter.counts.items()})

    def update_vocab_from_data(self, inputs: Any, *, min_count: int = 1, max_size: int | None = None) -> int:
        """Add every token of some texts, the most frequent first, ties by text.

        Parameters
        ----------
        inputs : column or iterator of str
            Texts. Only they are counted: what is in `unks` stays there, except for the tokens that were added.
        min_count, max_size : int
            See `update_from_counts`.

        Returns
        -------
        int
            The number of tokens added.

        Raises
        ------
        RowError
            A row is not a string; then no token is added.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab(["C"])
        >>> vocab.update_vocab_from_data(["CNO", "CN"]), vocab.itos[4:]
        (2, ['C', 'N', 'O'])
        """
        added = self.update_from_counts(self.count_tokens(inputs), min_count=min_count, max_size=max_size)
        for token in self.itos[len(self) - added :]:
            self.unks.pop(token, None)
        return added

    def learn_merges(self, inputs: Any, n: int, *, min_count: int = 2) -> int:
        """Add tokens that consist of several pieces, the most frequent neighbours first (byte-pair encoding).

        From then on, pieces that are tokens are joined, from left to right, to the longest token that fits. Pieces are
        never cut: no token contains a part of a bracket atom. Texts get other ids than before, and fewer; what was
        written with the smaller vocabulary is read as before.

        Parameters
        ----------
        inputs : column or iterator of str, or TextSample
            Texts, any number; of more than a million distinct ones, a `TextSample` is learned from.
        n : int
            The number of tokens to add.
        min_count : int
            Rarer neighbours stay apart.

        Returns
        -------
        int
            The number of tokens added: fewer than `n` if no other neighbours are frequent.

        Raises
        ------
        VocabError
            The vocabulary runs no compiled table, which joins the pieces.
        ValueError
            `n` is not an integer of 0 or more.
        RowError
            A row is not a string; then no token is added.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab("CO=")
        >>> vocab.learn_merges(["CC=O", "CCO", "CCC=O"], 2), vocab.itos[-2:]
        (2, ['CC', '=O'])
        >>> vocab.tokenize("OCCC=O")
        ['bos', 'O', 'CC', 'C', '=O', 'eos']
        """
        n = min(require_integer("n", n, 0), sys.maxsize)
        sample = inputs if isinstance(inputs, TextSample) else TextSample(inputs)
        engine = self._engine
        if not isinstance(engine, CompiledEngine) or engine.kind != "table":
            raise VocabError(
                f"{type(self).__name__} cannot join pieces, because it runs no compiled table: {engine.reason}; "
                "choose a pattern that compiles (see engine_reason), or leave out the merges"
            )
        before = len(self)
        texts = learned_merges(engine, sample, min_count)
        added = self._append(list(islice((text for text in texts if text not in self.stoi), n)))
        if added and self.merging_from is None:
            self._set_merging(before)
        return added
