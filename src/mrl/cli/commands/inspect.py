"""``mrl inspect``: what is in a file of molecules, or in a vocabulary."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from typer import Exit

from mrl.chem import clean, elements
from mrl.cli.console import DATA, USAGE, print_facts, print_grid, print_json, print_text, stop
from mrl.cli.options import InspectOptions
from mrl.cli.tables import print_tokens, read_file, require_writable, save_rejects
from mrl.corpus import Table
from mrl.messages import format_count, format_names, format_value
from mrl.progress import track
from mrl.ragged import Rejects
from mrl.text import SMILES_CHAR_VOCAB, SPECIAL_TOKENS, CharacterVocab, Coverage, Unknown, Vocab, is_vocab_file

_SHOWN_ROWS = 20
_ENDS = 8


def run(options: InspectOptions) -> None:
    """Print the facts of a file; exit with 1 if some of its rows are not fit for a dataset."""
    if is_vocab_file(options.file):
        if any((options.vocab, options.reading_words, options.rejects)):
            stop(
                f"{options.file} is a vocabulary: --vocab, --rejects and the options of reading tables are for "
                "files of molecules",
                USAGE,
            )
        _inspect_vocabulary(options)
    else:
        _inspect_molecules(options)


def _inspect_vocabulary(options: InspectOptions) -> None:
    vocab = Vocab.load(options.file)
    tokens = vocab.itos[len(SPECIAL_TOKENS) :]
    facts: dict[str, Any] = {
        "file": str(options.file),
        "kind": vocab.kind,
        "tokens": len(vocab),
        "specials": vocab.special_tokens,
        "dtype": str(vocab.dtype),
        "engine": vocab.engine,
        "engine_reason": vocab.engine_reason,
        "rules": vocab.rules(),
        "fingerprint": vocab.fingerprint(),
        "first": tokens[:_ENDS],
        "last": tokens[-_ENDS:],
    }
    if options.json:
        print_json(facts)
    else:
        rules = facts.pop("rules")
        print_facts(facts | rules)


def _inspect_molecules(options: InspectOptions) -> None:
    vocab = CharacterVocab(SMILES_CHAR_VOCAB) if options.vocab is None else Vocab.load(options.vocab)
    name = "the 38 characters of SMILES_CHAR_VOCAB" if options.vocab is None else str(options.vocab)
    require_writable(options.rejects, inputs=[options.file])
    table = read_file(options.file, options)
    facts = _molecule_facts(options.file, table, options.rejects)
    coverage = vocab.coverage(table.smiles)
    coverage = replace(coverage, unknown=_in_file(coverage.unknown, table), cut=_in_file(coverage.cut, table))
    if options.json:
        print_json(facts | {"vocabulary": {"name": name, **coverage.to_dict()}})
    else:
        _show_molecules(facts)
        _show_coverage(coverage, name)
        _show_problems(facts)
    if facts["invalid"] or facts["not_read"] or (options.vocab is not None and not coverage.complete):
        raise Exit(DATA)


def _in_file(tokens: list[Unknown], table: Table) -> list[Unknown]:
    return [one._replace(row=int(table.rows[one.row])) for one in tokens]


def _molecule_facts(file: Path, table: Table, rejects: Path | None) -> dict[str, Any]:
    smiles = table.smiles
    atoms: Counter[str] = Counter()
    molecules: Counter[str] = Counter()
    with track(True, len(smiles), "parsing") as advance:
        cleaned = clean(smiles, duplicates="first", on_row=lambda: advance(1))
    with track(True, len(cleaned.smiles), "counting atoms") as advance:
        for text in cleaned.smiles:
            atoms.update(found := elements(text))
            molecules.update(found.keys())
            advance(1)
    lengths = np.array([len(text) for text in smiles] or [0])
    invalid = [r._replace(row=int(table.rows[r.row])) for r in cleaned.rejects if r.stage == "parse"]
    problems = sorted([*table.rejects, *invalid])
    save_rejects(Rejects(problems), rejects)
    return {
        "file": str(file),
        "rows": len(table) + len(table.rejects),
        "not_read": len(table.rejects),
        "invalid": len(invalid),
        "duplicates": cleaned.counts["duplicates"].removed,
        "molecules": len(cleaned.smiles),
        "columns": list(table.header),
        "notes": dict(table.notes),
        "lengths": {
            "min": int(lengths.min()),
            "median": float(np.median(lengths)),
            "p99": int(np.percentile(lengths, 99, method="higher")),
            "max": int(lengths.max()),
        },
        "elements": {symbol: {"molecules": n, "atoms": atoms[symbol]} for symbol, n in molecules.most_common()},
        "problems": [problem._asdict() for problem in problems[:_SHOWN_ROWS]],
    }


def _show_molecules(facts: dict[str, Any]) -> None:
    lengths = facts["lengths"]
    spread = f"{lengths['min']} to {lengths['max']}, 99 % up to {lengths['p99']}"
    print_grid(
        [
            ("rows", f"{facts['rows']:,}", facts["file"]),
            ("not read", f"{facts['not_read']:,}", "rejected while reading, see below" if facts["not_read"] else ""),
            ("invalid", f"{facts['invalid']:,}", "not a molecule"),
            ("duplicates", f"{facts['duplicates']:,}", "the same molecule again, by canonical SMILES"),
            ("molecules", f"{facts['molecules']:,}", "distinct"),
            ("length", f"{lengths['median']:g}", f"characters, median; {spread}"),
            *(("changed", f"{count:,}", reason) for reason, count in facts["notes"].items()),
        ],
        numbers=(1,),
    )
    print_text("")
    if facts["elements"]:
        elements_found = facts["elements"].items()
        rows = [(symbol, f"{found['molecules']:,}", f"{found['atoms']:,}") for symbol, found in elements_found]
        print_grid(rows, ("element", "molecules", "atoms"), numbers=(1, 2))
    else:
        columns = format_names(facts["columns"])
        print_text(f"No row is a molecule. The file has {columns}: choose a column with --smiles-column.")
    print_text("")


def _show_coverage(coverage: Coverage, vocabulary: str) -> None:
    if coverage.complete:
        print_text(f"Every token is in {vocabulary}: no molecule is changed.")
        return
    rows = f"{coverage.unknown_rows:,} of {format_count(coverage.rows, 'row')}"
    verb = "has" if coverage.unknown_rows == 1 else "have"
    print_text(f"{rows} {verb} tokens that are not in {vocabulary}:")
    print_tokens(coverage.unknown)


def _show_problems(facts: dict[str, Any]) -> None:
    total = facts["not_read"] + facts["invalid"]
    if total:
        print_text("")
        print_text("Rows with problems" + (f" (the first {_SHOWN_ROWS})" if total > _SHOWN_ROWS else "") + ":")
        rows = [(f"{p['row']:,}", format_value(p["text"], most=40), p["reason"]) for p in facts["problems"]]
        print_grid(rows, ("row", "text", "problem"), numbers=(0,))
