"""``mrl report``: a page about a file of molecules."""

from __future__ import annotations

import shlex

from mrl.cli.console import print_json, success
from mrl.cli.options import ReportOptions
from mrl.cli.summaries import read_blocks_of
from mrl.cli.tables import report_kind, require_writable
from mrl.messages import format_count
from mrl.report import DataReport
from mrl.summary import SampleSizes, Summary, reject_kinds, summarize
from mrl.text import Vocab


def run(options: ReportOptions) -> None:
    """Read the file, look at it, write the page."""
    require_writable(options.out, inputs=[options.file])
    vocab = None if options.vocab is None else Vocab.load(options.vocab)
    summary = summarize(
        read_blocks_of(options.file, options),
        targets=options.target or None,
        split=options.split_column,
        vocab=vocab,
        sizes=SampleSizes(molecules=options.sample),
        seed=options.seed,
        n_jobs=options.n_jobs,
        progress=True,
    )
    success(f"read {format_count(summary.kept, 'row')} of {options.file}")
    report_kinds(summary)
    report = DataReport(summary, _command(options))
    report.save(options.out)
    success(f"wrote a page about {format_count(summary.rows, 'row')} to {options.out}")
    if options.json:
        print_json({"path": str(options.out), **report.to_dict()})


def report_kinds(summary: Summary) -> None:
    """Report how many rows were not read for each kind of reason, with an example."""
    invalid = {(kind.stage, kind.kind): kind.count for kind in reject_kinds(summary.invalid)}
    for kind in summary.rejects:
        if count := kind.count - invalid.get((kind.stage, kind.kind), 0):
            # Those that were not read are the first examples.
            report_kind("not read", kind.kind, count, kind.examples[0], kind.examples.lines)


def _command(options: ReportOptions) -> str:
    """Return the command that writes the page again."""
    words = ["mrl", "report", str(options.file), "-o", str(options.out), "--sample", str(options.sample)]
    words += ["--seed", str(options.seed), *options.reading_words]
    chosen = {"--split-column": options.split_column, "--vocab": options.vocab}
    words += [word for name, value in chosen.items() if value is not None for word in (name, str(value))]
    return shlex.join([*words, *(word for name in options.target or () for word in ("--target", name))])
