"""Decorations of a scaffold, towards a logP: a conditional model, prompts, and an independent check of what comes out.

    python benchmarks/decorate.py zinc250k.smi.gz -n 1000

Trains an LSTM whose condition is the logP of the molecule, begins every sample with the scaffold (in turn each of its
spellings that ends with an atom that has a hydrogen, so that each of these is decorated), asks for five values of logP,
and checks by RDKit alone, from the text of the samples, what share parses, contains the scaffold, is new, and what logP
it has.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import mrl
from mrl.chem import logp, randomize
from mrl.data import ConditionalDataset
from mrl.lm import LanguageModel, ModelConfig, encode_prompts, fit, one_thread, sample
from mrl.text import SMILES_PATTERN, RegexVocab

LOGP = (0.0, 1.0, 2.0, 3.0, 4.0)


def trained(smiles: list[str], steps: int) -> tuple[LanguageModel, RegexVocab, mrl.Scaler]:
    """Return a model of molecules, given their logP."""
    vocab = RegexVocab([], SMILES_PATTERN)
    vocab.update_vocab_from_data(smiles)
    values = np.array([[logp(text)] for text in smiles])
    scaler = mrl.Scaler.fit(values)
    dataset = ConditionalDataset(smiles, scaler.transform(values), vocab)
    model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=320, condition=1), seed=0)
    fit(model, dataset.dataloader(64, shuffle=True, bucket=True), steps=steps, lr=1.2e-2)
    return model, vocab, scaler


def is_open(text: str) -> bool:
    """Return whether the last atom of a text has a hydrogen, in the place of which the text can go on."""
    return bool(list(mrl.to_mol(text).GetAtoms())[-1].GetTotalNumHs())


def main() -> None:
    """Train, sample, check, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--scaffold", default="c1ccc2ncccc2c1")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--molecules", type=int, default=40_000, help="rows to train on")
    parser.add_argument("-n", type=int, default=1000)
    options = parser.parse_args()
    table = mrl.read(options.file)
    rows = np.random.default_rng(0).permutation(len(table))[: options.molecules]
    smiles = [mrl.canon_smile(table.smiles[int(row)]) for row in rows]
    began = time.process_time()
    with one_thread():
        model, vocab, scaler = trained(smiles, options.steps)
        print(f"trained on {len(smiles):,} molecules, {time.process_time() - began:.0f} s of one core", flush=True)
        spellings = sorted({text for text in (randomize(options.scaffold, n) for n in range(200)) if is_open(text)})
        asked = np.resize(LOGP, options.n)
        prompts = encode_prompts(model, vocab, [spellings[i // len(LOGP) % len(spellings)] for i in range(options.n)])
        samples = sample(model, options.n, prompt=prompts, condition=scaler.transform(asked[:, None]), seed=0)
    texts = samples.decode(vocab)
    check(texts, samples.finished, asked, options.scaffold, {*smiles})
    print("spellings of the scaffold:", len(spellings), "examples:", *texts[:10], sep="\n  ")


def check(texts: list[str], finished, asked, scaffold: str, known: set[str]) -> None:
    """Print what RDKit alone says about the samples."""
    from rdkit import Chem, RDLogger
    from rdkit.Chem.Crippen import MolLogP

    RDLogger.DisableLog("rdApp.*")
    pattern = Chem.MolFromSmiles(scaffold)
    found = [Chem.MolFromSmiles(text) if done else None for text, done in zip(texts, finished, strict=True)]
    valid = [i for i, mol in enumerate(found) if mol is not None]
    canonical = {i: Chem.MolToSmiles(found[i]) for i in valid}
    matches = [i for i in valid if found[i].HasSubstructMatch(pattern)]
    values = np.array([MolLogP(found[i]) for i in valid])
    agree = max(abs(logp(texts[i]) - value) for i, value in zip(valid, values, strict=True))
    print(f"finished {int(np.sum(finished)):,}, valid {len(valid):,} of {len(texts):,}")
    print(f"distinct among the valid: {len({*canonical.values()}):,}")
    print(f"with the scaffold: {len(matches):,} of {len(valid):,} valid")
    print(f"known (trained on): {sum(canonical[i] in known for i in valid):,}")
    print(f"logP asked and of the sample: correlation {np.corrcoef(asked[valid], values)[0, 1]:.3f}")
    print(f"largest difference between mrl.chem.logp and RDKit's MolLogP of the text: {agree:g}")
    for value in LOGP:
        part = values[asked[valid] == value]
        print(f"  asked {value:g}: mean {part.mean():.2f}, standard deviation {part.std():.2f}, n {len(part)}")


if __name__ == "__main__":
    main()
