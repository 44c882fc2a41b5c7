"""Parts of models: losses over labels that may be missing or censored, scalers of targets, files of tensors."""

from mrl.nn.losses import MaskedLoss
from mrl.nn.optimizers import load_optimizer_state, optimizer_state
from mrl.nn.scalers import Scaler
from mrl.nn.tensors import invalid_tensors, join_parts, read_tensors, split_parts, write_tensors
from mrl.nn.threads import one_thread

__all__ = [
    "MaskedLoss",
    "Scaler",
    "invalid_tensors",
    "join_parts",
    "load_optimizer_state",
    "one_thread",
    "optimizer_state",
    "read_tensors",
    "split_parts",
    "write_tensors",
]
