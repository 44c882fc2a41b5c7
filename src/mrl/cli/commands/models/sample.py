"""``mrl sample``: molecules from a trained model."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Screened, screen
from mrl.cli.commands.models.train import load_model
from mrl.cli.console import note, print_json, print_lines, success
from mrl.cli.options import SampleOptions
from mrl.cli.tables import require_writable
from mrl.files import atomic
from mrl.lm import one_thread, sample
from mrl.messages import format_count

Samples: TypeAlias = tuple[str, Sequence[str], Screened, NDArray[np.float64] | None]
"""Name of a model, the texts that it generated, what is known of them, and their scores."""


def run(options: SampleOptions) -> None:
    """Sample, and print the molecules; with `out`, write all samples to a file instead."""
    require_writable(options.out)
    model, vocab = load_model(options.model)
    with one_thread():
        samples = sample(
            model, options.n, temperature=options.temperature, max_length=options.max_length, seed=options.seed
        )
    texts = samples.decode(vocab)
    screened = screen(texts, finished=samples.finished)
    molecules = [smiles for smiles in screened.smiles if smiles is not None]
    if options.out is not None:
        write_csv(options.out, [(options.model.name, texts, screened, None)])
        success(f"wrote {format_count(options.n, 'sample')} to {options.out}")
    if options.json:
        print_json(screened.summary() | {"seed": options.seed, "smiles": molecules})
    elif options.out is None:
        print_lines(molecules)
    distinct = f"{screened.unique.sum():,} of them distinct"
    note(f"{format_count(len(molecules), 'valid molecule')} among {format_count(options.n, 'sample')}, {distinct}")


def write_csv(path: Path, groups: Sequence[Samples], score: str = "score") -> None:
    """Write every sample, the molecule that it is, or the reason why it is invalid; a whole file or none."""
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["model", "text", "smiles", "valid", "unique", "novel", score, "reason"])
        for model, texts, screened, scores in groups:
            reasons = {reject.row: reject.reason for reject in screened.rejects}
            for row, text in enumerate(texts):
                flags = [int(column[row]) for column in (screened.valid, screened.unique, screened.novel)]
                value = "" if scores is None or math.isnan(scores[row]) else f"{scores[row]:.6g}"
                table.writerow([model, text, screened.smiles[row] or "", *flags, value, reasons.get(row, "")])
