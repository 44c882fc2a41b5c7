"""Collate functions: from the samples of a batch to tensors."""

from mrl.data.collate.named import dict_collate
from mrl.data.collate.padding import NO_PADDING, Padding
from mrl.data.collate.sequences import (
    batch_sequences,
    lm_collate,
    next_token_pairs,
    pad_rows,
    parts_of,
    sequence_prediction_collate,
    stack_numbers,
    transpose,
    vector_collate,
    vector_prediction_collate,
    vector_reconstruction_collate,
)
from mrl.data.collate.tasks import (
    block_mask,
    masked_collate,
    packed_collate,
    pair_collate,
    prompt_collate,
)

__all__ = [
    "NO_PADDING",
    "Padding",
    "batch_sequences",
    "block_mask",
    "dict_collate",
    "lm_collate",
    "masked_collate",
    "next_token_pairs",
    "packed_collate",
    "pad_rows",
    "pair_collate",
    "parts_of",
    "prompt_collate",
    "sequence_prediction_collate",
    "stack_numbers",
    "transpose",
    "vector_collate",
    "vector_prediction_collate",
    "vector_reconstruction_collate",
]
