"""The whole loop in one script: pretrain, sample, screen, make a dataset of the new molecules, fine-tune on it, repeat.

    python examples/loop.py                     # the bundled sample, less than two minutes on one core
    python examples/loop.py molecules.csv -o loop/

The model learns from exactly the ids that were sampled (`from_ids`): a text may have several tokenizations, and another
one would be another sample.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

import mrl
from mrl.chem import CanonicalSet, qed
from mrl.lm import FitOptions, LanguageModel, ModelConfig, TrainingStep, fit, sample
from mrl.report import properties


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", help="a table of molecules; the bundled sample if not given")
    parser.add_argument("-o", "--out", type=Path, help="a folder for pictures of the results")
    parser.add_argument("--rows", type=int, default=5000, help="molecules to learn from")
    parser.add_argument("--steps", type=int, default=800, help="steps of pretraining")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of fine-tuning")
    parser.add_argument("--samples", type=int, default=512, help="samples per round")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.file is not None and not options.file.is_file():
        parser.error(f"{options.file} not found")
    torch.set_num_threads(1)
    start = time.perf_counter()

    # Read and clean: every rejected row is listed with its reason.
    table = mrl.load_sample() if options.file is None else mrl.read(options.file)
    clean = mrl.clean(table.smiles[: options.rows], "none", duplicates="first")
    vocab = mrl.SmilesVocab.from_data(clean.smiles)
    ds = mrl.TextDataset(clean.smiles, vocab, max_length=100, on_long="reject")
    known = CanonicalSet.of(ds.smiles)
    print(f"{clean!r}\n{ds!r}, {len(vocab)} tokens")

    # Pretrain.
    model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=256), seed=options.seed)
    fit(model, ds.dataloader(64, bucket=True, seed=options.seed), steps=options.steps, lr=1.2e-2, on_step=print_loss)

    # Sample, screen, score, keep the best new molecules, learn from them; repeat.
    rounds = []
    for number in range(options.rounds + 1):
        samples = sample(model, options.samples, max_length=100, seed=options.seed + number)
        screened = mrl.screen(samples.decode(vocab), known, finished=samples.finished)
        scores = np.array([np.nan if canonical is None else qed(canonical) for canonical in screened.smiles])
        rounds.append([canonical for canonical in screened.smiles if canonical is not None])
        mean = np.nanmean(scores) if screened.valid.any() else float("nan")
        print(f"round {number}: {screened!r}, mean QED {mean:.3f}")
        if number == options.rounds or not len(screened.kept):
            break
        best = screened.kept[np.argsort(-scores[screened.kept], kind="stable")][: max(1, len(screened.kept) // 2)]
        chosen = ds.from_ids(
            samples.ids.take(np.sort(best))
        )  # configured as ds: the same vocabulary, collate function, limits
        loader = chosen.dataloader(64, shuffle=True, seed=options.seed + number)
        fit(model, loader, steps=3 * len(loader), lr=1e-3, options=FitOptions("constant"))

    if options.out is not None:
        compared = {"data": ds, "samples": rounds[0], "fine-tuned": rounds[-1]}
        properties(compared, ("qed", "logp", "molwt"), n=500).save(options.out / "properties.html")
        mrl.show(rounds[-1], 24).save(options.out / "molecules.html")
        print(f"wrote {options.out}/properties.html and {options.out}/molecules.html")
    print(f"{time.perf_counter() - start:.0f} s")
    return 0


def print_loss(step: TrainingStep) -> None:
    """Print the loss every hundred steps."""
    if step.step % 100 == 0:
        print(f"step {step.step}: loss {step.loss:.3f}")


if __name__ == "__main__":
    sys.exit(main())
