"""Keys: digests of texts, and an identity of what a featurizer computes."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib import metadata
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.features.computing import AnyText, Featurizer, Transformer
from mrl.ragged import Text

__all__ = ["Digests", "digests", "fitted", "key_of"]

Digests = NDArray[np.bytes_]  # "S16": compared as 16 bytes, sorted, searched

_FORMAT = "rows 2"  # how mrl checks texts, and packs what a featurizer returns
_IDLE = {"n_jobs", "verbose"}  # parameters that do not change the numbers of an estimator


def digests(text: Text) -> Digests:
    """Return 128 bits for each text, (n,)."""
    raw, ends = text.flat.tobytes(), (text.offsets - text.offsets[0]).tolist()
    made = b"".join(hashlib.blake2b(raw[a:b], digest_size=16).digest() for a, b in pairwise(ends))
    return np.frombuffer(made, "S16")


def key_of(featurizer: Featurizer) -> str:
    """Return what identifies the computation of a featurizer: the key of its vectors in a folder or a corpus.

    Parameters
    ----------
    featurizer : callable, object with ``transform``, or AnyText
        With a ``cache_key``, or an estimator of an installed package.

    Returns
    -------
    str
        Equal if and only if the vectors are, with the version of RDKit.

    Raises
    ------
    TypeError
        It has no identity; the message says why.

    Examples
    --------
    >>> from mrl.chem import ECFP4, Fingerprint
    >>> key_of(ECFP4) == key_of(Fingerprint("ecfp4"))
    True
    """
    if isinstance(featurizer, AnyText):
        return f"{key_of(featurizer.featurizer)} | any text"
    given = getattr(featurizer, "cache_key", None)
    if isinstance(given, str) and given:
        return _key(given)
    try:
        if given is not None:
            raise TypeError(f"its cache_key is {given!r}, expected a str that is not empty")
        if not (isinstance(featurizer, Transformer) and hasattr(featurizer, "get_params")):
            raise TypeError("it has no cache_key, which would identify what it computes")
        return _key(_estimator(featurizer))
    except TypeError as error:
        raise TypeError(
            f"the featurizer {featurizer!r} cannot be kept in a folder: {error}; use cache='memory', or give it the "
            "attribute cache_key, a str that names the function, its version and its parameters"
        ) from None


def _key(identity: str) -> str:
    return f"{identity} | rdkit {_version('rdkit')} | {_FORMAT}"


def fitted(estimator: Any) -> dict[str, Any]:
    """Return what fitting has set on an estimator, by scikit-learn's convention."""
    return {
        name: value
        for name, value in sorted(getattr(estimator, "__dict__", {}).items())
        if name.endswith("_") and not name.startswith("_")
    }


def _estimator(estimator: Any) -> str:
    kind = type(estimator)
    if learned := fitted(estimator):
        raise TypeError(f"it was fitted, which its parameters do not tell ({', '.join(learned)})")
    top = kind.__module__.partition(".")[0]
    if top not in _distributions():
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} is not of an installed package, so it has no version")
    packages = ", ".join(f"{name} {_version(name)}" for name in _distributions()[top])
    parameters = estimator.get_params(deep=False)
    described = ", ".join(
        f"{name}={_describe(name, parameters[name])}" for name in sorted(parameters) if name not in _IDLE
    )
    return f"{kind.__module__}.{kind.__qualname__}({described}) of {packages}"


def _describe(name: str, value: Any) -> str:
    """Return the value of a parameter, exactly."""
    if value is None or type(value) in (bool, int, float, str, bytes):
        return repr(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.dtype.kind in "biufS"):
        content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype.str}{value.shape} {content}"
    if type(value) in (list, tuple):
        return f"{type(value).__name__}({', '.join(_describe(name, one) for one in value)})"
    if type(value) is dict:
        return "{" + ", ".join(f"{_describe(name, key)}: {_describe(name, one)}" for key, one in value.items()) + "}"
    if hasattr(value, "get_params"):
        return _estimator(value)
    raise TypeError(f"its parameter {name} is {value!r}, which cannot be written down exactly")


@cache  # it reads a file, and keys are made for every batch
def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:  # some builds leave no metadata
        return str(getattr(sys.modules.get(distribution), "__version__", "unknown"))


@cache
def _distributions() -> dict[str, list[str]]:
    """Return the installed packages of each top-level module; this takes a tenth of a second."""
    return {module: sorted(set(names)) for module, names in metadata.packages_distributions().items()}
