"""The whole loop in one script: pretrain, sample, screen, make a data set of what is new, fine-tune on it, again.

    python examples/loop.py                     # the bundled sample, less than two minutes on one core
    python examples/loop.py molecules.csv -o loop/

The model learns from the ids that were sampled, exactly as they were drawn (`from_ids`): a text can be cut into tokens
in more than one way, and another way would be another sample.
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
from mrl.lm import LanguageModel, ModelConfig, Step, sample, train
from mrl.report import properties


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", help="a table of molecules; the bundled sample if not given")
    parser.add_argument("-o", "--out", type=Path, help="a folder for pictures of what came out")
    parser.add_argument("--rows", type=int, default=5000, help="molecules to learn from")
    parser.add_argument("--steps", type=int, default=800, help="of pretraining")
    parser.add_argument("--rounds", type=int, default=3, help="of fine-tuning")
    parser.add_argument("--samples", type=int, default=512, help="per round")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    if given.file is not None and not given.file.is_file():
        parser.error(f"{given.file} not found")
    torch.set_num_threads(1)
    begun = time.perf_counter()

    # Read and clean: every row that does not stay is told, with its reason.
    table = mrl.load_sample() if given.file is None else mrl.read(given.file)
    clean = mrl.clean(table.smiles[: given.rows], "none", duplicates="first")
    vocab = mrl.SmilesVocab.from_data(clean.smiles)
    ds = mrl.TextDataset(clean.smiles, vocab, max_length=100, on_long="reject")
    known = CanonicalSet.of(ds.smiles)
    print(f"{clean!r}\n{ds!r}, {len(vocab)} tokens")

    # Pretrain.
    model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=256), seed=given.seed)
    train(model, ds.dataloader(64, bucket=True, seed=given.seed), steps=given.steps, lr=1.2e-2, on_step=told)

    # Sample, screen, score, keep the best new ones, learn from them; again.
    every = []
    for number in range(given.rounds + 1):
        ids = sample(model, given.samples, max_length=100, seed=given.seed + number)
        texts = vocab.decode(ids)
        screened = mrl.screen(texts, known)
        scores = np.array([np.nan if form is None else qed(form) for form in screened.smiles])
        every.append([form for form in screened.smiles if form is not None])
        mean = np.nanmean(scores) if screened.valid.any() else float("nan")
        print(f"round {number}: {screened!r}, mean QED {mean:.3f}")
        if number == given.rounds or not len(screened.kept):
            break
        best = screened.kept[np.argsort(-scores[screened.kept], kind="stable")][: max(1, len(screened.kept) // 2)]
        chosen = ds.from_ids(ids.take(np.sort(best)))  # configured as ds: the same vocabulary, collate, limits
        loader = chosen.dataloader(64, shuffle=True, seed=given.seed + number)
        train(model, loader, steps=3 * len(loader), lr=1e-3, schedule="constant")

    if given.out is not None:
        compared = {"data": ds, "samples": every[0], "fine-tuned": every[-1]}
        properties(compared, ("qed", "logp", "molwt"), n=500).save(given.out / "properties.html")
        mrl.show(every[-1], 24).save(given.out / "molecules.html")
        print(f"wrote {given.out}/properties.html and {given.out}/molecules.html")
    print(f"{time.perf_counter() - begun:.0f} s")
    return 0


def told(step: Step) -> None:
    """A line every hundred steps."""
    if step.step % 100 == 0:
        print(f"step {step.step}: loss {step.loss:.3f}")


if __name__ == "__main__":
    sys.exit(main())
