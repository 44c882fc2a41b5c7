"""``mrl report``: a page about a file of molecules."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex

from mrl.cli.console import note, print_json, success
from mrl.cli.options import Notation, ReportOptions
from mrl.cli.tables import read_table, require_writable
from mrl.errors import NotationError
from mrl.messages import format_count
from mrl.report import DataReport
from mrl.summary import SampleSizes, Source, summarize
from mrl.text import Vocab


def run(options: ReportOptions) -> None:
    """Read the file, look at it, write the page."""
    require_writable(options.out, inputs=[options.file])
    vocab = None if options.vocab is None else Vocab.load(options.vocab)
    table = _read(options)
    summary = summarize(
        table,
        targets=options.target or None,
        split=options.split_column,
        vocab=vocab,
        sizes=SampleSizes(molecules=options.sample),
        seed=options.seed,
        n_jobs=options.n_jobs,
        progress=True,
    )
    versions = {name: importlib.metadata.version(name) for name in ("mrl", "rdkit", "numpy")}
    report = DataReport(summary, _command(options), versions | {"python": platform.python_version()})
    report.save(options.out)
    success(f"wrote a page about {format_count(summary.rows, 'row')} to {options.out}")
    if options.json:
        print_json({"path": str(options.out), **report.to_dict()})


def _read(options: ReportOptions) -> Source:
    """Return the rows of the file; those that are not SMILES as they stand."""
    try:
        table = read_table(options.file, options, others=True)
    except NotationError as error:
        if options.notation is not None or error.notation not in ("selfies", "protein", "nucleotide"):
            raise
        table = read_table(options.file, options, others=True, notation=Notation(error.notation))
        note(f"  column {table.smiles_column!r} holds {error.notation} sequences or symbols, which are not parsed")
    return Source.of(table, str(options.file))


def _command(options: ReportOptions) -> str:
    """Return the command that writes the page again."""
    words = ["mrl", "report", str(options.file), "-o", str(options.out), "--sample", str(options.sample)]
    words += ["--seed", str(options.seed), *options.reading_words]
    chosen = {"--split-column": options.split_column, "--vocab": options.vocab}
    words += [word for name, value in chosen.items() if value is not None for word in (name, str(value))]
    return shlex.join([*words, *(word for name in options.target or () for word in ("--target", name))])
