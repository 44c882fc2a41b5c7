"""DataReport: what is in a file of molecules, as a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mrl.files import write_atomic
from mrl.formatting import Html, format_number, format_percent
from mrl.messages import format_count
from mrl.report.data.labels import labels_section, parts_section
from mrl.report.data.molecules import (
    duplicates_section,
    elements_section,
    properties_section,
    scaffolds_section,
)
from mrl.report.data.rows import columns_section, findings_list, rejects_section, texts_section
from mrl.report.html import Section, Tile, columns, command, page, table, tiles, versions_used
from mrl.summary import Summary, summarize


@dataclass(frozen=True, eq=False, repr=False)
class DataReport:
    """A page about a file or a table of molecules; see `data_report`.

    Parameters
    ----------
    summary : Summary
        What was found.
    command : str
        The command that makes the page again, or ``""``.
    versions : mapping of str to object
        Packages and their versions, for the end of the page; those in use if not given.

    Examples
    --------
    >>> from mrl.summary import summarize
    >>> report = DataReport(summarize(["CCO", "OCC", "C("]))
    >>> report.html.startswith("<!doctype html>"), report.to_dict()["invalid"]
    (True, 1)
    """

    summary: Summary
    command: str = ""
    versions: Mapping[str, object] = field(default_factory=versions_used)

    @property
    def html(self) -> Html:
        """The page: one self-contained HTML document, the same bytes for the same summary."""
        found = self.summary
        sections = [
            columns_section(found),
            rejects_section(found),
            *duplicates_section(found),
            *labels_section(found),
            *parts_section(found),
            texts_section(found),
            *properties_section(found),
            *elements_section(found),
            *scaffolds_section(found),
            self._how(),
        ]
        name = os.path.basename(found.name) or found.name
        subtitle = f"{format_count(found.rows, 'row')}. {_what(found)}{_sampled(found)}"
        lead = _key_numbers(found) + findings_list(found)
        return page(name, subtitle, sections, lead=lead, kicker="mrl report")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, completely or not at all.

        Parameters
        ----------
        path : str or path
            The name of the file, usually ending in ``.html``.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> data_report(["CCO"]).save(Path(tempfile.mkdtemp()) / "report.html")
        """
        write_atomic(path, self.html)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers on the page as plain values, for JSON.

        Examples
        --------
        >>> data_report(["CCO"]).to_dict()["kept"]
        1
        """
        return self.summary.to_dict()

    def _how(self) -> Section:
        found = self.summary
        subjects = {
            "texts": "tokens",
            "columns": "columns and labels",
            "molecules": "elements, scaffolds, rows that are not molecules",
            "duplicates": "duplicates, conflicts, molecules shared by parts",
            "properties": "properties",
        }
        rows = [("lengths, equal texts, rejected rows", found.kept, "all")]
        for key, words in subjects.items():
            if n := found.looked_at.get(key, 0):
                how = "all" if n == found.kept else "drawn at random"
                if key == "duplicates" and n < found.kept:
                    how = "molecules drawn at random, each with all its rows"
                rows.append((words, n, how))
        body = columns(
            table(rows, ["subject", "rows", "which"], caption="Rows that were looked at"),
            table(self.versions.items(), ["package", "version"], caption="Versions") if self.versions else "",
        )
        note = f"The same file and seed ({found.seed}) give the same page."
        return Section("How this page was made", (command(self.command) if self.command else "") + body, note)

    def __repr__(self) -> str:
        return f'DataReport({self.summary!r}): .save("report.html") writes the page'

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()


def data_report(data: Any, **options: Any) -> DataReport:
    """Return a page about a file or a table of molecules.

    Parameters
    ----------
    data : path, Table, Source or column of str
        What `mrl.summary.summarize` takes.
    **options
        Those of `mrl.summary.summarize`.

    Returns
    -------
    DataReport
        `DataReport.save` writes the page.

    Raises
    ------
    MrlError
        A file cannot be read, or there is no column of a name.

    Examples
    --------
    >>> data_report(["CCO", "OCC", "C("])
    DataReport(Summary of molecules: 3 rows; 2 molecules; 1 row is not a molecule; 1 duplicate): .save("report.html") \
writes the page
    """
    return DataReport(summarize(data, **options))


_NOTATIONS = {
    "selfies": "SELFIES, which are not parsed here",
    "protein": "sequences of amino acids",
    "nucleotide": "sequences of nucleotides",
    "text": "texts that are not SMILES",
}


def _what(found: Summary) -> str:
    if found.molecules is None:
        return f"The column {found.smiles_column} holds {_NOTATIONS.get(found.notation, 'texts')}."
    return f"The molecules are in the column {found.smiles_column}."


def _sampled(found: Summary) -> str:
    looked_at = found.looked_at.get("molecules", found.kept)
    if looked_at == found.kept:
        return ""
    return (
        f" Lengths and equal texts are those of all rows; {looked_at:,} rows, drawn at random, were parsed for "
        "everything about molecules."
    )


def _key_numbers(found: Summary) -> Html:
    items = [Tile("Rows", f"{found.rows:,}", note=_rejected(found))]
    sample = found.looked_at.get("molecules", found.kept)
    of = f"of {sample:,} rows looked at" if sample < found.kept else f"of {format_count(found.kept, 'row')}"
    if found.molecules is None:
        items.append(Tile("Different texts", f"{found.same_text.distinct:,}", note=of))
    else:
        items.append(Tile("Molecules", format_percent(sample - found.n_invalid, sample), note=of))
    same = found.same_molecule or found.same_text
    if found.looked_at["duplicates"] < found.kept:
        items.append(Tile("Duplicates", format_percent(same.extra, same.rows), note=f"of {same.rows:,} rows"))
    else:
        items.append(Tile("Duplicates", f"{same.extra:,}", note="rows that repeat an earlier one"))
    if found.scaffolds is not None:
        note = f"of {format_count(found.scaffolds.molecules, 'molecule')}"
        items.append(Tile("Scaffolds", f"{found.scaffolds.distinct:,}", note=note))
    else:
        items.append(Tile("Tokens", f"{len(found.tokens.counts):,}", note=found.tokens.kind))
    if found.labels:
        filled = sum(one.filled for one in found.labels) / max(1, sum(one.rows for one in found.labels))
        items.append(Tile("Label columns", f"{len(found.labels):,}", note=f"{format_percent(filled, 1)} filled"))
    elif found.kept:
        lengths = found.lengths
        note = f"characters, the median; {min(lengths.counts):,} to {max(lengths.counts):,}"
        items.append(Tile("Length", format_number(lengths.percentile(50)), note=note))
    return tiles(items)


def _rejected(found: Summary) -> str:
    before = found.rows - found.kept
    return f"{before:,} of them rejected before" if before else "all of them were read"
