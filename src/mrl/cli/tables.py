"""From files to tables, with what a user should know about them; loads neither torch nor RDKit."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from mrl.cli.console import DATA, USAGE, note, print_grid, print_text, stop, success
from mrl.cli.options import Notation, OnLabel, ReadingOptions, VocabKind, label_numbers
from mrl.corpus import ReadOptions, Table, load_sample, read
from mrl.errors import NotationError, RowError, UnknownTokenError
from mrl.messages import format_count, format_value
from mrl.ragged import Reject, Rejects
from mrl.text import SMILES_PATTERN, RegexVocab, Unknown, Vocab

_SHOWN = 10
_NOTATIONS: dict[str, Notation] = {
    VocabKind.SMILES: Notation.SMILES,
    VocabKind.SELFIES: Notation.SELFIES,
    VocabKind.AMINO_ACID: Notation.PROTEIN,
    VocabKind.NUCLEOTIDE: Notation.NUCLEOTIDE,
    VocabKind.KMER: Notation.TEXT,  # nucleotides or amino acids
}
_SMILES_ONLY = (
    "but this command works on SMILES: choose the column of SMILES with --smiles-column; with --notation text each row "
    "is parsed as SMILES, whatever it looks like"
)

SEQUENCES = (Notation.PROTEIN, Notation.NUCLEOTIDE, Notation.SELFIES)
"""Notations that are not parsed: each row is a text."""


def read_table(
    file: Path | None,
    options: ReadingOptions,
    targets: Sequence[str] = (),
    *,
    others: bool = False,
    censored: Literal["raise", "keep"] = "raise",
    notation: Notation | None = None,
    on_label: OnLabel = OnLabel.RAISE,
    sequences: bool = False,
) -> Table:
    """Read a file, or the bundled sample, and report its rows and rejects; parameters as for `read_file`."""
    table = (
        load_sample()
        if file is None
        else read_file(
            file,
            options,
            targets,
            others=others,
            censored=censored,
            notation=notation,
            on_label=on_label,
            sequences=sequences,
        )
    )
    success(f"read {format_count(len(table), 'row')} of {file or 'the bundled sample'}")
    for reason, rows in table.notes.items():
        note(f"  {reason}: {format_count(rows, 'row')}")
    report_rejects(table.rejects, "not read")
    return table


def read_file(
    file: Path,
    options: ReadingOptions,
    targets: Sequence[str] = (),
    *,
    others: bool = False,
    censored: Literal["raise", "keep"] = "raise",
    notation: Notation | None = None,
    on_label: OnLabel = OnLabel.RAISE,
    sequences: bool = False,
) -> Table:
    """Read a file; `others` keeps all columns, and `notation` is that of its molecules if the options name none.

    Without any, a command that parses molecules takes SMILES; for others the format says what a column holds.
    With `sequences`, a command that parses molecules also takes notations that it does not parse.
    """
    reading = reading_options(options, notation, on_label=on_label, sequences=sequences)
    try:
        return read(
            file,
            smiles=options.smiles_column,
            targets=targets,
            others=others,
            censored=censored,
            format=options.format,
            options=reading,
        )
    except NotationError as error:
        if sequences or not options.parses_molecules:
            raise
        stop(f"{str(error).partition(': choose ')[0]}, {_SMILES_ONLY}", DATA)


def reading_options(
    options: ReadingOptions,
    notation: Notation | None = None,
    *,
    on_label: OnLabel = OnLabel.RAISE,
    sequences: bool = False,
) -> ReadOptions:
    """Return how cells are read; parameters as for `read_file`."""
    notation = options.notation or notation or (Notation.SMILES if options.parses_molecules else None)
    if options.parses_molecules and not sequences and notation not in (Notation.SMILES, Notation.TEXT):
        stop(f"--notation is {notation}, {_SMILES_ONLY}", USAGE)
    try:
        return ReadOptions(
            encoding=options.encoding,
            decimal=options.decimal.value,
            label_map=label_numbers(options.label_map),
            notation=None if notation is None else notation.value,
            on_label=on_label.value,
            sheet=options.sheet,
        )
    except ValueError as error:
        stop(f"--{str(error).removeprefix('--')}", USAGE)


def notation_of(vocab: Vocab) -> Notation | None:
    """Return the notation of the rows that a vocabulary is for, or None if it is for any."""
    if isinstance(vocab, RegexVocab) and vocab.pattern == SMILES_PATTERN:
        return Notation.SMILES
    return _NOTATIONS.get(vocab.kind or "")


def report_rejects(rejects: Rejects, what: str) -> None:
    """Report how many rows of a file were rejected for each kind of reason, with an example."""
    kinds = [reject.kind for reject in rejects]
    lines = rejects.lines
    for kind, count in Counter(kinds).most_common():
        report_kind(what, kind, count, rejects[kinds.index(kind)], lines)


def report_kind(what: str, kind: str, count: int, example: Reject, lines: Mapping[int, int]) -> None:
    """Report how many rows of a file were rejected for one kind of reason, with an example and its line if known."""
    row = f"row {example.row}" + (f", line {lines[example.row]}" if example.row in lines else "")
    note(f"  {what}, {kind}: {format_count(count, 'row')}, e.g. {row}: {format_value(example.text, most=50)}")


def in_file(table: Table, rejects: Rejects) -> Rejects:
    """Return rejected rows of a table with the numbers and lines of the file that it was read from."""

    def renumber(found: re.Match[str]) -> str:
        return f"{found[1]}{table.rows[int(found[2])]}"

    first = re.compile(r"^(duplicate: the molecule of row )(\d+)$")
    texts = (reject._replace(reason=first.sub(renumber, reject.reason)) for reject in rejects)
    return Rejects(texts).renumbered(table.rows, table.lines)


def rejects_of_file(table: Table, rejects: Rejects) -> Rejects:
    """Return those of reading and those of a later step, in the order of the rows of the file."""
    return Rejects.concat([table.rejects, in_file(table, rejects)]).by_row()


def require_writable(*paths: Path | None, inputs: Sequence[Path] = ()) -> None:
    """Stop, before any work, if a file cannot be written: its folder is missing and cannot be made, or is read-only."""
    for path in paths:
        if path is None:
            continue
        if any(path.exists() and given.exists() and path.samefile(given) for given in inputs):
            stop(f"{path} is read, so it cannot be written: choose another name", USAGE)
        if path.exists() and not path.is_file():
            stop(f"{path} is not a regular file: choose another name", USAGE)
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        try:
            with tempfile.TemporaryFile(dir=folder):  # also where permissions say nothing: a read-only disk, root
                pass
        except OSError as error:
            stop(f"{path} cannot be written: {folder}: {error.strerror}; choose another folder", USAGE)


def require_folder(path: Path) -> None:
    """Stop, before any work, if no file can be written to a folder, which may be missing."""
    if path.exists() and not path.is_dir():
        stop(f"--out is {path}, which is a file: choose the name of a folder", USAGE)
    require_writable(path / "file")


def save_rejects(rejects: Rejects, path: Path | None) -> None:
    """Write the rows that were left out, if a file was named for them."""
    if path is not None:
        rejects.to_csv(path)
        success(f"wrote {format_count(len(rejects), 'reject')} to {path}")


def print_tokens(unknown: Sequence[Unknown]) -> None:
    """Print the first of some unknown tokens, with the number of the row in the file."""
    rows = [(repr(one.token), f"{one.count:,}", f"{one.row:,}", format_value(one.text, most=40)) for one in unknown]
    print_grid(rows[:_SHOWN], ("token", "times", "first in row", "text"), numbers=(1, 2))
    if len(unknown) > _SHOWN:
        print_text(f"and {len(unknown) - _SHOWN:,} more; --json prints all")


@contextmanager
def rows_named(file: Path, table: Table) -> Iterator[None]:
    """Stop at an error about a row of the table, with the row of the file in the message."""
    try:
        yield
    except (RowError, UnknownTokenError) as error:
        row = "" if error.row is None else f", row {table.rows[error.row]}"
        row += "" if error.row is None or table.lines is None else f", line {table.lines[error.row]}"
        stop(f"{file}{row}: {str(error).removeprefix(f'row {error.row}: ')}", DATA)
