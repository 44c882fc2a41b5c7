"""`concat` and `mix`: several datasets of one kind as one, row after row or in given proportions."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from numbers import Rational, Real
from typing import Any, TypeVar

import numpy as np

from mrl.data.columns import Joined
from mrl.data.datasets.dataset import BaseDataset
from mrl.data.fields.joined import JoinedField
from mrl.data.order.base import ensure_int
from mrl.data.order.mixed import Mixture, Weights, lowest_terms
from mrl.data.windows import Windows
from mrl.errors import DatasetError
from mrl.messages import did_you_mean, format_names
from mrl.ragged import Rejects
from mrl.text import Vocab

D = TypeVar("D", bound=BaseDataset[Any])


def concat(*datasets: D) -> D:
    """Return the rows of several datasets of one kind, one dataset after the other; copies none.

    Its rows, batches, orders and splits are those of one dataset. What is random in a row is a function of the seed of
    its own source, the epoch, and its number there.

    Parameters
    ----------
    *datasets : BaseDataset
        One or more, of the same class, with the same vocabulary, collate function and columns. Settings that only
        make rows (`augment`, `seed`, `max_length`) may differ; then `new` is not possible.

    Returns
    -------
    BaseDataset
        Of that class. Its ``kept`` counts the rows from the first one of the first dataset; rows that were rejected
        are listed in the `rejects` of each dataset.

    Raises
    ------
    TypeError
        If they are not datasets of one class.
    DatasetError
        If they differ in what a batch has one of, or one of them is a mixture.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab("CO")
    >>> ds = concat(TextDataset(["C", "CC"], vocab), TextDataset(["O"], vocab))
    >>> ds, ds.smiles.tolist(), ds[2]
    (TextDataset(3 rows of smiles), ['C', 'CC', 'O'], tensor([0, 5, 1]))
    """
    if not datasets:
        raise TypeError("concat got no dataset; give one or more: concat(first, second)")
    return _joined({f"number {i}": ds for i, ds in enumerate(datasets)}, "concat")


def mix(
    datasets: Mapping[str, D],
    weights: Mapping[str, Any] | Mapping[int, Mapping[str, Any]] | None = None,
    *,
    seed: int = 0,
    epoch_rows: int | None = None,
) -> D:
    """Return several datasets of one kind as one, whose batches have rows of each in given proportions.

    The proportions are exact at every batch (see `Mixed`, the order of its batches). Each source is gone through pass
    by pass, every row once in each; what is random in a row changes with the pass. The rows themselves, their numbers
    and a batch of given rows are those of `concat`; of a split, the training part is a mixture with the same weights,
    and the others have each of their rows once.

    Parameters
    ----------
    datasets : mapping of str to BaseDataset
        The sources by name, such as ``{"zinc": ds1, "chembl": ds2}``; as for `concat`.
    weights : mapping of str to number, optional
        How often each is drawn, relative to the others; 0 for never. By default their numbers of rows, so that an epoch
        is every row once. A float counts as the decimal number that it is written as. Weights that change are given by
        the number of the (global) batch of the run that they begin with: ``{0: {"zinc": 1, "chembl": 3}, 5_000: ...}``.
    seed : int
        With that of the loader it determines the order of the rows of each source.
    epoch_rows : int, optional
        The number of rows of an epoch; by default that of all sources together.

    Returns
    -------
    BaseDataset
        Of the class of the sources.

    Raises
    ------
    TypeError
        If they are not datasets of one class, or a weight is not a number.
    ValueError
        If a weight is missing, unknown, negative or not finite, or no weight is above 0.
    DatasetError
        As for `concat`; if a source with a weight has no rows, when a loader is made.

    Notes
    -----
    A run that was interrupted may go on with other weights from a later batch on: the loader of
    ``mix(..., weights={0: old, 5_000: new})`` loads a state that was saved up to batch 5,000 of ``weights=old``.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab("CO")
    >>> sources = {"carbon": TextDataset(["C", "CC", "CCC"], vocab), "water": TextDataset(["O"], vocab)}
    >>> ds = mix(sources, {"carbon": 0.75, "water": 0.25})
    >>> ds
    TextDataset(4 rows of smiles; a mixture of carbon, water)
    >>> [vocab.decode(x) for epoch in range(2) for x, y in ds.dataloader(4)]
    [['C', 'CC', 'O', 'CCC'], ['C', 'CC', 'O', 'CCC']]
    >>> ds = mix(sources, {0: {"carbon": 1, "water": 0}, 1: {"carbon": 1, "water": 1}})
    >>> [vocab.decode(x) for x, y in ds.dataloader(2)]
    [['C', 'CC'], ['CCC', 'O']]
    """
    if not isinstance(datasets, Mapping) or not datasets:
        raise TypeError(
            f"mix takes a mapping of names to datasets, such as {{'zinc': ds1, 'chembl': ds2}}, not {datasets!r:.80}"
        )
    if wrong := [name for name in datasets if not isinstance(name, str)]:
        raise TypeError(f"a source is named {wrong[0]!r}; expected a str")
    names = tuple(datasets)
    schedule = _schedule(weights, names)
    if epoch_rows is not None:
        epoch_rows = ensure_int(epoch_rows, "epoch_rows", 1)
    starts = np.cumsum([0, *map(len, datasets.values())]).tolist()
    made = _joined(dict(datasets), "mix")
    made.mixture = Mixture(names, tuple(starts), schedule, ensure_int(seed, "seed"), epoch_rows)
    return made


def _joined(datasets: dict[str, D], function: str) -> D:
    first_name, first = next(iter(datasets.items()))
    settings: set[str] = set()
    for name, ds in datasets.items():
        if not isinstance(ds, BaseDataset):
            raise TypeError(f"{function} takes datasets of mrl; {name} is a {type(ds).__name__}")
        if type(ds) is not type(first):
            raise TypeError(
                f"dataset {first_name} is a {type(first).__name__} and {name} a {type(ds).__name__}, whose batches "
                "differ; make them of one class"
            )
        if ds.mixture is not None:
            raise DatasetError(f"dataset {name} is a mixture, whose weights would be lost; give its sources instead")
        if ds is not first:
            settings |= _differences(first, ds, f"datasets {first_name} and {name}")
    made = copy.copy(first)
    made.fields = tuple(
        JoinedField([(field, ds._storage_rows()) for field, ds in zip(fields, datasets.values(), strict=True)])
        for fields in zip(*(ds.fields for ds in datasets.values()), strict=True)
    )
    made._replace_columns({name: Joined([ds.columns[name] for ds in datasets.values()]) for name in first.columns})
    made._kept, made._storage_index = range(sum(map(len, datasets.values()))), None
    made._rejects = Rejects([])
    made.differing_settings = tuple(sorted(settings))
    return made


def _differences(one: Any, two: Any, which: str) -> set[str]:
    """Return the names of the settings in which two datasets differ; DatasetError where they cannot."""
    if set(one.columns) != set(two.columns):
        name = sorted(set(one.columns) ^ set(two.columns))[0]
        raise DatasetError(f"only one of the {which} has a column {name!r}; ds.add_column adds it to the other")
    for name, column in one.columns.items():
        kinds = [_kind(each) for each in (column, two.columns[name])]
        if kinds[0] != kinds[1]:
            raise DatasetError(
                f"column {name!r} of the {which} holds {kinds[0]} and {kinds[1]}; convert one of them to the other"
            )
    if [field.names for field in one.fields] != [field.names for field in two.fields]:
        raise DatasetError(f"the samples of the {which} have different parts; make them with the same arguments")
    ignored = {*one._STATE, *one.columns}
    differing = set()
    for name in (vars(one).keys() | vars(two).keys()) - ignored:
        a, b = vars(one).get(name), vars(two).get(name)
        if _same(a, b):
            continue
        if isinstance(a, Vocab) and isinstance(b, Vocab):
            equal = "two objects, which may grow apart" if a.fingerprint() == b.fingerprint() else "different"
            raise DatasetError(f"{name} of the {which} are {equal}; make both datasets with the same object")
        if name == "collate_function" or name not in one.frozen_settings:
            raise DatasetError(f"{which} differ in {name}: {a!r:.60} and {b!r:.60}; make them with the same")
        differing.add(name)
    return differing


def _kind(column: Any) -> str:
    """Return what the rows of a column are."""
    rows = column.take(np.zeros(0, np.int64))
    if not isinstance(rows, np.ndarray):
        return type(rows).__name__.lower()
    return f"{rows.dtype}" + (f" of shape {rows.shape[1:]}" if rows.ndim > 1 else "")


def _same(a: Any, b: Any) -> bool:
    """Whether two settings are the same: equal where that is simple, else one object."""
    if a is b:
        return True
    if isinstance(a, partial) and isinstance(b, partial):
        mine, other = ({"": x.func, **dict(enumerate(x.args)), **x.keywords} for x in (a, b))
        return mine.keys() == other.keys() and all(_same(mine[name], other[name]) for name in mine)
    return type(a) is type(b) and isinstance(a, (str, int, float, tuple, frozenset, Windows)) and a == b


def _schedule(weights: Any, names: tuple[str, ...]) -> tuple[tuple[int, Weights | None], ...]:
    if weights is None:
        return ((0, None),)
    if not isinstance(weights, Mapping) or not weights:
        example = "{" + ", ".join(f"{name!r}: 1" for name in names[:2]) + "}"
        raise TypeError(f"weights is {weights!r}; expected one for each source by name, such as {example}")
    if not any(isinstance(key, int | np.integer) for key in weights):
        return ((0, _ratio_of(weights, names)),)
    batches = {ensure_int(batch, "the batch that weights begin with", 0): each for batch, each in weights.items()}
    if 0 not in batches:
        raise ValueError(f"the first weights begin with batch {min(batches)}; give those of batch 0, {{0: ...}}")
    for batch, each in batches.items():
        if not isinstance(each, Mapping):
            raise TypeError(f"the weights from batch {batch} on are {each!r}; expected one for each source by name")
    return tuple((batch, _ratio_of(batches[batch], names)) for batch in sorted(batches))


def _ratio_of(weights: Mapping[Any, Any], names: Sequence[str]) -> Weights:
    for name in weights:
        if name not in names:
            hint = did_you_mean(name, names) if isinstance(name, str) else ""
            raise ValueError(f"there is a weight for {name!r}{hint}; the sources are {format_names(names)}")
    if missing := [name for name in names if name not in weights]:
        raise ValueError(f"there is no weight for {missing[0]!r}; give one for each source (0 for never)")
    exact = [_fraction(weights[name], name) for name in names]
    if not any(exact):
        raise ValueError("no weight is above 0; give at least one source a weight")
    scale = math.lcm(*(each.denominator for each in exact))
    return lowest_terms([int(each * scale) for each in exact])


def _fraction(weight: Any, name: str) -> Fraction:
    """Return a weight as an exact number."""
    if isinstance(weight, bool) or not isinstance(weight, Rational | Decimal | Real | np.integer):
        raise TypeError(f"the weight of {name!r} is {weight!r}; expected a number, 0 or more")
    if not math.isfinite(weight):
        raise ValueError(f"the weight of {name!r} is {weight}; expected a finite number, 0 or more")
    if isinstance(weight, np.integer):
        weight = int(weight)
    exact = Fraction(weight if isinstance(weight, Rational | Decimal) else repr(float(weight)))
    if exact < 0:
        raise ValueError(f"the weight of {name!r} is {weight}; expected a number, 0 or more")
    return exact
