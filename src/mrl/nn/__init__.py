"""Parts of models: losses over labels of which some are missing, and scalers of targets."""

from mrl.nn.losses import MaskedLoss
from mrl.nn.scalers import Scaler

__all__ = ["MaskedLoss", "Scaler"]
