"""``mrl fit``: a model that predicts properties, from a file of molecules with measured values."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

from mrl.cli.console import USAGE, print_grid, print_json, stop, success
from mrl.cli.options import FitOptions
from mrl.cli.tables import (
    in_file,
    read_table,
    rejects_of_file,
    report_rejects,
    require_folder,
    require_writable,
    rows_named,
    save_rejects,
)
from mrl.corpus import Table
from mrl.files import write_atomic
from mrl.formatting import format_number
from mrl.messages import did_you_mean, format_count, format_names
from mrl.qsar import MODEL_FILE, PropertyModel, fit
from mrl.qsar import FitOptions as Training
from mrl.ragged import SPLIT_RULES, Text
from mrl.report import PropertyReport

REPORT = "report.html"


def run(options: FitOptions) -> None:
    """Read, train, write the model and its report; nothing is written before the training is done."""
    if (options.out / MODEL_FILE).exists() and not options.force:
        stop(f"{options.out} has a model already: give --force to replace it, or choose another folder with -o", USAGE)
    require_folder(options.out)
    require_writable(options.rejects, options.out / MODEL_FILE, options.out / REPORT, inputs=[options.file])
    targets = list(dict.fromkeys(options.target))
    by_column = options.split not in SPLIT_RULES
    table = read_table(options.file, options, targets, others=by_column, censored="keep", on_label=options.on_label)
    began = time.monotonic()
    with rows_named(options.file, table), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* are left out, most often for")  # reported with examples below
        model = fit(
            table,
            targets,
            split=_split(options.split, table),
            task=options.task.value,
            options=Training(options.folds, options.members, epochs=options.epochs, seed=options.seed),
            n_jobs=options.n_jobs,
            progress=True,
        )
    seconds = time.monotonic() - began
    validation = model.validation
    if validation is None:
        raise AssertionError("a model that was just fitted has its validation")
    report_rejects(in_file(table, validation.rejects), "left out")
    rejects = rejects_of_file(table, validation.rejects)
    save_rejects(rejects, options.rejects)
    success(f"trained {len(model.ensemble.mean)} networks on {format_count(len(validation.rows), 'row')}")
    page = PropertyReport(model, options.file.name, table.rows[validation.rows], _command(options)).html
    options.out.resolve().mkdir(parents=True, exist_ok=True)
    write_atomic(options.out / REPORT, page)
    model.save(options.out / MODEL_FILE)  # the last one: killed before, the same command does it all again
    success(f"wrote {options.out / MODEL_FILE} and {options.out / REPORT}")
    if options.json:
        print_json(_facts(options, model, len(table) + len(table.rejects), len(rejects), seconds))
    else:
        _show(model)


def _split(rule: str, table: Table) -> Any:
    """Return the rule, or the values of the column that it names."""
    if rule in SPLIT_RULES:
        return rule
    if rule not in table.columns:
        meant = did_you_mean(rule, [*SPLIT_RULES, *table.header])
        names = format_names(table.header)
        stop(f"--split is {rule!r}{meant}; expected scaffold, cluster, random, or one of the columns {names}", USAGE)
    column = table[rule]
    return list(column) if isinstance(column, Text) else column


def _show(model: PropertyModel) -> None:
    rows = [
        (one.target, one.name.replace("_", " "), format_number(one.mean), format_number(one.spread), f"{one.n:,}")
        for one in model.metrics
    ]
    title = f"Cross-validation: mean and spread over {len(model.about['fold_sizes'])} folds ({model.about['split']})"
    print_grid(rows, ("target", "metric", "mean", "spread", "labels"), numbers=(2, 3, 4), title=title)


def _facts(options: FitOptions, model: PropertyModel, rows: int, rejects: int, seconds: float) -> dict[str, Any]:
    def known(value: float) -> float | None:
        return value if value == value else None

    metrics = [
        {
            "target": one.target,
            "metric": one.name,
            "mean": known(one.mean),
            "spread": known(one.spread),
            "folds": [known(value) for value in one.values],
            "labels": one.n,
        }
        for one in model.metrics
    ]
    return {
        "model": str(options.out / MODEL_FILE),
        "report": str(options.out / REPORT),
        "rows": rows,
        "rejects": rejects,
        "trained_on": model.about["rows"],
        "targets": {target.name: target.kind for target in model.targets},
        "censored": dict(zip((target.name for target in model.targets), model.about["censored"], strict=True)),
        "split": options.split,
        "fold_sizes": model.about["fold_sizes"],
        "seconds": seconds,
        "metrics": metrics,
    }


def _command(options: FitOptions) -> str:
    """Return the command that trains the same model."""
    targets = " ".join(f"--target {_quoted(name)}" for name in options.target)
    parts = [f"mrl fit {_quoted(options.file)} {targets} -o {_quoted(options.out)}"]
    for name in ("split", "task", "on_label", "folds", "members", "epochs"):
        if (value := getattr(options, name)) != getattr(FitOptions, name):
            parts.append(f"--{name.replace('_', '-')} {_quoted(value)}")
    parts += [f"--seed {options.seed}"]
    parts += map(_quoted, options.reading_words)
    return " ".join(parts)


def _quoted(value: str | Path | int) -> str:
    import shlex  # for the report only

    return shlex.quote(str(value))
