"""Any function of a molecule: run over many of them, with failed rows and their reasons, and cached."""

from mrl.features.caches import Cached, cache_folder, cached, clear_cache
from mrl.features.computing import Featurizer
from mrl.features.features import Features, OnError, require_on_error
from mrl.features.featurize import Cache, featurize
from mrl.features.refs import VectorRefs

__all__ = [
    "Cache",
    "Cached",
    "Features",
    "Featurizer",
    "OnError",
    "VectorRefs",
    "cache_folder",
    "cached",
    "clear_cache",
    "featurize",
    "require_on_error",
]
