"""Property models: an ensemble of small networks that learns from measured values, its validation, and metrics."""

from mrl.qsar.fit import fit
from mrl.qsar.metrics import property_metrics
from mrl.qsar.model import MODEL_FILE, Predictions, PropertyModel
from mrl.qsar.options import FitOptions
from mrl.qsar.targets import Target
from mrl.qsar.validation import Metric, Validation

__all__ = [
    "MODEL_FILE",
    "FitOptions",
    "Metric",
    "Predictions",
    "PropertyModel",
    "Target",
    "Validation",
    "fit",
    "property_metrics",
]
