"""Which tokens of several pieces a vocabulary learns from a sample of texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mrl.kernels import UNK
from mrl.ragged import Text
from mrl.text.compile.engine import CompiledEngine
from mrl.text.constants import SPECIAL_TOKENS
from mrl.text.learning.pairs import PairMerger
from mrl.text.learning.sampling import TextSample


def learned_merges(engine: CompiledEngine, sample: TextSample, min_count: int) -> Iterator[str]:
    """Yield the texts of tokens of several pieces, the most frequent neighbours first, ties by text.

    Tokens of several pieces that the engine has already are joined first. A text that is a token yet, for another
    purpose (the element ``Sc``, which is also an S and a c), or the name of a token with another text, is joined; only
    the former is yielded.
    """
    texts = sorted(sample.counts)  # the same for any order in which they came
    # Without byte fallback, whatever is not a token as a whole is unknown.
    rule = replace(engine.segmentation, byte_fallback=False)
    ids, _, _ = CompiledEngine(rule, engine.tokens, merging=engine.merging).encode_pieces(Text.of(texts))
    known = np.full(len(engine.tokens), -1)
    names = [""] * len(engine.tokens)
    for i, raw in enumerate(engine.token_bytes):
        text = raw.decode(errors="replace") if i > UNK else ""
        if text in engine.merges or (text and engine.joins(text)):
            known[i], names[i] = i, text
    weights = np.repeat([sample.counts[text] for text in texts], ids.lengths).astype(np.int64)
    merger = PairMerger(known[ids.values], weights, names)

    def wanted(text: str) -> bool:
        return text not in SPECIAL_TOKENS and engine.segmentation.token_text(text) == text

    yield from merger.merges(min_count=max(min_count, 1), wanted=wanted)
