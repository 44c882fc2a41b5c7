"""Any function of a molecule: run over many of them, with failed rows and their reasons, and cached."""

from mrl.features.caches import Cached, cache_folder, cached, clear_cache
from mrl.features.computing import AnyText, Featurizer, function_of
from mrl.features.features import Features, OnNonfinite
from mrl.features.featurizing import Cache, featurize, vector_store
from mrl.features.keys import key_of
from mrl.features.packing import stored_floats
from mrl.features.refs import VectorRefs
from mrl.features.state import state_digest

__all__ = [
    "AnyText",
    "Cache",
    "Cached",
    "Features",
    "Featurizer",
    "OnNonfinite",
    "VectorRefs",
    "cache_folder",
    "cached",
    "clear_cache",
    "featurize",
    "function_of",
    "key_of",
    "state_digest",
    "stored_floats",
    "vector_store",
]
