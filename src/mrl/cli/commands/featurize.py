"""``mrl featurize``: a file of molecules to a file of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Descriptors, Fingerprint
from mrl.cli.console import DATA, USAGE, print_json, stop, success
from mrl.cli.options import FeaturizeOptions, FingerprintKind
from mrl.cli.tables import in_file, read_table, rejects_of_file, report_rejects, require_writable, save_rejects
from mrl.corpus import Table, write_table
from mrl.features import featurize
from mrl.files import atomic
from mrl.messages import format_count, format_names
from mrl.ragged import Reject, Rejects, Text


def run(options: FeaturizeOptions) -> None:
    """Compute the vectors of all molecules; those that have none are left out, with the reason."""
    featurizer, names = _featurizer(options)
    require_writable(options.out, options.rejects, inputs=[options.file])
    table = read_table(options.file, options, others=options.out.suffix.lower() == ".parquet")
    if taken := [name for name in names if name in table.columns]:
        stop(f"{options.file} has the columns {format_names(taken)} already: write .npz, or rename them", DATA)
    features = featurize(
        table.smiles, featurizer, n_jobs=options.n_jobs, on_error="drop", progress=True, on_nonfinite="keep"
    )
    finite = np.isfinite(features.values).all(axis=1)
    rejects = Rejects([*features.rejects, *_not_finite(table, features.kept, features.values, finite, names)]).by_row()
    report_rejects(in_file(table, rejects), "left out")
    rows, values = features.kept[finite], features.values[finite]
    everything = rejects_of_file(table, rejects)
    save_rejects(everything, options.rejects)
    if not len(rows):
        stop(f"no row of {options.file} has a vector, so {options.out} is not written", DATA)
    if options.out.suffix.lower() == ".parquet":
        columns = {name: values[:, place] for place, name in enumerate(names)}
        write_table(table.view(rows).with_columns(columns), options.out)
    else:
        with atomic(options.out) as temporary, temporary.open("wb") as opened:
            np.savez_compressed(
                opened,
                values=values,
                names=np.array(names),
                rows=table.rows[rows],
                smiles=np.array(table.smiles[rows].tolist()),
                featurizer=featurizer.cache_key or "",
            )
    size = f"{len(names):,} numbers each ({values.dtype})"
    success(f"wrote {format_count(len(rows), 'vector')}, {size}, to {options.out}")
    if options.json:
        facts = {"path": str(options.out), "rows": len(rows) + len(everything), "written": len(rows)}
        facts |= {"rejects": len(everything), "size": len(names), "dtype": str(values.dtype)}
        print_json(facts | {"featurizer": featurizer.cache_key})


def _featurizer(options: FeaturizeOptions) -> tuple[Fingerprint | Descriptors, tuple[str, ...]]:
    """Return the function and the names of its numbers."""
    if options.descriptors is not None:
        try:
            given = None if options.descriptors == "all" else [name.strip() for name in options.descriptors.split(",")]
            descriptors = Descriptors(given)
        except ValueError as error:
            stop(f"--descriptors: {error}", USAGE)
        return descriptors, descriptors.names
    kind = options.fingerprint or FingerprintKind.ECFP6
    circular = kind in (FingerprintKind.ECFP4, FingerprintKind.ECFP6, FingerprintKind.FCFP4, FingerprintKind.FCFP6)
    fingerprint = Fingerprint(kind[:4], radius=int(kind[4]) // 2) if circular else Fingerprint(kind.value)
    return fingerprint, fingerprint.names


def _not_finite(
    table: Table, kept: NDArray[np.int64], values: NDArray[Any], finite: NDArray[np.bool_], names: tuple[str, ...]
) -> list[Reject]:
    rejects = []
    smiles: Text = table.smiles
    for place in np.flatnonzero(~finite):
        wrong = [names[column] for column in np.flatnonzero(~np.isfinite(values[place]))]
        reason = f"not a finite number: {', '.join(wrong[:5])}"
        rejects.append(Reject(int(kept[place]), smiles[int(kept[place])], "feature", reason))
    return rejects
