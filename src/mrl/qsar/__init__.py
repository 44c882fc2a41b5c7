"""Property models: how good their predictions are."""

from mrl.qsar.metrics import property_metrics

__all__ = ["property_metrics"]
