"""What a model proposes, and how it learns: a policy gradient anchored in the prior, on the best molecules re-spelled.

The loss is that of REINVENT, (log-prior + sigma x score - log-agent)^2 (Olivecrona et al. 2017,
doi:10.1186/s13321-017-0235-x); the molecules come from a memory of the best, each in one of several random spellings,
as in Augmented Memory (Guo and Schwaller 2023, arXiv:2305.16160), drawn by rank (Kim et al. 2024, arXiv:2402.05961).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch

from mrl.chem import randomize, screen
from mrl.lm import SequenceModel, log_likelihood, sample
from mrl.text import UNK, Vocab

_SPELLINGS = 6  # of a molecule, its canonical SMILES included


class Policy:
    """A model that proposes molecules and learns from scores, and the prior in which it is anchored.

    Parameters
    ----------
    model : SequenceModel
        Changed in place.
    prior : SequenceModel
        Not changed.
    vocab : Vocab
        Of both.
    lr, sigma : float
        See `ImproveOptions`.
    """

    def __init__(self, model: SequenceModel, prior: SequenceModel, vocab: Vocab, *, lr: float, sigma: float) -> None:
        self.model, self.prior, self.vocab, self.sigma = model, prior, vocab, sigma
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.spellings: dict[str, list[list[int]]] = {}

    def propose(self, n: int, seed: int) -> tuple[list[str], int]:
        """Return the canonical SMILES of the finished, valid texts of `n` samples, and how many were drawn."""
        if not n:
            return [], 0
        samples = sample(self.model, n, seed=seed)
        screened = screen(samples.decode(self.vocab), finished=samples.finished)
        return [smiles for smiles in screened.smiles if smiles is not None], n

    def learn(self, smiles: Sequence[str], scores: Sequence[float], rng: np.random.Generator) -> float | None:
        """Take one step on molecules in random spellings; return the loss, or None if none can be written."""
        rows, rewards = [], []
        for text, score in zip(smiles, scores, strict=True):
            if spelled := self._spell(text):
                rows.append(spelled[rng.integers(len(spelled))])
                rewards.append(score)
        if not rows:
            return None
        reward = torch.tensor(rewards, dtype=torch.float64, device=self.model.device)
        with torch.no_grad():
            target = log_likelihood(self.prior, rows) + self.sigma * reward
        loss = ((target - log_likelihood(self.model, rows)) ** 2).mean()
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        return float(loss.detach())

    def _spell(self, smiles: str) -> list[list[int]]:
        """Return the ids of the spellings of a molecule that the model can read; the same on every machine."""
        if smiles not in self.spellings:
            texts = dict.fromkeys([smiles, *(randomize(smiles, seed) for seed in range(_SPELLINGS - 1))])
            rows = self.vocab.encode(list(texts), on_unknown="unk")
            fitting = [row.tolist() for row in rows if len(row) <= self.model.config.max_length]
            self.spellings[smiles] = [row for row in fitting if UNK not in row]
        return self.spellings[smiles]


def frozen_copy(model: SequenceModel) -> SequenceModel:
    """Return a copy of a model that does not learn."""
    copied = copy.deepcopy(model)
    copied.requires_grad_(False)
    return copied
