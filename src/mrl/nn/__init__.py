"""Parts of models: losses over labels that may be missing or censored, scalers of targets, the number of threads."""

from mrl.nn.losses import MaskedLoss
from mrl.nn.scalers import Scaler
from mrl.nn.threads import one_thread

__all__ = ["MaskedLoss", "Scaler", "one_thread"]
