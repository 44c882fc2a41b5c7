"""Control tokens move the property that they name: molecules of a low, a middle and a high logP, by one token in front.

    python benchmarks/control.py zinc250k.smi.gz --steps 1000

Divides the molecules into thirds by logP, trains an LSTM with the token of its third in front of each molecule, draws
as many samples with each token, and checks by RDKit alone what logP they have.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from rdkit import Chem, RDLogger
from rdkit.Chem.Crippen import MolLogP

import mrl
from mrl.chem import logp
from mrl.data import ConditionalDataset
from mrl.lm import LanguageModel, ModelConfig, fit, one_thread, sample
from mrl.text import SMILES_PATTERN, RegexVocab

TOKENS = ("<logp_low>", "<logp_middle>", "<logp_high>")


def main() -> None:
    """Train, sample, check, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--molecules", type=int, default=40_000, help="rows to train on")
    parser.add_argument("-n", type=int, default=1000, help="samples of each token")
    options = parser.parse_args()
    table = mrl.read(options.file)
    rows = np.random.default_rng(0).permutation(len(table))[: options.molecules]
    smiles = [table.smiles[int(row)] for row in rows]
    values = np.array([logp(text) for text in smiles])
    limits = np.quantile(values, [1 / 3, 2 / 3])
    vocab = RegexVocab([], SMILES_PATTERN, control=TOKENS)
    vocab.update_vocab_from_data(smiles)
    prompts = [TOKENS[third] for third in np.searchsorted(limits, values)]
    dataset = ConditionalDataset(smiles, prompts, vocab, prompts="control")
    began = time.process_time()
    with one_thread():
        model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=320), seed=0)
        fit(model, dataset.dataloader(64, shuffle=True, bucket=True), steps=options.steps, lr=1.2e-2)
        print(f"trained on {len(smiles):,} molecules, {time.process_time() - began:.0f} s of one core", flush=True)
        drawn = [sample(model, options.n, prompt=[vocab.control[name]], seed=0) for name in TOKENS]
    RDLogger.DisableLog("rdApp.*")
    asked, found = [], []
    print(f"thirds: below {limits[0]:.2f}, between, above {limits[1]:.2f}")
    for third, samples in enumerate(drawn):
        texts = [text for text, done in zip(samples.decode(vocab), samples.finished, strict=True) if done]
        mols = [mol for mol in map(Chem.MolFromSmiles, texts) if mol is not None]
        part = np.array([MolLogP(mol) for mol in mols])
        inside = (np.searchsorted(limits, part) == third).mean()
        trained_on = values[np.searchsorted(limits, values) == third].mean()
        print(
            f"  {TOKENS[third]}: {len(part):,} valid of {options.n:,}, logP {part.mean():.2f} ± {part.std():.2f} "
            f"(trained on: {trained_on:.2f}), in this third {inside:.2f}"
        )
        asked += [third] * len(part)
        found += part.tolist()
    print(f"correlation of the token (0, 1, 2) and logP: {np.corrcoef(asked, found)[0, 1]:.3f}")


if __name__ == "__main__":
    main()
