"""Cleaning: from texts as they were found to molecules to train on, every row kept or accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from rdkit import Chem, rdBase

from mrl.chem.cleaning.duplicates import (
    By,
    Duplicates,
    Rule,
    duplicate_key,
    label_array,
    merge_censored,
    merge_labels,
)
from mrl.chem.cleaning.filters import Predicate
from mrl.chem.cleaning.presets import preset
from mrl.chem.cleaning.result import Cleaned, Tally
from mrl.chem.cleaning.steps import Parse, Row, Step
from mrl.chem.columns import map_molecules
from mrl.chem.molecule import describe, results_of, type_reason
from mrl.errors import ColumnError
from mrl.progress import Progress, track
from mrl.ragged import Reject, Rejects, Text, as_list, as_molecules

Steps: TypeAlias = str | Sequence[Step | Callable[[Chem.Mol], bool]]

_BLOCK = 256  # rows that are parsed one after the other


def clean(
    smiles: Any,
    steps: Steps = "none",
    *,
    labels: Any = None,
    signs: Any = None,
    ids: Any = None,
    duplicates: Rule | Duplicates | None = None,
    n_jobs: int = 1,
    progress: Progress = None,
) -> Cleaned:
    """Keep the texts that are molecules and pass the steps, changed as the steps change them.

    A text stays unchanged until a step changes its molecule, or `Canonical` writes it. Every change and every removal
    is counted, with examples.

    Parameters
    ----------
    smiles : column of str
        n texts. A value that is not a text (None, a number) is a rejected row like any other.
    steps : str or sequence of Step
        The name of a `preset`, or steps in their order; a function Mol -> bool is a step, too (`Predicate`). Parsing
        is always included.
    labels : array-like of numbers, shape (n,) or (n, T), optional
        Returned for the kept rows; NaN or None where one is missing (-100 is a number here). For other columns, select
        the rows by `Cleaned.kept`, such as ``df.iloc[cleaned.kept]``.
    signs : array-like of int, of the shape of `labels`, optional
        1 for a label that is a lower limit (``>6``), -1 for an upper one, else 0, as in `Table.signs`. Duplicates whose
        limits differ from the other labels are in conflict: "mean" and "median" remove them, as "drop" does.
    ids : sequence, n of them, optional
        Returned for the kept rows.
    duplicates : "first", "mean", "median", "drop" or Duplicates, optional
        How rows of the same molecule are merged, and their labels; None: they are all kept.
    n_jobs : int
        Number of processes, on which the result does not depend; with more than 1 the steps must be picklable.
    progress : callable or bool, optional
        A function, called with the rows done and their number; True: a bar; None: a bar on a terminal where it takes
        longer than two seconds.

    Returns
    -------
    Cleaned
        Of n rows, m are kept and n - m rejected.

    Raises
    ------
    ValueError
        An unknown preset or rule, or an element of `steps` that is not a step.
    ColumnError
        Labels or ids differ in number from the rows, `signs` in shape from the labels, or `smiles` is not a column.
    RowError
        A label is not a number.
    FeatureError
        A function of the user failed; `row` is the number of the row.

    Examples
    --------
    >>> from mrl.chem import Canonical, LargestFragment, Uncharge
    >>> steps = [LargestFragment(), Uncharge(), Canonical()]
    >>> cleaned = clean(["OCC", "C(", "CC[O-].[Na+]", "N"], steps, duplicates="first")
    >>> cleaned
    Cleaned(2 of 4 rows; parse: 1 removed; largest fragment: 1 changed; uncharge: 1 changed; canonical: 1 changed; \
duplicates: 1 removed)
    >>> cleaned.smiles.tolist(), cleaned.kept, cleaned.rejects[1].reason
    (['CCO', 'N'], array([0, 3]), 'duplicate: the molecule of row 0')
    >>> cleaned.counts["largest fragment"].examples[0]
    Example(row=2, before='CC[O-].[Na+]', after='CC[O-]', reason='')
    """
    rule = Duplicates(duplicates) if isinstance(duplicates, str) else duplicates
    rows = as_molecules(smiles)
    values = None if labels is None else label_array(labels, len(rows))
    sides = None if signs is None else np.asarray(signs, np.int8)
    if sides is not None and (values is None or sides.shape != values.shape):
        raise ColumnError(f"signs have the shape {sides.shape}; expected one for each label", column="signs")
    names = None if ids is None else as_list(ids, "ids")
    if names is not None and len(names) != len(rows):
        raise ColumnError(f"{len(names):,} ids for {len(rows):,} rows: pass one for each", column="ids")
    cleaned = clean_rows(rows, steps, key=None if rule is None else rule.by, n_jobs=n_jobs, progress=progress)
    cleaned = replace(
        cleaned,
        labels=None if values is None else values[cleaned.kept],
        signs=None if sides is None else sides[cleaned.kept],
        ids=None if names is None else tuple(names[row] for row in cleaned.kept),
    )
    if rule is not None:
        cleaned = deduplicate(cleaned, rule, texts=rows)
    return replace(cleaned, rejects=cleaned.rejects.of_table(smiles))


def clean_rows(
    smiles: Any,
    steps: Steps = "none",
    *,
    start: int = 0,
    key: By | None = None,
    n_jobs: int = 1,
    progress: Progress = False,
) -> Cleaned:
    """Clean each row by itself: a pure function of a part of a column, for use on many parts.

    Parameters
    ----------
    smiles : column of str
        n texts.
    steps : str or sequence of Step
        See `clean`.
    start : int
        The number of the first row.
    key : "smiles" or "inchikey", optional
        Keep what duplicates are found by, for `deduplicate` after `Cleaned.concat`.
    n_jobs : int
        Number of processes, on which the result does not depend; with more than 1 the steps must be picklable.
    progress : callable or bool, optional
        As in `clean`.

    Returns
    -------
    Cleaned

    Raises
    ------
    ValueError
        An unknown preset or key, or an element of `steps` that is not a step.
    ColumnError
        `smiles` is not a column.
    FeatureError
        A function of the user failed; `row` is the number of the row.

    Examples
    --------
    >>> clean_rows(["C(", "OCC"], start=100, key="smiles").keys.tolist()
    ['CCO']
    """
    if key is not None:
        Duplicates(by=key)  # validates the key
    plan = _plan(steps)
    tallies = [(stage, Tally(step)) for stage, step in plan.items()]
    texts: list[str] = []
    kept: list[int] = []
    keys: list[str] = []
    rejected: list[Reject] = []
    rows = as_molecules(smiles)
    numbers = range(start, start + len(rows))
    clean_one = partial(_clean_row, steps=tuple(plan.values()), key=key)
    with track(progress, len(rows), "cleaning") as advance:
        if n_jobs == 1 and [*plan] == ["parse"]:
            outcomes = _parsed(clean_one, rows, numbers, key, advance)
        else:
            outcomes = map_molecules(
                clean_one, rows, "smiles", numbers=numbers, on_row=lambda: advance(1), n_jobs=n_jobs
            )
        for number, outcome in zip(numbers, outcomes, strict=True):
            for place in outcome.reached:
                tallies[place][1].rows += 1
            for place, before, after in outcome.changes:
                tallies[place][1].change(number, before, after)
            for place, text, reason in outcome.failures:
                tallies[place][1].fail(number, text, reason)
            if outcome.removal is not None:
                stage, tally = tallies[outcome.reached[-1]]
                tally.remove(number, *outcome.removal)
                rejected.append(Reject(number, outcome.text, stage, outcome.removal[1]))
            else:
                kept.append(number)
                texts.append(outcome.text)
                keys.append(outcome.key)
    return Cleaned(
        Text.of(texts),
        np.array(kept, np.int64),
        {stage: tally.count() for stage, tally in tallies},
        Rejects(rejected),
        keys=None if key is None else Text.of(keys),
        key=key,
    )


def deduplicate(
    cleaned: Cleaned, duplicates: Rule | Duplicates = "first", *, texts: Sequence[Any] | None = None
) -> Cleaned:
    """Merge rows of the same molecule into one: the last stage of cleaning, which needs all rows.

    Parameters
    ----------
    cleaned : Cleaned
        With `keys` that fit the rule, and the labels of its rows, if there are any.
    duplicates : "first", "mean", "median", "drop" or Duplicates
        Which labels the merged row gets, and which molecules are the same.
    texts : sequence of str, optional
        All texts as they were found, by row number, for the rejects; by default the cleaned ones.

    Returns
    -------
    Cleaned
        With ``"duplicates"`` in its counts, and if there are labels ``"conflicts"``: `changed` is the number of
        molecules whose label was made from conflicting ones, `removed` that of rows removed because of a conflict.

    Raises
    ------
    ValueError
        The rows have no such keys, or an unknown rule.

    Examples
    --------
    >>> deduplicate(clean_rows(["CCO", "OCC"], key="smiles")).smiles.tolist()
    ['CCO']
    """
    rule = Duplicates(duplicates) if isinstance(duplicates, str) else duplicates
    if cleaned.keys is None or cleaned.key != rule.by:
        raise ValueError(
            f"the rows have the key {cleaned.key!r}, but the rule needs {rule.by!r}; "
            f"clean them by clean_rows(..., key={rule.by!r})"
        )
    numbers = cleaned.kept.tolist()
    first: dict[str, int] = {}
    groups: dict[int, list[int]] = {}  # of more than one row, by their first
    for place, key in enumerate(cleaned.keys):
        if (leader := first.setdefault(key, place)) != place:
            groups.setdefault(leader, [leader]).append(place)
    dtype = np.float64 if rule.labels in ("mean", "median") else None
    labels = None if cleaned.labels is None else np.array(cleaned.labels, dtype)
    signs = None if cleaned.signs is None else np.array(cleaned.signs)
    conflicts, repeats = Tally(rule, rows=len(numbers)), Tally(rule)
    removed = np.zeros(len(numbers), bool)
    rejected = list(cleaned.rejects)

    def remove(places: list[int], stage: str, tally: Tally, reason: str) -> None:
        removed[places] = True
        for place in places:
            text = str(cleaned.smiles[place] if texts is None else texts[numbers[place]])
            rejected.append(Reject(numbers[place], text, stage, reason))
            tally.remove(numbers[place], cleaned.smiles[place], reason)

    for leader, places in groups.items():
        conflict, is_lost = None, False
        if labels is not None and signs is not None:
            merged, sides, conflict, is_lost = merge_censored(
                labels[places].reshape(len(places), -1), signs[places].reshape(len(places), -1), rule
            )
            labels[leader], signs[leader] = merged.reshape(labels[leader].shape), sides.reshape(signs[leader].shape)
        elif labels is not None:
            merged, conflict = merge_labels(labels[places].reshape(len(places), -1), rule)
            labels[leader] = merged.reshape(labels[leader].shape)
        if conflict is not None and (is_lost or rule.labels == "drop"):
            where = f" in column {conflict[0]}" if labels is not None and labels.ndim == 2 else ""
            remove(places, "conflicts", conflicts, f"conflict: labels {conflict[1]}{where}")
            continue
        if conflict is not None:
            conflicts.change(numbers[leader], conflict[1], f"{merged[conflict[0]]:.10g}")
        remove(places[1:], "duplicates", repeats, f"duplicate: the molecule of row {numbers[leader]}")
    repeats.rows = conflicts.rows - conflicts.removed
    stages = {"duplicates": repeats} if labels is None else {"conflicts": conflicts, "duplicates": repeats}
    kept = np.flatnonzero(~removed)
    return replace(
        cleaned,
        smiles=cleaned.smiles[kept],
        kept=cleaned.kept[kept],
        counts=cleaned.counts | {stage: tally.count() for stage, tally in stages.items()},
        rejects=Rejects(sorted(rejected, key=itemgetter(0))),
        labels=None if labels is None else labels[kept],
        signs=None if signs is None else signs[kept],
        ids=None if cleaned.ids is None else tuple(cleaned.ids[place] for place in kept),
        keys=cleaned.keys[kept],
    )


class _Outcome(NamedTuple):
    """What the steps did to one row; a step is named by its place."""

    text: str
    """The text after the last step; of a removed row the text as it was found."""
    reached: range
    """The steps that the row reached; if it was removed, then by the last of them."""
    changes: Sequence[tuple[int, str, str]]
    """(step, text before, text after)."""
    removal: tuple[str, str] | None = None
    """(text before the last step, reason), of a removed row."""
    key: str = ""
    """What duplicates are found by."""
    failures: Sequence[tuple[int, str, str]] = ()
    """(step, text, reason)."""


def _clean_row(x: Any, steps: Sequence[Step], key: By | None) -> _Outcome:
    if not isinstance(x, str):
        parse = next(place for place, step in enumerate(steps) if isinstance(step, Parse))
        expected = f"type: {type(x).__name__}, expected a SMILES (str); use to_smile(mol)"
        removal = describe(x), expected if isinstance(x, Chem.Mol) else type_reason(x)
        return _Outcome(describe(x), range(parse, parse + 1), [], removal)
    row = Row(x)
    changes: list[tuple[int, str, str]] = []
    failures: list[tuple[int, str, str]] = []
    for place, step in enumerate(steps):
        before = row.text
        reason = step(row)
        failures += [(place, before, failure) for failure in row.failures]
        row.failures.clear()
        if reason is not None:
            return _Outcome(x, range(place + 1), changes, (before, reason), failures=failures)
        if row.text != before:
            changes.append((place, before, row.text))
    found_by = duplicate_key(row, key) if key else ""
    return _Outcome(row.text, range(len(steps)), changes, key=found_by, failures=failures)


def _parsed(
    clean_one: Callable[[Any], _Outcome],
    rows: Sequence[Any],
    numbers: range,
    key: By | None,
    advance: Callable[[int], None],
) -> Iterator[_Outcome]:
    """Yield the outcomes of rows that are only parsed: valid molecules in a loop that costs little beside RDKit.

    Logs are blocked once, since that takes time; all other rows are cleaned as ever. In place of a value that is not
    text, "" is parsed, which gives no result.
    """
    function: Callable[[Chem.Mol], Any] = Chem.Mol.GetNumAtoms if key is None else Chem.MolToSmiles
    reached = range(1)
    with rdBase.BlockLogs():
        for first in range(0, len(rows), _BLOCK):
            block = rows[first : first + _BLOCK]
            texts = [str.__str__(x) if isinstance(x, str) and key != "inchikey" else "" for x in block]
            for number, x, result in zip(numbers[first:], block, results_of(texts, function), strict=False):
                if result:
                    outcome = _Outcome(x, reached, (), key=result if key else "")
                else:
                    (outcome,) = map_molecules(clean_one, [x], "smiles", numbers=[number])
                advance(1)
                yield outcome


def _plan(steps: Steps) -> dict[str, Step]:
    """Steps by the names of their stages, parsing among them."""
    if not isinstance(steps, str | Iterable) or isinstance(steps, Step):
        raise ValueError(f"steps is {describe(steps)}, expected the name of a preset or a list of steps")
    plan: dict[str, Step] = {}
    given = [_as_step(i, step) for i, step in enumerate(preset(steps) if isinstance(steps, str) else steps)]
    first = next((i for i, step in enumerate(given) if step.needs_molecule), len(given))
    parse = Parse()
    for step in [*given[:first], parse, *given[first:]]:
        names = (step.stage if again == 1 else f"{step.stage} ({again})" for again in count(1))
        taken = {"conflicts", "duplicates", "parse", *plan}
        plan["parse" if step is parse else next(name for name in names if name not in taken)] = step
    return plan


def _as_step(i: int, step: Any) -> Step:
    if isinstance(step, Step):
        return step
    if callable(step) and not isinstance(step, type):
        return Predicate(step)
    remedy = f"; write {step.__name__}()" if isinstance(step, type) and issubclass(step, Step) else ""
    name = step.__name__ if isinstance(step, type) else describe(step)
    raise ValueError(f"steps[{i}] is {name}, expected a step such as Canonical(), or a function Mol -> bool{remedy}")
