"""Run a function of a molecule over many: rows in order, shapes checked, failures kept with their reasons."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from mrl.features.assembling import Features, OnError, assembled
from mrl.features.computing import Block, Featurizer, Transformer
from mrl.features.keys import Digests, digests
from mrl.features.running import run
from mrl.features.stores import Cache, Store, store_for
from mrl.progress import Progress, track
from mrl.ragged import Text

__all__ = ["featurize", "require_on_error"]


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
) -> Features:
    """Compute a vector for each molecule.

    Parameters
    ----------
    smiles : column of str
        n texts: list, tuple, NumPy array, Series, Arrow array, or `Text`.
    featurizer : callable or object with ``transform``
        A function of one text that returns numbers, always as many (a list, an array, a tensor, a bit or count vector
        of RDKit, a single number); or an estimator in scikit-learn's convention, such as those of scikit-fingerprints
        and molfeat.
    n_jobs : int
        Number of processes; with more than 1 the featurizer must be picklable. Results do not depend on it. Up to 512
        molecules are computed in this process. In other processes a molecule that ends its process (out of memory, a
        fault in compiled code) is refused like one that raises, and the others are computed.
    on_error : {"raise", "drop", "mask"}
        For a molecule that the featurizer refuses: raise; leave the row out; or keep it, as NaN. A vector of another
        size than the others is refused as well.
    cache : {None, "memory"} or path
        Where to keep what is computed. ``"memory"``: in this process, for as long as this very featurizer exists, up
        to 256 MiB. A folder: on disk, for other processes and later runs; up to 4 GiB, then what was not used for
        longest is removed. A folder needs a featurizer that says what it computes: with an attribute ``cache_key`` (a
        str), or an estimator with ``get_params`` out of an installed package. Another version of RDKit computes anew.
    timeout : float, optional
        Seconds that one molecule may take, preparations at the first one included. Molecules are then always computed
        in other processes; one that takes longer is refused, and its process ended.
    progress : callable, bool or None
        A function: called with the number of molecules that are done, and of all. True: a bar on standard
        error. None: a bar if standard error is a terminal and it takes longer than two seconds. False: nothing.
    size : int, optional
        D, where it is known; what most molecules have if not given.

    Returns
    -------
    Features
        Values of shape (n, D), and what failed.

    Raises
    ------
    FeatureError
        (A ValueError.) With ``on_error="raise"``: the row, the text and the reason.
    TypeError
        If `featurizer` is no function, cannot be sent to other processes, or cannot be kept in a folder.
    NotADirectoryError
        If `cache` is the path of a file.

    Examples
    --------
    >>> features = featurize(["CCO", "C"], len)
    >>> features.dense()
    array([[3.],
           [1.]], dtype=float32)
    >>> featurize(["CCO", "?"], {"CCO": [1.0, 2.0]}.__getitem__, on_error="mask").rejects[0].reason
    "KeyError: '?'"

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
    _require_settings(featurizer, n_jobs, timeout)
    text, store = Text.of(smiles), store_for(cache, featurizer)
    # With a store only distinct texts count; a function that is random on purpose is asked for each row.
    distinct, of, keys = text, np.arange(len(text)), None
    if store is not None:
        first, of, keys = _distinct(digests(text))
        distinct = text if len(first) == len(text) else text.take(first)
    blocks: list[Block] = []
    with track(progress, len(distinct), "features") as advance, contextlib.ExitStack() as stack:
        if store is not None:
            stack.callback(store.flush)  # what was computed is kept, however this ends
        for block in _known(distinct, featurizer, store, keys, n_jobs, timeout, stop=on_error == "raise"):
            blocks.append(block)
            advance(len(block))
    return assembled(text, blocks, of, size, on_error)


def require_on_error(on_error: str) -> None:
    """Refuse an `on_error` that is none of the three."""
    if on_error not in get_args(OnError):
        raise ValueError(f"on_error is {on_error!r}; expected 'raise', 'drop' or 'mask'")


def _require_settings(featurizer: Featurizer, n_jobs: int, timeout: float | None) -> None:
    if n_jobs < 1:
        raise ValueError(f"n_jobs is {n_jobs}; expected the number of processes, 1 or more")
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout is {timeout}; expected the seconds that a molecule may take, above 0, or None")
    if not (callable(featurizer) or isinstance(featurizer, Transformer)):
        raise TypeError(
            f"the featurizer is {featurizer!r}; expected a function of one text, or an object with transform"
        )


def _distinct(keys: Digests) -> tuple[NDArray[np.int64], NDArray[np.int64], Digests]:
    """The first row of each text, in their order; which of those each row is; the keys of those."""
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return first[order], place[of], keys[first[order]]


def _known(
    text: Text,
    featurizer: Featurizer,
    store: Store | None,
    keys: Digests | None,
    n_jobs: int,
    timeout: float | None,
    *,
    stop: bool,
) -> Iterator[Block]:
    """What the store knows, then what is computed, which the store is then given."""
    missing = np.arange(len(text))
    if store is not None and keys is not None:
        found = store.find(keys)
        yield found
        missing = np.setdiff1d(missing, found.rows(), assume_unique=True)
        if stop and found.refused:
            missing = missing[missing < min(found.refused)]
    todo = text if len(missing) == len(text) else text.take(missing)
    with contextlib.closing(run(todo, featurizer, n_jobs=n_jobs, timeout=timeout, stop=stop)) as results:
        for start, block in results:
            block = block.moved(missing[start:])
            if store is not None and keys is not None:
                store.put(keys, block)
            yield block
