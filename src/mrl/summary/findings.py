"""What deserves a look before anybody trains on a table, in sentences."""

from __future__ import annotations

from mrl.formatting import format_number, format_percent
from mrl.messages import format_count, format_examples, format_names, format_value
from mrl.ragged import part_of
from mrl.summary.summary import Summary

_TRAITS = {
    "several components": "several components: salts, solvents or mixtures",
    "radicals": "unpaired electrons",
    "metals": "metal atoms",
    "atom maps": "atom map numbers",
    "wildcard atoms": "wildcard atoms: attachment points or unknown atoms",
    "isotopes": "isotopes",
}
_MANY = 5  # columns that are named


def findings(summary: Summary) -> list[str]:
    """Return what deserves a look, the gravest first; nothing if there is nothing.

    Parameters
    ----------
    summary : Summary

    Returns
    -------
    list of str

    Examples
    --------
    >>> from mrl.summary import summarize
    >>> findings(summarize(["CCO", "OCC", "C(", "[Na+].[Cl-]"]))[:2]
    ['1 row is not a molecule (25.0 %).', '1 row repeats a molecule of an earlier row (25.0 %).']
    """
    return [*_rows(summary), *_labels(summary), *_parts(summary), *_molecules(summary)]


def _rows(summary: Summary) -> list[str]:
    found = []
    if before := summary.rows - summary.kept:
        share = format_percent(before, summary.rows)
        found.append(f"{format_count(before, 'row was', 'rows were')} rejected before ({share}).")
    if summary.n_invalid:
        text = format_count(summary.n_invalid, "row is not a molecule", "rows are not molecules")
        found.append(f"{text} ({_share(summary, 'molecules', summary.n_invalid)}).")
    for note, count in summary.notes.items():
        found.append(f"{note}: {format_count(count, 'row')}.")
    repeated = summary.same_molecule
    if repeated is not None and repeated.extra:
        text = format_count(repeated.extra, "row repeats", "rows repeat")
        share = _share(summary, "duplicates", repeated.extra)
        found.append(f"{text} a molecule of an earlier row ({share}).")
    elif repeated is None and summary.same_text.extra:
        text = format_count(summary.same_text.extra, "row repeats", "rows repeat")
        share = format_percent(summary.same_text.extra, summary.same_text.rows)
        found.append(f"{text} the text of an earlier row ({share}).")
    return found


def _labels(summary: Summary) -> list[str]:
    found = []
    differ = sorted((one for one in summary.conflicts if one.different), key=lambda one: -one.different)
    for one in differ[:_MANY]:
        several = format_count(one.repeated, "repeated molecule")
        verb = "has" if one.different == 1 else "have"
        size = "" if one.median_range != one.median_range else f", by {format_number(one.median_range)} in the median"
        found.append(f"{one.different:,} of {several} {verb} different values of {_name(one.column)}{size}.")
    if len(differ) > _MANY:
        found.append(f"{format_count(len(differ) - _MANY, 'more column has', 'more columns have')} such conflicts.")
    for column in summary.columns:
        if column.decimal == ",":
            found.append(f'{_name(column.name)} has decimal commas: read it with decimal="," (--decimal ,).')
        if column.unreadable:
            count = format_count(column.not_numbers, "cell")
            some = format_examples(column.unreadable, most=3)
            found.append(f"{count} of {_name(column.name)} cannot be read as numbers{some}.")
        if column.censored:
            found.append(f"{format_count(column.censored, 'cell')} of {_name(column.name)} are censored, such as >10.")
        if column.kind == "empty":
            found.append(f"Column {_name(column.name)} is empty.")
    rare = [
        one for one in summary.labels if len(one.classes) == 2 and min(one.classes.values()) < 0.01 * one.filled
    ]  # fmt: skip
    if rare:
        names = format_names([one.name[:40] for one in rare], most=3)
        found.append(f"One class has fewer than 1 % of the rows in {names}.")
    return found


def _parts(summary: Summary) -> list[str]:
    found = []
    for one in () if summary.parts is None else summary.parts.molecules:
        if one.shared and part_of(one.other) == "train":
            text = format_count(one.shared, "row")
            share = format_percent(one.shared, one.rows)
            found.append(f"{text} of {_name(one.part)} have a molecule of {_name(one.other)} ({share}).")
    return found


def _molecules(summary: Summary) -> list[str]:
    if summary.molecules is None:
        return []
    looked_at = summary.looked_at["molecules"] - summary.n_invalid
    found = []
    for trait, words in _TRAITS.items():
        if count := summary.molecules.traits.get(trait, 0):
            verb = "molecule has" if count == 1 else "molecules have"
            found.append(f"{count:,} {verb} {words} ({_share(summary, 'molecules', count)}).")
    if written := looked_at - summary.molecules.canonical:
        text = format_count(written, "molecule is", "molecules are")
        found.append(f"{text} not written as RDKit's canonical SMILES ({_share(summary, 'molecules', written)}).")
    if summary.tokens.missing:
        missing = format_count(len(summary.tokens.missing), "token")
        rows = format_count(summary.tokens.missing_rows, "row")
        found.append(
            f"The vocabulary lacks {missing} that {rows} have: {format_names(summary.tokens.missing, most=5)}."
        )
    return found


def _share(summary: Summary, subject: str, count: int) -> str:
    looked_at = summary.looked_at[subject]
    sample = f" of {looked_at:,} rows looked at" if looked_at < summary.kept else ""
    return f"{format_percent(count, looked_at)}{sample}"


def _name(name: str) -> str:
    return format_value(name, most=60)
