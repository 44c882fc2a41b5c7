"""Any function of a molecule: run over many of them, in order, with what failed told."""

from mrl.features.featurize import Features, Featurizer, OnError, featurize, require_on_error

__all__ = ["Features", "Featurizer", "OnError", "featurize", "require_on_error"]
