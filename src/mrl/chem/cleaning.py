"""Cleaning: from texts as they were found to molecules to train on, every row kept or accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
from rdkit import Chem

from mrl.chem.cleaned import Cleaned, Tally
from mrl.chem.duplicates import By, Duplicates, Rule, key_of, labels_of, merge
from mrl.chem.filters import Predicate
from mrl.chem.molecule import rows_of, shown, to_mol
from mrl.chem.presets import preset
from mrl.chem.steps import Parse, Row, Step
from mrl.errors import ColumnError, FeatureError, MoleculeError
from mrl.ragged import Reject, Rejects, Text

__all__ = ["clean", "clean_rows", "deduplicate"]


def clean(
    smiles: Any,
    steps: str | Sequence[Step | Callable[[Chem.Mol], bool]] = "none",
    *,
    labels: Any = None,
    ids: Any = None,
    duplicates: Rule | Duplicates | None = None,
    on_row: Callable[[], object] | None = None,
) -> Cleaned:
    """Keep the texts that are molecules, as the steps want them.

    A text stays as it is until a step changes its molecule, or `Canonical` writes it. Every change and every refusal
    is counted, with examples.

    Parameters
    ----------
    smiles : column of str
        n texts. What is no text (None, a number) is a row that is refused, like any other.
    steps : str or sequence of Step
        The name of a `preset`, or steps in the order in which they are done; a function Mol -> bool is a step, too
        (`Predicate`). Parsing needs no step.
    labels : array-like of numbers, shape (n,) or (n, T), optional
        Carried along; NaN or None where one is missing (-100 is a number here).
    ids : sequence, n of them, optional
        Carried along.
    duplicates : "first", "mean", "median", "drop" or Duplicates, optional
        What becomes of rows of the same molecule, and of their labels; None: they all stay.
    on_row : callable, optional
        Called without arguments after each row, for a progress bar.

    Returns
    -------
    Cleaned
        n rows in are m kept and n - m rejected.

    Raises
    ------
    ValueError
        There is no such preset or rule, or something in `steps` is no step.
    ColumnError
        Labels or ids are not as many as the rows, labels are no numbers, or `smiles` is no column.
    FeatureError
        A function given by the user failed; `row` is its row.

    Examples
    --------
    >>> from mrl.chem import Canonical, LargestFragment, Uncharge
    >>> steps = [LargestFragment(), Uncharge(), Canonical()]
    >>> cleaned = clean(["OCC", "C(", "CC[O-].[Na+]", "N"], steps, duplicates="first")
    >>> cleaned
    Cleaned(2 of 4 rows; parse: 1 removed; largest fragment: 1 changed; uncharge: 1 changed; canonical: 1 changed; \
duplicates: 1 removed)
    >>> cleaned.smiles.tolist(), cleaned.kept, cleaned.rejects[1].reason
    (['CCO', 'N'], array([0, 3]), 'the molecule of row 0')
    >>> cleaned.counts["largest fragment"].examples[0]
    Example(row=2, before='CC[O-].[Na+]', after='CC[O-]', reason='')
    """
    rule = Duplicates(duplicates) if isinstance(duplicates, str) else duplicates
    rows = rows_of(smiles, "smiles")
    values = None if labels is None else labels_of(labels, len(rows))
    names = None if ids is None else rows_of(ids, "ids")
    if names is not None and len(names) != len(rows):
        raise ColumnError(f"{len(names):,} ids beside {len(rows):,} rows: give one each", column="ids")
    cleaned = clean_rows(rows, steps, key=None if rule is None else rule.by, on_row=on_row)
    cleaned = replace(
        cleaned,
        labels=None if values is None else values[cleaned.kept],
        ids=None if names is None else tuple(names[row] for row in cleaned.kept),
    )
    return cleaned if rule is None else deduplicate(cleaned, rule, texts=rows)


def clean_rows(
    smiles: Any,
    steps: str | Sequence[Step | Callable[[Chem.Mol], bool]] = "none",
    *,
    start: int = 0,
    key: By | None = None,
    on_row: Callable[[], object] | None = None,
) -> Cleaned:
    """What `clean` does to each row by itself: a pure function of a part of a column, to be mapped over the parts.

    Parameters
    ----------
    smiles : column of str
        n texts.
    steps : str or sequence of Step
        See `clean`.
    start : int
        The number of the first row.
    key : "smiles" or "inchikey", optional
        Keep by what duplicates are found, for `deduplicate` after `Cleaned.concat`.
    on_row : callable, optional
        Called without arguments after each row.

    Returns
    -------
    Cleaned

    Raises
    ------
    ValueError
        There is no such preset, or something in `steps` is no step.
    ColumnError
        `smiles` is no column.
    FeatureError
        A function given by the user failed; `row` is its row.

    Examples
    --------
    >>> clean_rows(["C(", "OCC"], start=100, key="smiles").keys.tolist()
    ['CCO']
    """
    if key is not None:
        Duplicates(by=key)  # is there such a key?
    plan = _plan(steps)
    by_stage = {stage: Tally(step) for stage, step in plan.items()}
    texts: list[str] = []
    kept: list[int] = []
    keys: list[str] = []
    rejected: list[Reject] = []
    walk = tuple((stage, step, by_stage[stage]) for stage, step in plan.items())
    for number, x in enumerate(rows_of(smiles, "smiles"), start):
        if not isinstance(x, str):
            reason = _no_text(x)
            rejected.append(Reject(number, shown(x), "parse", reason))
            by_stage["parse"].rows += 1
            by_stage["parse"].remove(number, shown(x), reason)
        else:
            row = Row(x)
            for stage, step, tally in walk:
                tally.rows += 1
                before = row.text
                try:
                    refusal = step(row)
                except FeatureError as error:
                    raise FeatureError(
                        f"row {number}: {error}", text=error.text, reason=error.reason, row=number
                    ) from error
                if refusal is not None:
                    rejected.append(Reject(number, x, stage, refusal))
                    tally.remove(number, before, refusal)
                    break
                if row.text != before:
                    tally.change(number, before, row.text)
            else:
                kept.append(number)
                texts.append(row.text)
                if key is not None:
                    keys.append(key_of(row, key))
        if on_row is not None:
            on_row()
    return Cleaned(
        Text.of(texts),
        np.array(kept, np.int64),
        {stage: tally.count() for stage, tally in by_stage.items()},
        Rejects(rejected),
        keys=None if key is None else Text.of(keys),
        key=key,
    )


def deduplicate(
    cleaned: Cleaned, duplicates: Rule | Duplicates = "first", *, texts: Sequence[Any] | None = None
) -> Cleaned:
    """Rows of the same molecule become one: the last stage of cleaning, which has to see all rows.

    Parameters
    ----------
    cleaned : Cleaned
        With `keys` that fit the rule, and the labels of its rows, if there are any.
    duplicates : "first", "mean", "median", "drop" or Duplicates
        Which labels it gets, and what counts as the same molecule.
    texts : sequence of str, optional
        All texts as they were found, by row number, for the rejects; else they show the cleaned ones.

    Returns
    -------
    Cleaned
        Its counts have ``"duplicates"``, and where there are labels ``"conflicts"``: `changed` is how many molecules
        got their label from labels in conflict, `removed` how many rows went because of one.

    Raises
    ------
    ValueError
        The rows have no such keys, or there is no such rule.

    Examples
    --------
    >>> deduplicate(clean_rows(["CCO", "OCC"], key="smiles")).smiles.tolist()
    ['CCO']
    """
    rule = Duplicates(duplicates) if isinstance(duplicates, str) else duplicates
    if cleaned.keys is None or cleaned.key != rule.by:
        raise ValueError(
            f"the rows have the key {cleaned.key!r}, the rule is by {rule.by!r}; "
            f"make them by clean_rows(..., key={rule.by!r})"
        )
    merged = merge(cleaned.keys.tolist(), cleaned.labels, rule)
    numbers = cleaned.kept.tolist()

    def found(place: int) -> str:
        return str(cleaned.smiles[place] if texts is None else texts[numbers[place]])

    repeats, conflicts = Tally(rule), Tally(rule)
    conflicts.rows = len(numbers)
    repeats.rows = len(numbers) - len(merged.dropped)
    rejected = [Reject(*reject) for reject in cleaned.rejects]
    for place, reason in merged.dropped:
        rejected.append(Reject(numbers[place], found(place), "conflicts", reason))
        conflicts.remove(numbers[place], cleaned.smiles[place], reason)
    for rows, before, after in merged.conflicts:
        if rule.labels != "drop":
            conflicts.change(numbers[rows[0]], before, after)
    for place, leader in merged.repeats:
        reason = f"the molecule of row {numbers[leader]}"
        rejected.append(Reject(numbers[place], found(place), "duplicates", reason))
        repeats.remove(numbers[place], cleaned.smiles[place], reason)
    counts = dict(cleaned.counts)
    if cleaned.labels is not None:
        counts["conflicts"] = conflicts.count()
    counts["duplicates"] = repeats.count()
    return Cleaned(
        cleaned.smiles[merged.kept],
        cleaned.kept[merged.kept],
        counts,
        Rejects(sorted(rejected, key=itemgetter(0))),
        merged.labels,
        None if cleaned.ids is None else tuple(cleaned.ids[place] for place in merged.kept),
        cleaned.keys[merged.kept],
        cleaned.key,
    )


def _plan(steps: str | Sequence[Step | Callable[[Chem.Mol], bool]]) -> dict[str, Step]:
    """Steps by the names of their stages, parsing among them."""
    if not isinstance(steps, str | Iterable) or isinstance(steps, Step):
        raise ValueError(f"steps is {shown(steps)}, expected the name of a preset or a list of steps")
    plan: dict[str, Step] = {}
    given = [_step(i, step) for i, step in enumerate(preset(steps) if isinstance(steps, str) else steps)]
    first = next((i for i, step in enumerate(given) if step.needs_molecule), len(given))
    taken = {"conflicts", "duplicates", "parse"}
    for i, step in enumerate([*given[:first], Parse(), *given[first:]]):
        stage, again = step.stage, 1
        while stage in taken and i != first:
            again += 1
            stage = f"{step.stage} ({again})"
        taken.add(stage)
        plan[stage] = step
    return plan


def _step(i: int, step: Any) -> Step:
    if isinstance(step, Step):
        return step
    if callable(step) and not isinstance(step, type):
        return Predicate(step)
    remedy = f"; write {step.__name__}()" if isinstance(step, type) and issubclass(step, Step) else ""
    name = step.__name__ if isinstance(step, type) else shown(step)
    raise ValueError(f"steps[{i}] is {name}, expected a step such as Canonical(), or a function Mol -> bool{remedy}")


def _no_text(x: Any) -> str:
    if isinstance(x, Chem.Mol):
        return f"type: {type(x).__name__}, expected a SMILES (str); to_smile(mol) writes one"
    try:
        to_mol(x)
    except MoleculeError as error:
        return str(error.reason)
    raise AssertionError(x)
