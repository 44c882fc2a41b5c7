"""``mrl sample``: molecules from a trained model."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from mrl.chem import Screened, screen
from mrl.cli.console import note, reported, success, write_json
from mrl.cli.model import load
from mrl.files import atomic
from mrl.lm import sample

__all__ = ["run", "write_csv"]

COLUMNS = ("sample", "smiles", "valid", "unique", "novel", "reason")


def run(
    model: Path, n: int, out: Path | None, temperature: float, max_length: int, seed: int, json: bool
) -> None:
    """Sample, and print the molecules; with `out`, write every text with what became of it."""
    with reported():
        network, vocab = load(model)
        texts = vocab.decode(sample(network, n, temperature=temperature, max_length=max_length, seed=seed))
        screened = screen(texts)
        if out is not None:
            write_csv(out, texts, screened)
            success(f"wrote {n:,} samples to {out}")
        if json:
            write_json(screened.summary() | {"seed": seed, "smiles": [form for form in screened.smiles if form]})
        elif out is None:
            sys.stdout.writelines(f"{form}\n" for form in screened.smiles if form is not None)
        note(f"{screened.valid.sum():,} of {n:,} sampled texts are molecules, {screened.unique.sum():,} of them distinct")


def write_csv(path: Path, texts: list[str], screened: Screened, extra: dict[str, list[str]] | None = None) -> None:
    """Write every sampled text, the molecule it is, and what became of it; with columns of numbers besides."""
    extra = extra or {}
    reasons = {reject.row: reject.reason for reject in screened.rejects}
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*COLUMNS, *extra])
        for row, text in enumerate(texts):
            flags = [int(column[row]) for column in (screened.valid, screened.unique, screened.novel)]
            if screened.known is None:
                flags[2:] = [""]
            values = [values[row] for values in extra.values()]
            table.writerow([text, screened.smiles[row] or "", *flags, reasons.get(row, ""), *values])
