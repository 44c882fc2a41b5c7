"""Any function of a molecule: run over many of them, in order, with what failed told, and kept."""

from mrl.features.assembling import Features, OnError
from mrl.features.caches import Cached, cache_folder, cached, clear_cache
from mrl.features.computing import Featurizer
from mrl.features.featurize import featurize, require_on_error
from mrl.features.packing import Packed
from mrl.features.stores import Cache

__all__ = [
    "Cache",
    "Cached",
    "Features",
    "Featurizer",
    "OnError",
    "Packed",
    "cache_folder",
    "cached",
    "clear_cache",
    "featurize",
    "require_on_error",
]
