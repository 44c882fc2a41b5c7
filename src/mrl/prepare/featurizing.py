"""Features of the rows of a corpus: fingerprints and descriptors, by name, and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from mrl.chem import Descriptors, Fingerprint
from mrl.corpus import FeatureEntry
from mrl.features import featurize, key_of
from mrl.ragged import Text

FeatureFunctions: TypeAlias = Mapping[str, Fingerprint | Descriptors]


def feature_functions(given: str | Sequence[str] | FeatureFunctions) -> dict[str, Fingerprint | Descriptors]:
    """Return the functions of the columns of features, which may be given as names; a ValueError for anything else.

    >>> sorted(feature_functions(["ECFP4", "qed,tpsa"]))
    ['descriptors', 'ecfp4']
    """
    if isinstance(given, Mapping):
        found = dict(given)
    else:
        pairs = [_named(name) for name in ([given] if isinstance(given, str) else given)]
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError(f"features are {list(given)}: two of them would be one column; name each once")
    for name, function in found.items():
        if not isinstance(function, Fingerprint | Descriptors):
            raise ValueError(
                f"features[{name!r}] is {function!r}, expected a Fingerprint or Descriptors; vectors of any other "
                "function: corpus.add_column(name, lambda table: mrl.featurize(table.smiles, function).values)"
            )
        try:
            key_of(function)
        except TypeError as error:
            raise ValueError(f"features[{name!r}]: {error}") from None
    return found


def _named(name: str) -> tuple[str, Fingerprint | Descriptors]:
    if not isinstance(name, str):
        raise ValueError(f"features has {name!r}, expected a name; give functions as a dict of column to function")
    text = name.strip().lower()
    try:
        return text, Fingerprint(text)
    except ValueError as error:
        unknown = error
    try:
        return "descriptors", Descriptors(None if text == "descriptors" else [one.strip() for one in name.split(",")])
    except ValueError as error:
        raise ValueError(f"features are neither a fingerprint ({unknown}) nor descriptors ({error})") from None


def feature_entry(function: Fingerprint | Descriptors) -> FeatureEntry:
    """Return what a column of these vectors is: bits are packed."""
    if isinstance(function, Descriptors):
        return FeatureEntry(key_of(function), len(function.names), "float32", False)
    return FeatureEntry(
        key_of(function), len(function.names), "uint32" if function.counts else "uint8", not function.counts
    )


def compute_features(texts: Text, functions: FeatureFunctions) -> tuple[dict[str, Any], dict[int, str]]:
    """Return the columns of the vectors of texts, and the reasons of rows that lack one."""
    columns: dict[str, Any] = {}
    reasons: dict[int, str] = {}
    for name, function in functions.items():
        entry = feature_entry(function)
        found = featurize(texts, function, on_error="mask", size=entry.size, progress=False)
        values = found.values.astype(entry.dtype, casting="safe")
        columns[name] = np.packbits(values, axis=1) if entry.bits else values
        reasons = {reject.row: f"{name}: {reject.reason}" for reject in found.rejects} | reasons
    return columns, reasons
