"""``mrl predict``: the properties of the molecules of a file."""

from __future__ import annotations

import numpy as np

from mrl.cli.console import DATA, USAGE, print_json, stop, success
from mrl.cli.options import PredictOptions
from mrl.cli.tables import (
    in_file,
    read_table,
    rejects_of_file,
    report_rejects,
    require_writable,
    save_rejects,
)
from mrl.corpus import write_table
from mrl.messages import format_count, format_names
from mrl.qsar import PropertyModel


def run(options: PredictOptions) -> None:
    """Predict all rows; those that are not molecules keep their place, with blank cells, and are reported."""
    require_writable(options.out, options.rejects, inputs=[options.file])
    try:
        model = PropertyModel.load(options.model)
    except FileNotFoundError as error:
        folder = options.model.parent if options.model.suffix == ".safetensors" else options.model
        stop(f"{error.filename} does not exist; make a model with: mrl fit FILE --target Y -o {folder}", USAGE)
    table = read_table(options.file, options, others=True)
    names = [target.name for target in model.targets]
    new = [*(f"{name} {what}" for name in names for what in ("predicted", "uncertainty")), "similarity"]
    if taken := [name for name in new if name in table.columns]:
        stop(f"{options.file} has the columns {format_names(taken)} already: rename them", DATA)
    found = model.predict(table.smiles, n_jobs=options.n_jobs, progress=True)
    report_rejects(in_file(table, found.rejects), "not predicted")
    rejects = rejects_of_file(table, found.rejects)
    save_rejects(rejects, options.rejects)
    if not found.ok.any():
        stop(f"no row of {options.file} has a prediction, so {options.out} is not written", DATA)
    predicted = found.to_arrow()
    columns = {name: predicted[name].to_numpy() for name in predicted.column_names}
    write_table(table.with_tails().with_columns(columns), options.out)
    n = int(found.ok.sum())
    success(f"wrote {format_count(n, 'prediction')} to {options.out}")
    if options.json:
        means = {name: float(np.nanmean(found[name])) for name in names}
        print_json(
            {
                "path": str(options.out),
                "rows": len(table) + len(table.rejects),
                "written": len(table),
                "predicted": n,
                "rejects": len(rejects),
                "columns": new,
                "mean": means,
                "mean_similarity": float(np.nanmean(found.similarity)),
            }
        )
