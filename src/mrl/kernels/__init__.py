"""Loops over flat arrays, compiled where there is much to do, and the same without a compiler where there is little."""

from mrl.kernels._jit import available
from mrl.kernels.gather import pad, width_of
from mrl.kernels.scan import TokenTable, encode
from mrl.kernels.shuffle import ROUNDS, shuffled
from mrl.kernels.similarity import leader_groups, nearest, pack_bits, tanimoto
from mrl.kernels.spell import decode

__all__ = [
    "ROUNDS",
    "TokenTable",
    "available",
    "decode",
    "encode",
    "leader_groups",
    "nearest",
    "pack_bits",
    "pad",
    "shuffled",
    "tanimoto",
    "width_of",
]
