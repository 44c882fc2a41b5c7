"""Sections about molecules: elements and traits, properties, scaffolds, duplicates."""

from __future__ import annotations

from collections.abc import Iterator

from mrl.chem import title_and_unit
from mrl.formatting import format_percent
from mrl.messages import format_count
from mrl.report.data.figures import CENTRAL, MEAN_AND_ENDS, share_bar
from mrl.report.data.rows import short
from mrl.report.distributions import distributions
from mrl.report.html import Section, code, columns, figure, paragraph, table
from mrl.report.molecules import molecule_grid
from mrl.summary import Duplicates, Summary

_MOST_ELEMENTS = 16
_MOST_CONFLICTS = 30
_EXAMPLES = 8


def elements_section(summary: Summary) -> Iterator[Section]:
    """Yield the elements of the molecules, and what else they have."""
    facts = summary.molecules
    if facts is None:
        return
    n = summary.looked_at["molecules"] - summary.n_invalid
    elements = [
        (symbol, count, share_bar(count, n), atoms) for symbol, (count, atoms) in list(facts.elements.items())
    ]  # fmt: skip
    traits = [(trait, count, share_bar(count, n)) for trait, count in facts.traits.items()]
    traits.append(("RDKit's canonical SMILES", facts.canonical, share_bar(facts.canonical, n)))
    more = ""
    if len(elements) > _MOST_ELEMENTS:
        rarer = ", ".join(f"{symbol} {count:,}" for symbol, count, *_ in elements[_MOST_ELEMENTS:])
        more = paragraph(f"Also, with their molecules: {rarer}.")
    body = columns(
        table(elements[:_MOST_ELEMENTS], ["element", "molecules", "share", "atoms"], caption="Elements") + more,
        table(traits, ["molecules with", "molecules", "share"], caption="What models and programs may treat apart"),
    )
    yield Section(
        "Elements and notation",
        body,
        f"Of {format_count(n, 'molecule')}. Hydrogens count where they are written as atoms.",
    )


def properties_section(summary: Summary) -> Iterator[Section]:
    """Yield the distributions of properties."""
    if not summary.properties:
        return
    figures = []
    for name, values in summary.properties.items():
        title, unit = title_and_unit(name)
        figures.append(figure(distributions(title, {"data": values}, unit=unit, central=CENTRAL), title))
    n = summary.looked_at["properties"]
    note = f"Of {format_count(n, 'molecule')}" + ("." if n == summary.kept else ", drawn at random.")
    yield Section("Properties", columns(*figures), f"{note} {MEAN_AND_ENDS}")


def scaffolds_section(summary: Summary) -> Iterator[Section]:
    """Yield the numbers of scaffolds, and the largest drawn."""
    found = summary.scaffolds
    if found is None or not found.molecules:
        return
    rows = [
        ("different scaffolds", found.distinct, ""),
        ("scaffolds of one molecule only", found.singletons, share_bar(found.singletons, found.distinct)),
        (
            "molecules without a ring",
            found.without_ring,
            share_bar(found.without_ring, found.molecules),
        ),
    ]
    body: str = table(rows, ["", "number", "share"])
    if found.largest:
        captions = [f"{format_count(n, 'molecule')} ({format_percent(n, found.molecules)})" for _, n in found.largest]
        body += molecule_grid([text for text, _ in found.largest], captions, title="The most frequent ones")
    note = f"Bemis-Murcko scaffolds of {format_count(found.molecules, 'molecule')}: ring systems and what links them."
    yield Section("Scaffolds", body, note)


def duplicates_section(summary: Summary) -> Iterator[Section]:
    """Yield which rows are the same, and where their labels contradict each other."""
    kinds: list[tuple[str, Duplicates | None]] = [
        ("the same text", summary.same_text),
        ("the same molecule, however it is written", summary.same_molecule),
        ("the same molecule, if stereo does not count", summary.same_flat),
    ]
    rows = [
        (words, one.rows, one.distinct, one.extra, share_bar(one.extra, one.rows)) for words, one in kinds if one
    ]  # fmt: skip
    body: str = table(rows, ["equal is", "rows", "different", "repeats", "share"])
    largest = (summary.same_molecule or summary.same_text).examples[:_EXAMPLES]
    if largest and summary.molecules is not None:
        captions = [f"{one.count:,} rows: {_numbers(one.rows, one.count)}" for one in largest]
        body += molecule_grid([one.text for one in largest], captions, title="The most frequent ones")
    elif largest:
        texts = [(code(short(one.text, 120)), one.count, _numbers(one.rows, one.count)) for one in largest]
        body += table(texts, ["text", "rows", "which"], caption="The most frequent ones")
    body += _conflicts(summary)
    note = "Repeats are rows that say what an earlier row has said."
    if summary.looked_at["duplicates"] < summary.kept:
        same_text = summary.same_text
        which = "all rows" if same_text.rows == summary.kept else f"{same_text.rows:,} rows, some texts with all theirs"
        note += (
            f" Texts are those of {which}; molecules of {summary.looked_at['duplicates']:,} rows: some molecules were "
            "drawn at random, each with all its rows."
        )
    yield Section("Duplicates and conflicts", body, note)


def _conflicts(summary: Summary) -> str:
    found = [one for one in summary.conflicts if one.repeated]
    if not found:
        return (
            paragraph("No labels contradict each other: no row with a label repeats another one.")
            if summary.conflicts
            else ""
        )
    ordered = sorted(found, key=lambda one: -one.different)
    rows: list[tuple[object, ...]] = [
        (
            short(one.column, 40),
            one.repeated,
            one.different,
            share_bar(one.different, one.repeated),
            one.median_range,
            one.largest_range,
        )
        for one in ordered
    ]
    header = ["column", "molecules", "that differ", "share", "by (median)", "by (most)"]
    if all(one.largest_range != one.largest_range for one in found):
        rows, header = [row[:4] for row in rows], header[:4]
    body: str = table(rows[:_MOST_CONFLICTS], header, caption="Molecules with several labels")
    examples = [
        (
            code(short(one.text, 80)),
            short(conflict.column, 40),
            ", ".join(one.labels),
            ", ".join(map(str, one.rows)),
        )
        for conflict in ordered
        for one in conflict.examples[:2]
    ]
    if examples:
        body += table(examples[:_EXAMPLES], ["molecule", "column", "labels", "rows"], caption="Some of them")
    return body


def _numbers(rows: tuple[int, ...], count: int) -> str:
    return ", ".join(map(str, rows)) + (" …" if count > len(rows) else "")
