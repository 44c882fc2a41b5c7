"""``mrl inspect``: look at a file of molecules; at a vocabulary by `mrl.cli.vocab`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table as Grid
from typer import Exit

from mrl.chem import clean, elements
from mrl.cli.console import DATA, USAGE, out, progress, reported, stop, write_json
from mrl.cli.vocab import describe, is_vocabulary
from mrl.corpus import Table, read
from mrl.text import SMILES_CHAR_VOCAB, CharacterVocab, Coverage, Vocab

__all__ = ["run"]


def run(file: Path, smiles_column: str | None, vocab: Path | None, json: bool) -> None:
    """Print the facts of `file`; exit with 1 if something in it is not as a data set needs it."""
    if is_vocabulary(file):
        if vocab is not None or smiles_column is not None:
            stop(f"{file} is a vocabulary; --vocab and --smiles-column are for files of molecules", USAGE)
        describe(file, json)
        return
    with reported():
        known = CharacterVocab(SMILES_CHAR_VOCAB) if vocab is None else Vocab.load(vocab)
        table = read(file, smiles=smiles_column)
        name = "the 38 characters of SMILES_CHAR_VOCAB" if vocab is None else str(vocab)
        facts, coverage = _facts(file, table, known)
        if json:
            write_json(facts | {"vocabulary": {"name": name, **coverage.to_dict()}})
        else:
            _show(facts, coverage, name)
        if facts["invalid"] or facts["not_read"] or (vocab is not None and not coverage.complete):
            raise Exit(DATA)


def _facts(file: Path, table: Table, vocab: Vocab) -> tuple[dict[str, Any], Coverage]:
    smiles = table.smiles
    with progress() as bar:
        task = bar.add_task("parsing", total=len(smiles))
        cleaned = clean(smiles, duplicates="first", on_row=lambda: bar.advance(task))
        task = bar.add_task("counting atoms", total=len(cleaned.smiles))
        atoms: Counter[str] = Counter()
        molecules: Counter[str] = Counter()
        for text in cleaned.smiles:
            atoms.update(found := elements(text))
            molecules.update(found.keys())
            bar.advance(task)
    lengths = np.array([len(text) for text in smiles]) if len(smiles) else np.zeros(1, int)
    invalid = (r._replace(row=int(table.rows[r.row])) for r in cleaned.rejects if r.stage == "parse")
    problems = [*table.rejects, *invalid]
    facts = {
        "file": str(file),
        "rows": len(table) + len(table.rejects),
        "not_read": len(table.rejects),
        "invalid": cleaned.counts["parse"].removed,
        "duplicates": cleaned.counts["duplicates"].removed,
        "molecules": len(cleaned.smiles),
        "columns": list(table.header),
        "notes": dict(table.notes),
        "lengths": {
            "min": int(lengths.min()),
            "median": float(np.median(lengths)),
            "p99": float(np.percentile(lengths, 99)),
            "max": int(lengths.max()),
        },
        "elements": {symbol: {"molecules": n, "atoms": atoms[symbol]} for symbol, n in molecules.most_common()},
        "problems": [problem._asdict() for problem in problems[:20]],
    }
    return facts, vocab.coverage(smiles)


def _show(facts: dict[str, Any], coverage: Coverage, vocabulary: str) -> None:
    grid = Grid(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    grid.add_column(style="bold")
    grid.add_column(justify="right")
    grid.add_column(style="dim")
    grid.add_row("rows", f"{facts['rows']:,}", facts["file"])
    grid.add_row("not read", f"{facts['not_read']:,}", "empty, or not of the table's shape")
    grid.add_row("invalid", f"{facts['invalid']:,}", "not a molecule")
    grid.add_row("duplicates", f"{facts['duplicates']:,}", "the same molecule again, by canonical SMILES")
    grid.add_row("molecules", f"{facts['molecules']:,}", "distinct")
    lengths = facts["lengths"]
    spread = f"{lengths['min']} to {lengths['max']}, 99 % up to {lengths['p99']:g}"
    grid.add_row("length", f"{lengths['median']:g}", f"characters, median; {spread}")
    for reason, rows in facts["notes"].items():
        grid.add_row("note", f"{rows:,}", reason)
    out.print(grid)
    out.print()
    counts = Grid(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in ("element", "molecules", "atoms"):
        counts.add_column(title, justify="left" if title == "element" else "right")
    for symbol, found in facts["elements"].items():
        counts.add_row(symbol, f"{found['molecules']:,}", f"{found['atoms']:,}")
    out.print(counts)
    out.print()
    if coverage.complete:
        out.print(f"Every token is in {vocabulary}: no molecule is changed.", markup=False)
    else:
        out.print(
            f"{coverage.unknown_rows:,} of {coverage.rows:,} rows have tokens that are not in {vocabulary}:",
            markup=False,
        )
        for unknown in coverage.unknown[:10]:
            out.print(
                f"  {unknown.token!r} {unknown.count:,} times, first in row {unknown.row}: {unknown.text}", markup=False
            )
        if len(coverage.unknown) > 10:
            out.print(f"  and {len(coverage.unknown) - 10} others")
    if facts["problems"]:
        out.print()
        out.print("Rows with problems (the first 20):")
        for problem in facts["problems"]:
            out.print(f"  row {problem['row']}: {problem['text'][:60]!r}: {problem['reason']}", markup=False)
