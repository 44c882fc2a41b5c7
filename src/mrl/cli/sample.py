"""``mrl sample``: molecules from a trained model."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Screened, screen
from mrl.cli.console import note, reported, success, write_json
from mrl.cli.model import load
from mrl.files import atomic
from mrl.lm import one_thread, sample

__all__ = ["run", "write_csv"]

Sampled: TypeAlias = tuple[str, Sequence[str], Screened, NDArray[np.float64] | None]

COLUMNS = ("sample", "smiles", "valid", "unique", "novel", "reason")


def run(model: Path, n: int, out: Path | None, temperature: float, max_length: int, seed: int, json: bool) -> None:
    """Sample, and print the molecules; with `out`, write every text with what became of it."""
    with reported(), one_thread():
        network, vocab = load(model)
        texts = vocab.decode(sample(network, n, temperature=temperature, max_length=max_length, seed=seed))
        screened = screen(texts)
        if out is not None:
            write_csv(out, [(model.name, texts, screened, None)])
            success(f"wrote {n:,} samples to {out}")
        if json:
            write_json(screened.summary() | {"seed": seed, "smiles": [form for form in screened.smiles if form]})
        elif out is None:
            sys.stdout.writelines(f"{form}\n" for form in screened.smiles if form is not None)
        note(
            f"{screened.valid.sum():,} of {n:,} sampled texts are molecules, {screened.unique.sum():,} of them distinct"
        )


def write_csv(path: Path, groups: Sequence[Sampled], score: str = "score") -> None:
    """Write every sampled text, the molecule it is, and what became of it, whole or not at all."""
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["model", "text", "smiles", "valid", "unique", "novel", score, "reason"])
        for model, texts, screened, scores in groups:
            reasons = {reject.row: reject.reason for reject in screened.rejects}
            for row, text in enumerate(texts):
                flags = [int(column[row]) for column in (screened.valid, screened.unique, screened.novel)]
                value = "" if scores is None or math.isnan(scores[row]) else f"{scores[row]:.6g}"
                table.writerow([model, text, screened.smiles[row] or "", *flags, value, reasons.get(row, "")])
