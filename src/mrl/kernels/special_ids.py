"""The ids 0 to 3, which are the same in every vocabulary and are compiled into the kernels."""

__all__ = ["BOS", "EOS", "PAD", "UNK"]

BOS, EOS, PAD, UNK = range(4)
"""Beginning of a text, its end, padding, and a token that is not in the vocabulary."""
