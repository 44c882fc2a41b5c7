"""How well language models learn a distribution of molecules in a few minutes of training, by the metrics of MOSES.

    python benchmarks/distribution.py zinc250k.smi.gz --model lstm --minutes 10 -o build/distribution

Keeps 10,000 random molecules of the file as the reference, trains on all others (the steps of a one-cycle schedule are
chosen by the speed of the first ones; time is that of the processor, or the clock's with a GPU; one thread, as with
`mrl train`), draws samples, and prints their metrics. Two texts of one molecule are one: so also across the two parts.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

import mrl
from mrl.chem import Canonical, clean, evaluate
from mrl.data import TextDataset
from mrl.lm import (
    LanguageModel,
    ModelConfig,
    SequenceModel,
    Transformer,
    TransformerConfig,
    accelerator,
    fit,
    one_thread,
    sample,
)
from mrl.text import SMILES_PATTERN, RegexVocab, Vocab

LR = {"lstm": 1.2e-2, "transformer": 3e-3}
SHOWN = ("validity", "uniqueness", "novelty", "int_div_1", "filters", "snn", "fragments", "scaffolds")


def make(kind: str, vocab: Vocab) -> SequenceModel:
    """Return an untrained model of about 600,000 weights."""
    if kind == "lstm":
        return LanguageModel(ModelConfig.for_vocab(vocab, hidden=320))
    return Transformer(TransformerConfig.for_vocab(vocab, width=128, heads=4, layers=3))


def trained(kind: str, dataset: TextDataset, minutes: float) -> tuple[SequenceModel, dict[str, float]]:
    """Return a model that was trained for about so many minutes, and how."""
    device = accelerator()
    now = time.process_time if device.type == "cpu" else time.perf_counter
    loader = dataset.dataloader(64, bucket=True, seed=0, device=device)
    trial = 60
    fit(make(kind, dataset.vocab).to(device), loader, steps=10, lr=LR[kind])  # the first steps take longer
    began = now()
    fit(make(kind, dataset.vocab).to(device), loader, steps=trial, lr=LR[kind])
    steps = round(60 * minutes / (now() - began) * trial)
    print(f"{kind}: {steps:,} steps in about {minutes:g} minutes", flush=True)
    began = now()

    def show(step) -> None:
        if step.step % 200 == 0:
            print(f"step {step.step:,}, loss {step.loss:.3f}, {(now() - began) / 60:.1f} minutes", flush=True)

    model = make(kind, dataset.vocab).to(device)
    history = fit(model, loader, steps=steps, lr=LR[kind], on_step=show)
    facts = {"steps": steps, "minutes": (now() - began) / 60, "molecules": steps * 64}
    return model, {**facts, "loss": float(history.losses[-200:].mean())}


def main() -> None:
    """Split, train, sample, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", choices=list(LR), default="lstm")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("-n", type=int, default=10_000, help="samples, and molecules of the reference")
    parser.add_argument("-o", "--out", type=Path, default=Path("build/distribution"))
    options = parser.parse_args()
    name = f"{options.file.name.split('.')[0]}-{options.model}"
    options.out.mkdir(parents=True, exist_ok=True)
    cleaned = clean(mrl.read(options.file).smiles, [Canonical()], duplicates="first").smiles
    rows = np.random.default_rng(0).permutation(len(cleaned))
    reference, train = ([cleaned[int(row)] for row in part] for part in (rows[: options.n], rows[options.n :]))
    vocab = RegexVocab([], SMILES_PATTERN)
    vocab.update_vocab_from_data(train)
    dataset = TextDataset(train, vocab, max_length=128, on_long="reject")
    with one_thread():
        model, facts = trained(options.model, dataset, options.minutes)
        vocab.save(options.out / f"{name}.json")
        model.save(options.out / f"{name}.safetensors")
        began = time.process_time()
        samples = sample(model, options.n, seed=1)
    facts["seconds of sampling"] = time.process_time() - began
    texts = [text if done else "" for text, done in zip(samples.decode(vocab), samples.finished, strict=True)]
    (options.out / f"{name}.smi").write_text("".join(f"{text}\n" for text in texts))
    metrics = evaluate(texts, reference, train, progress=False)
    (options.out / f"{name}-metrics.json").write_text(json.dumps({**facts, **metrics.to_dict()}, indent=1))
    print(facts, metrics, sep="\n")
    print(f"| mrl, {options.model}, {name} | " + " | ".join(f"{metrics[one]:.3f}" for one in SHOWN) + " |")


if __name__ == "__main__":
    main()
