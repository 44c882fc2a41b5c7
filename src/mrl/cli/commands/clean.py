"""``mrl clean``: a file of molecules to a file of clean ones, every row of it kept or accounted for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl import chem
from mrl.chem import Cleaned, Duplicates
from mrl.cli.console import DATA, note, print_json, stop, success
from mrl.cli.molecules import chosen_steps, stop_without_molecules
from mrl.cli.options import CleanOptions
from mrl.cli.tables import (
    in_file,
    read_table,
    rejects_of_file,
    report_rejects,
    require_writable,
    rows_named,
    save_rejects,
)
from mrl.corpus import Table, TableColumn, require_writable_as, write_table
from mrl.messages import format_count


def run(options: CleanOptions) -> None:
    """Read, clean, write; the steps and the files to write are checked before anything is read."""
    steps = chosen_steps(options.preset, options.step)
    require_writable(options.out, options.rejects, inputs=[options.file])
    table = read_table(
        options.file, options, options.target or (), others=True, censored="keep", on_label=options.on_label
    ).with_tails()
    require_writable_as(table, options.out)
    labels = table.y if options.target else None
    rule = None if options.duplicates is None else Duplicates(options.duplicates.value)
    with rows_named(options.file, table):
        cleaned = chem.clean(
            table.smiles,
            steps,
            labels=labels,
            signs=_signs(table),
            duplicates=rule,
            n_jobs=options.n_jobs,
            progress=True,
        )
    _report_changes(cleaned)
    _report_classes(table, cleaned)
    report_rejects(in_file(table, cleaned.rejects), "left out")
    rejects = rejects_of_file(table, cleaned.rejects)
    save_rejects(rejects, options.rejects)
    kept = len(cleaned.smiles)
    if not kept and all(reject.stage == "parse" for reject in cleaned.rejects):
        stop_without_molecules(options.file)
    if not kept:
        stop(f"no row of {options.file} is left, so {options.out} is not written; leave out some steps", DATA)
    write_table(_cleaned_table(table, cleaned), options.out)
    rows = kept + len(rejects)
    success(f"wrote {format_count(kept, 'molecule')} of {format_count(rows, 'row')} to {options.out}")
    if options.json:
        facts = {"path": str(options.out), "rows": rows, "written": kept, "not_read": len(table.rejects)}
        print_json(facts | {"removed": len(cleaned.rejects), "steps": _step_facts(table, cleaned)})


def _cleaned_table(table: Table, cleaned: Cleaned) -> Table:
    changed: dict[str, TableColumn] = {table.smiles_column: cleaned.smiles}
    if cleaned.labels is not None:
        labels = np.asarray(cleaned.labels).reshape(len(cleaned.kept), -1)
        changed |= {name: labels[:, place] for place, name in enumerate(table.targets)}
    signs: dict[str, NDArray[np.int8]] = {}
    if cleaned.signs is not None:
        sides = cleaned.signs.reshape(len(cleaned.kept), -1)
        signs = {name: sides[:, place] for place, name in enumerate(table.targets)}
    return table.view(cleaned.kept).with_columns(changed, signs=signs)


def _signs(table: Table) -> NDArray[np.int8] | None:
    """Return the signs of all labels in their shape, None if no label is censored."""
    if not table.signs or table.y is None:
        return None
    none = np.zeros(len(table), np.int8)
    return np.stack([table.signs.get(name, none) for name in table.targets], axis=1).reshape(table.y.shape)


def _step_facts(table: Table, cleaned: Cleaned) -> list[dict[str, Any]]:
    """Return what each step did, with examples that have the numbers of the rows of the file."""
    steps: list[dict[str, Any]] = cleaned.to_dict()["steps"]
    for step in steps:
        for example in step["examples"]:
            example["row"] = int(table.rows[example["row"]])
    return steps


def _report_classes(table: Table, cleaned: Cleaned) -> None:
    """Say where the mean of conflicting classes is not a class."""
    if cleaned.labels is None or table.y is None:
        return
    before, after = (np.asarray(y).reshape(len(y), -1) for y in (table.y, cleaned.labels))
    for place, name in enumerate(table.targets):
        is_class = np.isin(before[~np.isnan(before[:, place]), place], (0, 1)).all()
        stray = ~np.isnan(after[:, place]) & ~np.isin(after[:, place], (0, 1))
        if is_class and stray.any():
            note(
                f"  {name} was 0 or 1 and is {after[stray, place][0]:g}, for instance, where labels differed: "
                "for classes, --duplicates drop leaves such molecules out"
            )


def _report_changes(cleaned: Cleaned) -> None:
    for stage, count in cleaned.counts.items():
        if count.changed:
            one = next(example for example in count.examples if example.after)
            note(f"  {stage}: {format_count(count.changed, 'row')} changed, e.g. {one.before} -> {one.after}")
