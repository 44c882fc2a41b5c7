"""`featurize`: run a function of a molecule over many, with failed rows and their reasons, in processes, and cached."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from mrl.features.caches import require_folder
from mrl.features.computing import Block, Featurizer, Transformer, function_of
from mrl.features.features import Features, OnNonfinite, features_of, require_on_nonfinite
from mrl.features.keys import Digests, digests, key_of
from mrl.features.memory import keep_store, memory_store
from mrl.features.refs import VectorRefs
from mrl.features.running import run
from mrl.features.store import Store
from mrl.features.tables import RowNumbers
from mrl.processes import require_n_jobs
from mrl.progress import Progress, track
from mrl.ragged import OnError, Text, as_text, require_on_error

__all__ = ["Cache", "featurize", "vector_store"]

Cache: TypeAlias = "Literal['memory'] | str | os.PathLike[str] | None"


def featurize(
    smiles: Any,
    featurizer: Featurizer,
    *,
    n_jobs: int = 1,
    on_error: OnError = "raise",
    cache: Cache = None,
    timeout: float | None = None,
    progress: Progress = None,
    size: int | None = None,
    on_nonfinite: OnNonfinite = "reject",
) -> Features:
    """Compute a vector for each molecule.

    Parameters
    ----------
    smiles : column of str
        n texts: list, tuple, NumPy array, Series, Arrow array, or `Text`. A text that `mrl.chem.to_mol` rejects fails,
        whatever the featurizer would make of it; for texts that are not SMILES see `AnyText`.
    featurizer : callable, object with ``transform``, or AnyText
        A function of one text that returns numbers, always as many (a list, an array, a tensor, a bit or count vector
        of RDKit, a single number); or an estimator in scikit-learn's convention, such as those of scikit-fingerprints
        and molfeat. Integers are kept exactly, or the molecule fails; floating-point numbers are rounded to float32.
        One that has an attribute ``checks_text = True``, as those of mrl do, gets texts unchecked; one that has an
        attribute ``names``, a sequence of D str, names the numbers.
    n_jobs : int
        Number of processes; with more than 1 the featurizer must be picklable. Results do not depend on it. Up to 512
        molecules are computed in this process. In other processes, a molecule that crashes its process (out of memory,
        a fault in compiled code) fails like one that raises, and the others are computed.
    on_error : {"raise", "drop", "mask"}
        For a molecule that fails: raise; leave the row out; or keep it, as NaN. A vector of another size than the
        others fails as well.
    cache : {None, "memory"} or path
        Where to keep vectors. ``"memory"``: in this process, for as long as this very featurizer object exists in the
        same state, up to 256 MiB and what datasets hold. The state of a function is its ``cache_key`` if it has that
        attribute; else its code, attributes, captured values and globals, which are compared at each use (about 1 s
        for 1 GB of weights), apart from changes that its own calls make. A folder: on disk, for other processes and
        later runs; up to 4 GiB, then the least recently used vectors are removed. A folder needs a featurizer with an
        identity: an attribute ``cache_key`` (a str), or an estimator with ``get_params`` of an installed package. With
        another version of RDKit vectors are computed again.
    timeout : float, optional
        Seconds that one molecule may take, start-up work at the first one included. Molecules are then always computed
        in other processes; one that takes longer fails, and its process is terminated.
    progress : callable, bool or None
        A function: called with the number of molecules that are done, and of all. True: a bar on standard error. None:
        a bar if standard error is a terminal and it takes longer than two seconds. False: nothing.
    size : int, optional
        D, where it is known; what most molecules have if not given.
    on_nonfinite : {"reject", "keep"}
        Whether a molecule fails whose vector has NaN or an infinite number.

    Returns
    -------
    Features
        Vectors of shape (n, D), and the rows that failed.

    Raises
    ------
    FeatureError
        (A ValueError.) With ``on_error="raise"``: the row, the text and the reason.
    TypeError
        If `featurizer` is not a function, cannot be sent to other processes, or has no identity for a folder.
    NotADirectoryError
        If `cache` is the path of a file.

    Examples
    --------
    >>> features = featurize(["CCO", "C"], len)
    >>> features.dense()
    array([[3.],
           [1.]], dtype=float32)
    >>> featurize(["CCO", "?"], {"CCO": [1.0, 2.0]}.__getitem__, on_error="mask").rejects[0].reason
    "syntax: cannot be read near character 1 of 1, '?'"

    Kept in a folder, and not computed again:

    >>> import tempfile
    >>> def letters(smiles):
    ...     print("computing", smiles)
    ...     return [smiles.count("C"), smiles.count("O")]
    >>> letters.cache_key = "letters C and O, version 1"
    >>> folder = tempfile.mkdtemp()
    >>> featurize(["CCO", "C"], letters, cache=folder).dense().tolist()
    computing CCO
    computing C
    [[2.0, 1.0], [1.0, 0.0]]
    >>> featurize(["C", "CCO"], letters, cache=folder).dense().tolist()
    [[1.0, 0.0], [2.0, 1.0]]
    """
    require_on_error(on_error)
    require_on_nonfinite(on_nonfinite)
    options = _Options(n_jobs, timeout, stop=on_error == "raise")
    function = function_of(featurizer)
    if not (callable(function) or isinstance(function, Transformer)):
        raise TypeError(f"the featurizer is {function!r}; expected a function of one text, or an object with transform")
    text, store = as_text(smiles), vector_store(cache, featurizer)
    if cache is None:  # a function that is random on purpose is called for each row
        vectors = _compute(text, featurizer, store, None, options, progress)
    else:
        first, of, keys = _distinct(digests(text))
        distinct = text if len(first) == len(text) else text.take(first)
        vectors = _compute(distinct, featurizer, store, keys, options, progress).take(of)
    if on_nonfinite == "reject":
        vectors.reject_nonfinite()
    features = features_of(text, vectors, on_error, size, _names_of(function))
    return replace(features, rejects=features.rejects.of_table(smiles))


def _names_of(function: Any) -> tuple[str, ...] | None:
    """The names of the numbers of a vector, where a featurizer has them."""
    names = getattr(function, "names", None)
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names) if len({*names}) == len(names) else None


@dataclass(frozen=True)
class _Options:
    """How to compute; with `stop`, rows after one that failed may be left out."""

    n_jobs: int
    timeout: float | None
    stop: bool

    def __post_init__(self) -> None:
        require_n_jobs(self.n_jobs)
        if self.timeout is not None and not self.timeout > 0:
            raise ValueError(
                f"timeout is {self.timeout}; expected the seconds that a molecule may take, above 0, or None"
            )


def vector_store(cache: Cache, featurizer: Featurizer) -> Store:
    """Return where the vectors of a featurizer are kept: the same store as long as its state is the same.

    Parameters
    ----------
    cache : {None, "memory"} or path
    featurizer : callable, object with ``transform``, or AnyText
        As of `featurize`.

    Returns
    -------
    Store

    Raises
    ------
    TypeError
        `cache` is something else, or the featurizer has no identity for a folder.
    NotADirectoryError
        `cache` is the path of a file.

    Examples
    --------
    >>> def letters(text):
    ...     return letters.k * len(text)
    >>> letters.k = 1
    >>> before = vector_store("memory", letters)
    >>> letters.k = 10
    >>> vector_store("memory", letters) is before
    False
    """
    if cache is None:
        return Store()
    if not (isinstance(cache, str | os.PathLike) and os.fspath(cache)):
        raise TypeError(f"cache is {cache!r}; expected None, 'memory', or the path of a folder")
    if cache == "memory":
        return memory_store(featurizer)
    root = Path(cache).expanduser().absolute()
    require_folder(root)
    from mrl.features.folder import folder_store  # pyarrow is loaded only where a folder is used

    return folder_store(root, key_of(featurizer))


def _distinct(keys: Digests) -> tuple[RowNumbers, RowNumbers, Digests]:
    """Return the first row of each text, in their order; which of those each row is; and the keys of those."""
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return first[order], place[of], keys[first[order]]


def _compute(
    text: Text, featurizer: Featurizer, store: Store, keys: Digests | None, options: _Options, progress: Progress
) -> VectorRefs:
    """Return the vectors of texts: those that the store knows, and those that are computed, which it then keeps."""
    vectors = VectorRefs(len(text))
    if keys is not None:
        with store.lock:
            store.find(keys, vectors)
    missing = vectors.unknown()
    if options.stop and vectors.reasons:
        missing = missing[missing < min(vectors.reasons)]
    todo = text if len(missing) == len(text) else text.take(missing)
    blocks: list[Block] = []
    size, since, left = 0, time.monotonic(), len(missing)

    def flush() -> None:
        nonlocal size, since, left
        with store.lock:
            store.put(np.zeros(0, "S16") if keys is None else keys, blocks, vectors, left)
        size, since, left = 0, time.monotonic(), left - sum(map(len, blocks))
        blocks.clear()

    results = run(todo, featurizer, n_jobs=options.n_jobs, timeout=options.timeout, stop=options.stop)
    with track(progress, len(text), "features") as advance, closing(results):
        advance(len(text) - len(missing))
        try:
            for start, block in results:
                blocks.append(block := block.moved(missing[start:]))
                vectors.fail([*block.rejected.items(), *block.lost.items()])
                size += block.nbytes
                if size > store.flush_bytes or time.monotonic() - since > store.flush_seconds:
                    flush()
                advance(len(block))
        finally:
            flush()  # what was computed is kept, however this ends
            if len(todo):
                keep_store(featurizer, store)
    return vectors
