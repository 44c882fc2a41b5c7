"""``mrl split``: a file of molecules or sequences to files for training, validation and test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.chem import StripTail, clean, cluster_groups, scaffold_groups
from mrl.cli.console import DATA, USAGE, note, print_grid, print_json, stop, success
from mrl.cli.molecules import stop_without_molecules
from mrl.cli.options import WRITTEN, SplitOptions
from mrl.cli.tables import (
    SEQUENCES,
    in_file,
    read_table,
    rejects_of_file,
    report_rejects,
    require_folder,
    require_writable,
    save_rejects,
)
from mrl.corpus import COMPRESSED_SUFFIXES, Table, write_table
from mrl.data import split_rows
from mrl.formatting import format_percent
from mrl.messages import did_you_mean, format_count, format_names, format_value
from mrl.ragged import PART_NAMES, SPLIT_RULES, Rejects, Text, part_of

_SUFFIXES = {".tab": ".tsv", ".pq": ".parquet", ".feather": ".arrow", ".ipc": ".arrow"}
_LISTS = (".smi", ".smiles", ".cxsmiles", ".ism", ".can", ".txt")


def run(options: SplitOptions) -> None:
    """Read, leave out what is not a molecule, cut, write; nothing is written if a part would be empty."""
    require_folder(options.out)
    require_writable(options.rejects, inputs=[options.file])
    if options.notation in SEQUENCES and options.by in ("scaffold", "cluster"):
        stop(f"--by {options.by} needs molecules, and --notation is {options.notation}: --by random or a column", USAGE)
    table = read_table(options.file, options, others=True, sequences=True)
    whole = table.with_tails()
    kept, left_out, smiles, noun = np.arange(len(table)), Rejects(), table.smiles, "row"
    if options.notation not in SEQUENCES:
        # Groups do not depend on what a tail says: it stays in the file that is written.
        parsed = clean(table.smiles, [StripTail(stereo_groups="drop")], n_jobs=options.n_jobs, progress=True)
        kept, left_out, smiles, noun = parsed.kept, parsed.rejects, parsed.smiles, "molecule"
        report_rejects(in_file(table, left_out), "left out")
        if not len(kept):
            stop_without_molecules(options.file)
    parts, rule = _parts(options, table.view(kept).with_columns({table.smiles_column: smiles}))
    paths = {name: options.out / f"{name}{_suffix(options.file, whole)}" for name in parts}
    for path in paths.values():
        require_writable(path, inputs=[options.file])
    _require_no_other_parts(options.out, list(paths.values()))
    rejects = rejects_of_file(table, left_out)
    save_rejects(rejects, options.rejects)
    for name, rows in parts.items():
        write_table(whole.view(kept[rows]), paths[name])
    success(f"wrote {format_count(len(kept), noun)} to {options.out}, {rule}")
    total = len(kept)
    if options.json:
        counts = {name: {"path": str(paths[name]), "rows": len(rows)} for name, rows in parts.items()}
        print_json({"rows": total + len(rejects), "rejects": len(rejects), "by": options.by, "parts": counts})
    else:
        lines = [
            (name, f"{len(rows):,}", format_percent(len(rows), total), str(paths[name])) for name, rows in parts.items()
        ]
        print_grid(lines, ("part", f"{noun}s", "share", "file"), numbers=(1, 2))


def _parts(options: SplitOptions, table: Table) -> tuple[dict[str, NDArray[np.int64]], str]:
    """Return the rows of each part, and how they were found."""
    stratify = None if options.stratify is None else _values(table, options.stratify)
    groups: Any = None
    rule = options.by
    if options.by in table.header and options.by not in SPLIT_RULES:
        groups, rule = _values(table, options.by), f"rows of equal {options.by} together"
        named = np.array([part_of(value) or "" for value in groups])
        if named.any() and not named.all():
            train, other = int((named != "").argmax()), int((named == "").argmax())
            stop(
                f"column {options.by!r} names the parts: row {table.rows[train]} is {groups[train]!r}, but row "
                f"{table.rows[other]} is {format_value(groups[other])}; write train, valid or test, or leave out such "
                "rows",
                DATA,
            )
        if named.all():
            note(f"  column {options.by!r} names the parts, so --sizes and --seed are not used")
            rows = {name: np.flatnonzero(named == name) for name in PART_NAMES}
            return {name: part for name, part in rows.items() if len(part)}, f"as column {options.by!r} says"
    elif options.by == "scaffold":
        groups, rule = scaffold_groups(table.smiles, n_jobs=options.n_jobs), "equal scaffolds together"
    elif options.by == "cluster":
        groups, rule = cluster_groups(table.smiles, n_jobs=options.n_jobs), "similar molecules together"
    elif options.by == "random":
        rule = f"at random, seed {options.seed}"
    else:
        meant = did_you_mean(options.by, [*SPLIT_RULES, *table.header])
        columns = format_names(table.header)
        stop(
            f"--by is {options.by!r}{meant}; expected scaffold, cluster, random, or one of the columns {columns}", USAGE
        )
    try:
        split_into = split_rows(len(table), options.fractions, seed=options.seed, groups=groups, stratify=stratify)
    except ValueError as error:
        stop(str(error), DATA)
    parts = dict(zip(("train", "valid", "test"), split_into, strict=False))
    for name, size in zip(parts, options.fractions, strict=True):
        if size and not len(parts[name]):
            stop(
                f"{name} would have no rows of {format_count(len(table), 'row')} ({rule}); choose other --sizes, "
                "or another --by",
                DATA,
            )
    return parts, rule


def _require_no_other_parts(folder: Path, paths: list[Path]) -> None:
    """Stop if the folder would have a part of another split beside those of this one."""
    others = [path for name in PART_NAMES for path in sorted(folder.glob(f"{name}.*")) if path not in paths]
    if others:
        stop(f"{others[0]} is a part of another split: choose another folder with -o, or remove it", USAGE)


def _values(table: Table, name: str) -> list[Any]:
    column = table[name]
    return list(column) if isinstance(column, Text) else column.tolist()


def _suffix(file: Path, table: Table) -> str:
    """Return the suffix of the input's kind, compressed or not; a list of SMILES with a header is a table."""
    suffixes = [one.lower() for one in file.suffixes if one.lower() not in COMPRESSED_SUFFIXES]
    suffix = suffixes[-1] if suffixes else ""
    if suffix in _LISTS:
        return ".smi" if len(table.columns) <= 2 else ".csv"
    suffix = _SUFFIXES.get(suffix, suffix)
    return suffix if suffix in WRITTEN else ".csv"
