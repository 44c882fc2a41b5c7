"""``mrl inspect``: what is in a file of molecules, or in a file or folder that mrl wrote."""

from __future__ import annotations

import sys
from typing import Any

from typer import Exit

from mrl.cli.commands.inspect_files import facts_of_file
from mrl.cli.console import DATA, USAGE, print_facts, print_grid, print_json, print_text, stop
from mrl.cli.options import InspectOptions
from mrl.cli.summaries import read_blocks_of
from mrl.cli.tables import print_tokens, require_writable, save_rejects
from mrl.formatting import format_number, format_percent
from mrl.messages import format_count, format_examples, format_names, format_value
from mrl.ragged import Rejects
from mrl.summary import Blocks, ColumnFacts, SampleSizes, Summary, findings, spread, summarize
from mrl.text import Coverage, Unknown, Vocab

_SHOWN_ROWS = 20
_SHOWN_COLUMNS = 30
_SAMPLE = 10_000
_HELD = {
    "smiles": "the molecules",
    "selfies": "SELFIES",
    "protein": "protein sequences",
    "nucleotide": "nucleotide sequences",
    "text": "text",
}


def run(options: InspectOptions) -> None:
    """Print the facts of a file; exit with 1 if some of its rows are not fit for a dataset."""
    facts = facts_of_file(options.file)
    if facts is None:
        _inspect_molecules(options)
    elif any((options.vocab, options.reading_words, options.rejects, options.all)):
        stop(
            f"{options.file} is a {facts['is']}: --vocab, --rejects, --all and the options of reading tables are for "
            "files of molecules",
            USAGE,
        )
    elif options.json:
        print_json(facts)
    else:
        print_facts(_flat(facts))


def _flat(facts: dict[str, Any], name: str = "") -> dict[str, Any]:
    """Return facts without levels, which a terminal shows in two columns."""
    found: dict[str, Any] = {}
    for key, value in facts.items():
        whole = f"{name}.{key}" if name else str(key)
        if isinstance(value, dict) and value and key != "rules":
            found |= _flat(value, whole)
        elif isinstance(value, dict):
            found |= value
        elif isinstance(value, list) and not all(isinstance(one, str) for one in value):
            found[whole] = ", ".join(format_value(one, most=100) for one in value[:_SHOWN_ROWS])
        else:
            found[whole] = value
    return found


def _inspect_molecules(options: InspectOptions) -> None:
    vocab = None if options.vocab is None else Vocab.load(options.vocab)
    require_writable(options.rejects, inputs=[options.file])
    blocks = read_blocks_of(options.file, options)
    parsed = sys.maxsize if options.all or options.rejects else _SAMPLE
    summary = summarize(blocks, properties=(), sizes=SampleSizes(molecules=parsed), progress=True)
    not_read = [summary.first_rejects] if options.rejects is None else [block.rejects for block in blocks]
    problems = Rejects.concat([*not_read, summary.invalid]).by_row()
    save_rejects(problems, options.rejects)
    facts = _molecule_facts(options, summary, problems)
    coverage = None if vocab is None else _coverage(vocab, blocks)
    if options.json:
        known = {} if coverage is None else {"vocabulary": {"name": str(options.vocab), **coverage.to_dict()}}
        print_json(facts | known)
    else:
        _show_rows(options, facts, summary)
        _show_columns(summary)
        _show_molecules(summary)
        if coverage is not None:
            _show_coverage(coverage, str(options.vocab))
        _show_problems(facts)
    if problems or summary.kept < summary.rows or (coverage is not None and not coverage.complete):
        raise Exit(DATA)


def _coverage(vocab: Vocab, blocks: Blocks) -> Coverage:
    """Return how much of all rows a vocabulary covers, with the numbers of the rows in the file."""
    counts = {"rows": 0, "tokens": 0, "unknown_rows": 0, "unknown_tokens": 0}
    tokens: dict[str, dict[str, Unknown]] = {"unknown": {}, "cut": {}}
    for block in blocks:
        found = vocab.coverage(block.smiles)
        counts = {name: count + getattr(found, name) for name, count in counts.items()}
        for name, known in tokens.items():
            for one in getattr(found, name):
                first = known.get(one.token, one._replace(count=0, row=int(block.numbers[one.row])))
                known[one.token] = first._replace(count=first.count + one.count)
    unknown, cut = (sorted(known.values(), key=lambda one: -one.count) for known in tokens.values())
    return Coverage(**counts, unknown=unknown, cut=cut)


def _molecule_facts(options: InspectOptions, summary: Summary, problems: Rejects) -> dict[str, Any]:
    lengths = summary.lengths
    same = summary.same_molecule or summary.same_text
    whole = summary.to_dict()
    return {
        "is": "table",
        "file": str(options.file),
        "rows": summary.rows,
        "not_read": summary.rows - summary.kept,
        "invalid": summary.n_invalid,
        "duplicates": same.extra,
        "molecules": same.distinct,
        "smiles_column": summary.smiles_column,
        "notation": summary.notation,
        "columns": [summary.smiles_column, *(one.name for one in summary.columns)],
        "notes": dict(summary.notes),
        "looked_at": dict(summary.looked_at),
        "lengths": {
            "min": min(lengths.counts, default=0),
            "median": float(lengths.spread()["median"] or 0),
            "p99": lengths.percentile(99),
            "max": max(lengths.counts, default=0),
        },
        "elements": whole.get("elements", {}),
        "traits": whole.get("traits", {}),
        "canonical": whole.get("canonical"),
        "column_facts": whole["columns"],
        "conflicts": whole["conflicts"],
        "parts": whole["parts"],
        "findings": findings(summary),
        "problems": _problems(problems),
    }


