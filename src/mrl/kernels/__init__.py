"""Loops over flat arrays, compiled by numba for large calls; small calls run in the interpreter or in NumPy."""

from mrl.kernels.decode import decode
from mrl.kernels.encode import BOS, EOS, NO_BYTES, PAD, SPLIT, UNK, TokenTable, encode
from mrl.kernels.gather import copy_spans, locate
from mrl.kernels.jit import expect_calls, numba_available
from mrl.kernels.pad import max_length, pad, pad_parts
from mrl.kernels.shuffle import SHUFFLE_KEYS, shuffle_positions, splitmix64
from mrl.kernels.similarity import leader_groups, nearest, pack_bits, tanimoto

__all__ = [
    "BOS",
    "EOS",
    "NO_BYTES",
    "PAD",
    "SHUFFLE_KEYS",
    "SPLIT",
    "UNK",
    "TokenTable",
    "copy_spans",
    "decode",
    "encode",
    "expect_calls",
    "leader_groups",
    "locate",
    "max_length",
    "nearest",
    "numba_available",
    "pack_bits",
    "pad",
    "pad_parts",
    "shuffle_positions",
    "splitmix64",
    "tanimoto",
]
