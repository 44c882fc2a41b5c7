"""Sections about labels and parts: how full columns are, what they hold, how they go together, what parts share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrl.formatting import format_percent
from mrl.messages import format_count
from mrl.report.data.figures import CENTRAL, MEAN_AND_ENDS, MOST_MAPPED, correlation_map, share_bar
from mrl.report.data.rows import format_value_of, short
from mrl.report.distributions import distributions
from mrl.report.html import Section, columns, figure, paragraph, table
from mrl.report.molecules import molecule_grid
from mrl.summary import ColumnFacts, Summary, spread

_MOST_TABLE, _MOST_FIGURES = 60, 16
_STRONGEST = 10
_MOST_EXAMPLES = 4


def labels_section(summary: Summary) -> Iterator[Section]:
    """Yield how full the columns of labels are, what they hold, and how they go together."""
    labels = summary.labels
    if not labels:
        return
    numbers = [one for one in labels if one.kind == "numbers"]
    classes = [one for one in labels if one.kind == "classes"]
    body = ""
    if classes:
        rows = []
        for one in classes[:_MOST_TABLE]:
            counts = list(one.classes.items())
            rarest = counts[-1]
            held = ", ".join(f"{short(name, 24)}: {count:,}" for name, count in counts[:6])
            held += " …" if len(counts) > 6 else ""
            rare = share_bar(rarest[1], one.filled)
            rows.append((short(one.name), share_bar(one.filled, one.rows), held, rare))
        body += table(rows, ["column", "filled", "classes", "rarest class"], caption="Classes")
    if numbers:
        body += _numbers_table(numbers[:_MOST_TABLE])
        figures = [
            figure(distributions(short(one.name, 40), {"data": one.values}, central=CENTRAL), short(one.name))
            for one in numbers[:_MOST_FIGURES]
        ]
        body += columns(*figures)
        if len(numbers) > _MOST_FIGURES:
            body += paragraph(f"And {format_count(len(numbers) - _MOST_FIGURES, 'more column')} of numbers.")
    body += _correlations(summary)
    note = f"Columns that hold numbers or classes: {len(labels):,}."
    if numbers:
        note += f" {MEAN_AND_ENDS}"
    if summary.looked_at["columns"] < summary.kept:
        note += f" Of {summary.looked_at['columns']:,} rows, drawn at random."
    yield Section("Labels", body, note)


def _numbers_table(numbers: Sequence[ColumnFacts]) -> str:
    rows = []
    for one in numbers:
        facts = spread(one.values)
        ends = [format_value_of(one, facts[name]) for name in ("min", "median", "max")]
        filled = share_bar(one.filled, one.rows)
        rows.append([short(one.name, 40), filled, one.distinct, *ends, one.censored, one.not_numbers])
    header = ["column", "filled", "different", "least", "median", "most", "censored", "not numbers"]
    shown = [place for place in range(len(header)) if place < 6 or any(row[place] for row in rows)]
    return table(
        [[row[place] for place in shown] for row in rows], [header[place] for place in shown], caption="Numbers"
    )


def _correlations(summary: Summary) -> str:
    found = summary.correlations
    strongest = found.strongest(_STRONGEST)
    if not strongest:
        return ""
    rows = [(short(a, 28), short(b, 28), value, n) for a, b, value, n in strongest]
    pairs = table(rows, ["column", "and", "correlation", "rows"], caption="Strongest correlations")
    if len(found.names) > MOST_MAPPED:
        return pairs
    caption = "Spearman's rank correlation, over the rows that have both values. Columns are numbered as rows are."
    return columns(figure(correlation_map(found), "How labels go together", caption), pairs)


def parts_section(summary: Summary) -> Iterator[Section]:
    """Yield the parts of a split, and the molecules and scaffolds that they share."""
    parts = summary.parts
    if parts is None:
        return
    total = sum(parts.rows.values())
    sizes = [(short(name) or "(blank)", count, share_bar(count, total)) for name, count in parts.rows.items()]
    body: str = table(sizes, ["part", "rows", "share"])
    scaffolds = {(one.part, one.other): one for one in parts.scaffolds}
    rows: list[tuple[object, ...]] = []
    for one in parts.molecules:
        scaffold = scaffolds.get((one.part, one.other))
        also = None if scaffold is None else share_bar(scaffold.shared, scaffold.rows)
        name = f"{short(one.part, 24)} in {short(one.other, 24)}"
        rows.append((name, one.shared, share_bar(one.shared, one.rows), also))
    what = "molecules" if summary.molecules is not None else "texts"
    header = ["rows of", f"shared {what}", "share", "shared scaffolds"]
    if not scaffolds:
        rows, header = [row[:3] for row in rows], header[:3]
    body += table(rows, header, caption="What parts have in common")
    shared = [one for one in parts.molecules if one.shared][:_MOST_EXAMPLES]
    if shared and summary.molecules is not None:
        captions = [f"{short(one.part, 20)} and {short(one.other, 20)}" for one in shared]
        body += molecule_grid([one.example for one in shared], captions, title="Molecules in two parts")
    note = (
        f"As the column {short(parts.column)} says. A test molecule that is in the training part makes a model look "
        "better than it is."
    )
    sampled = summary.looked_at["duplicates"]
    if sampled < summary.kept:
        rate = format_percent(sampled, summary.kept)
        note += f" Counted among {sampled:,} rows ({rate}); the scaffolds of other rows may be shared too."
    yield Section("Parts", body, note)
