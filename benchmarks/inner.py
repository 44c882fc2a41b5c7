"""The inner loop of reinforcement learning: sampled ids to text to a new dataset to a batch."""

from __future__ import annotations

import multiprocessing
import resource
from functools import partial
from itertools import cycle, islice

import numpy as np
import torch
from measuring import Contestant, compare, facts, resident_bytes
from torch import Tensor

from mrl.data import TextDataset
from mrl.text import EOS, PAD, SMILE_REGEX, RegexVocab
from notebook import PlainText, PlainVocab, lm_collate, loader

ROWS, STEPS, SLOW = 512, 1000, 20  # molecules in a step, steps, steps of the notebook's code


def inner(smiles: list[str]) -> None:
    """Measure 1,000 steps of 512 molecules."""
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    parts = [smiles[start : start + ROWS] for start in range(0, 20 * ROWS, ROWS)]
    samples = [torch.from_numpy(vocab.encode(part).to_padded(PAD, np.int64)) for part in parts if len(part) == ROWS]
    ds, plain = TextDataset(smiles, vocab), PlainVocab(vocab.itos)
    next(iter(ds.dataloader(ROWS, shuffle=True)))  # as if a model had been trained on it

    def by_text(ids: Tensor) -> tuple[Tensor, Tensor]:
        return ds.new(vocab.decode(ids)).batch()

    def by_ids(ids: Tensor) -> tuple[Tensor, Tensor]:
        vocab.decode(ids)  # for the reward
        return ds.from_ids(ids).batch()

    def notebook(ids: Tensor) -> tuple[Tensor, Tensor]:
        made = PlainText([plain.decode(row) for row in ids.tolist()], plain)
        return next(iter(loader(made, ROWS, 0)))

    for ids in samples[:3]:
        expected = lm_collate([torch.LongTensor(plain.encode(plain.decode(row))) for row in ids.tolist()], PAD)
        assert all(map(torch.equal, by_text(ids), expected))
        assert all(map(torch.equal, by_ids(ids), expected))
    exact(ds)

    def steps(step, count: int) -> None:  # type: ignore[no-untyped-def]
        for ids in islice(cycle(samples), count):
            step(ids)

    processes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt, len(multiprocessing.active_children())
    for step in (by_text, by_ids):
        steps(step, STEPS // 10)
    before = resident_bytes()
    for step in (by_text, by_ids):
        steps(step, STEPS)
    after = resident_bytes()
    # The page faults of a process that was started and has ended are counted.
    assert processes == (
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt,
        len(multiprocessing.active_children()),
    ), "a process was started"
    compare(
        f"{STEPS:,} steps of {ROWS} sampled rows: decode, new, batch",
        [
            Contestant("mrl, new(decoded)", partial(steps, by_text, STEPS), STEPS * ROWS),
            Contestant("mrl, from_ids(ids), decoded as well", partial(steps, by_ids, STEPS), STEPS * ROWS),
            Contestant("the notebook's code, no workers", partial(steps, notebook, SLOW), SLOW * ROWS, "10 x"),
        ],
    )
    facts(
        f"Memory and processes over {2 * STEPS:,} such steps",
        [
            ("growth of memory", f"{(after - before) / 2**20:+.1f} MiB of {before / 2**20:,.0f}", "flat"),
            ("processes started", "none", "none"),
        ],
    )


def exact(ds: TextDataset) -> None:
    """Assert that `from_ids` keeps the ids exactly, also those that no text is tokenized into."""
    random = np.random.default_rng(0)
    rows = [random.integers(4, len(ds.vocab), random.integers(0, 60)).tolist() for _ in range(ROWS)]
    ids = [[0, *row, EOS, *random.integers(0, len(ds.vocab), 5).tolist()] for row in rows]
    made = ds.from_ids(ids)
    assert [made[i].tolist() for i in range(ROWS)] == [[0, *row, EOS] for row in rows]