def _problems(problems: Rejects) -> list[dict[str, Any]]:
    """Return the first ones, each with its line if that is known."""
    lines = problems.lines
    return [{"line": lines.get(one.row), **one._asdict()} for one in problems[:_SHOWN_ROWS]]


def _show_rows(options: InspectOptions, facts: dict[str, Any], summary: Summary) -> None:
    lengths = facts["lengths"]
    kept, looked_at = summary.kept, summary.looked_at
    spread = f"{lengths['min']:,} to {lengths['max']:,}, 99 % up to {lengths['p99']:,}"
    sampled = looked_at.get("molecules", kept) < kept
    parsed = f", of {looked_at.get('molecules', 0):,} rows drawn at random" if sampled else ""
    compared = f", among {looked_at['duplicates']:,} rows" if looked_at["duplicates"] < kept else ""
    rows = [
        ("rows", f"{facts['rows']:,}", facts["file"]),
        ("not read", f"{facts['not_read']:,}", "rejected while reading, see below" if facts["not_read"] else ""),
    ]
    if summary.molecules is not None:
        rows += [
            ("invalid", f"{facts['invalid']:,}", f"not a molecule{parsed}"),
            ("duplicates", f"{facts['duplicates']:,}", f"the same molecule again, by canonical SMILES{compared}"),
            ("molecules", f"{facts['molecules']:,}", f"distinct{compared}"),
        ]
    else:
        rows.append(
            ("duplicates", f"{facts['duplicates']:,}", f"the same text again; these are {_HELD[summary.notation]}")
        )
    rows.append(("length", f"{lengths['median']:g}", f"characters, median; {spread}"))
    print_grid([*rows, *(("changed", f"{count:,}", text) for text, count in facts["notes"].items())], numbers=(1,))
    if sampled:
        print_text(f"A sample was parsed: mrl inspect {options.file} --all parses every row.")
    print_text("")


def _show_columns(summary: Summary) -> None:
    part = None if summary.parts is None else summary.parts.column
    rows = [(summary.smiles_column, _HELD[summary.notation], "100 %", "")]
    for one in summary.columns[:_SHOWN_COLUMNS]:
        filled = format_percent(one.filled, one.rows)
        rows.append((_cut(one.name), "parts of a split" if one.name == part else one.kind, filled, _values(one)))
    print_grid(rows, ("column", "holds", "filled", "values"), numbers=(2,))
    if (more := len(summary.columns) - _SHOWN_COLUMNS) > 0:
        print_text(f"and {format_count(more, 'more column')}; --json prints all")
    print_text("")


def _cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _values(one: ColumnFacts) -> str:
    if one.kind == "classes":
        return ", ".join(f"{_cut(name, 20)}: {count:,}" for name, count in list(one.classes.items())[:6])
    if one.kind == "numbers":
        facts = spread(one.values)
        low, middle, high = (format_number(float(facts[name] or 0)) for name in ("min", "median", "max"))
        parts = [f"{low} to {high}, median {middle}"]
        parts += [f"{one.censored:,} censored"] if one.censored else []
        wrong = format_examples(one.unreadable, most=2)
        parts += [f"{one.not_numbers:,} not numbers{wrong}"] if one.unreadable else []
        parts += ["decimal commas: --decimal ,"] if one.decimal == "," else []
        return "; ".join(parts)
    return "" if one.kind == "empty" else f"{one.distinct:,} different, such as {_cut(one.example, 30)}"


def _show_molecules(summary: Summary) -> None:
    facts = summary.molecules
    if facts is None:
        return
    n = summary.looked_at["molecules"] - summary.n_invalid
    if not n:
        others = format_names([one.name for one in summary.columns]) or "none"
        print_text(f"No row is a molecule. The other columns: {others}. Choose a column with --smiles-column.")
        return
    rows = [(symbol, f"{count:,}", f"{atoms:,}") for symbol, (count, atoms) in facts.elements.items()]
    print_grid(rows, ("element", "molecules", "atoms"), numbers=(1, 2))
    print_text("")
    traits = [(trait, f"{count:,}", format_percent(count, n)) for trait, count in facts.traits.items() if count]
    traits.append(("RDKit's canonical SMILES", f"{facts.canonical:,}", format_percent(facts.canonical, n)))
    print_grid(traits, ("molecules with", "molecules", "share"), numbers=(1, 2))
    different = [one for one in summary.conflicts if one.different]
    if different:
        print_text("")
        lines = [(_cut(one.column), f"{one.repeated:,}", f"{one.different:,}") for one in different]
        print_grid(lines, ("label", "molecules with several", "that differ"), numbers=(1, 2))


def _show_coverage(coverage: Coverage, vocabulary: str) -> None:
    print_text("")
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
        rows = [
            (f"{p['row']}", f"{p['line'] or ''}", format_value(p["text"], most=40), p["reason"])
            for p in facts["problems"]
        ]
        print_grid(rows, ("row", "line", "text", "problem"), numbers=(0, 1))
