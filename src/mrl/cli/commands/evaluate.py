"""``mrl evaluate``: how good generated molecules are."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from mrl.chem import Metric, Metrics, evaluate, kl_divergence
from mrl.cli.console import print_grid, print_json, print_text
from mrl.cli.molecules import read_molecules
from mrl.cli.options import EvaluateOptions
from mrl.cli.tables import read_table, reading_options, require_writable, save_rejects
from mrl.corpus import Table, read_blocks
from mrl.errors import NotationError
from mrl.messages import format_count
from mrl.ragged import Rejects


def run(options: EvaluateOptions) -> None:
    """Print the metrics; a row of the samples that cannot be read is an invalid sample like any other."""
    require_writable(options.rejects, inputs=[options.samples])
    table = _read_samples(options)
    texts = [*zip(table.rows.tolist(), table.smiles, strict=True), *((one.row, one.text) for one in table.rejects)]
    samples = [text for _, text in sorted(texts)]
    reference, train = (
        None if file is None else read_molecules(file, options, n_jobs=options.n_jobs)
        for file in (options.reference, options.train)
    )
    metrics = evaluate(samples, reference, train, seed=options.seed, n_jobs=options.n_jobs, progress=True)
    if options.kl and train is not None:
        found = kl_divergence(samples, train, seed=options.seed, n_jobs=options.n_jobs, progress=True)
        row = Metric("kl_divergence", found.score, found.n, found.against, "mean of exp(-D); 1 is alike")
        metrics = replace(metrics, rows=(*metrics.rows, row))
    save_rejects(_rejects(metrics, table), options.rejects)
    if options.json:
        print_json(metrics.to_dict())
    else:
        _show(metrics)


def _read_samples(options: EvaluateOptions) -> Table:
    """Read the samples; of a file of mrl sample the texts, because its SMILES are empty for invalid samples."""
    if options.smiles_column is None and str(options.samples) != "-":
        reading = reading_options(options)
        with suppress(NotationError):  # which the whole file is then, and read_table says what to do
            first = next(read_blocks(options.samples, others=True, format=options.format, options=reading))
            if {"text", "valid", "finished"} <= {*first.columns}:
                options = replace(options, smiles_column="text")
    return read_table(options.samples, options)


def _rejects(metrics: Metrics, table: Table) -> Rejects:
    """Return the samples that are not molecules, with the reason of reading where there is one."""
    reasons = {one.row: one for one in table.rejects}
    lines = table.rejects.lines
    if table.lines is not None:
        lines |= dict(zip(table.rows.tolist(), table.lines.tolist(), strict=True))
    return Rejects((reasons.get(one.row, one) for one in metrics.screened.rejects), lines=lines)


def _show(metrics: Metrics) -> None:
    print_text(f"{format_count(metrics.n, 'sample')}, {metrics.empty:,} of them empty; RDKit {metrics.rdkit}")
    rows = [
        (
            one.name,
            "–" if np.isnan(one.value) else f"{one.value:.4f}",
            f"{one.n:,}",
            "" if one.against is None else f"{one.against:,}",
            one.note,
        )
        for one in metrics.rows
    ]
    print_grid(rows, ("metric", "value", "n", "against", "note"), numbers=(1, 2, 3))
