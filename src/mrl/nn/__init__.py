"""Parts of models: losses over labels that may be missing or censored, scalers of targets, files of tensors."""

from mrl.nn.losses import MaskedLoss
from mrl.nn.scalers import Scaler
from mrl.nn.tensors import invalid_tensors, read_tensors, write_tensors
from mrl.nn.threads import one_thread

__all__ = ["MaskedLoss", "Scaler", "invalid_tensors", "one_thread", "read_tensors", "write_tensors"]
