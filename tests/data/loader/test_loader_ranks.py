"""Several ranks: real ones, of torch.distributed, of Lightning and of accelerate."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.data import BlockShuffled, Bucketed, Order, Sequential, Shuffled, TextPredictionDataset, TokenBudget
from mrl.data.order.randomness import shuffled_positions
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CO")

# --- against lists ---------------------------------------------------------------------------------------------------


def expected_ranks(
    n: int, bs: int, world_size: int, epoch: int, seed: int | None, drop_last: bool
) -> list[list[list[int]]]:
    """The rows of each rank and batch of an epoch, by slicing lists."""
    rows = list(range(n)) if seed is None else shuffled_positions(range(n), n, f"rows {seed} {epoch}").tolist()
    ranks: list[list[list[int]]] = [[] for _ in range(world_size)]
    while rows:
        batch, rows = rows[: bs * world_size], rows[bs * world_size :]
        if drop_last and len(batch) < bs * world_size:
            break
        cuts = [len(batch) * r // world_size for r in range(world_size + 1)]
        for r in range(world_size):
            ranks[r].append(batch[cuts[r] : cuts[r + 1]] if len(batch) >= world_size else [batch[r % len(batch)]])
    return ranks


def numbers(batch: Any) -> list[int]:
    found: list[int] = batch[1].long().tolist()
    return found


def dataset(n: int) -> TextPredictionDataset:
    return TextPredictionDataset(["C" * (i * 5 % 11 + 1) for i in range(n)], range(n), VOCAB)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 40),
    st.integers(1, 7),
    st.integers(1, 5),
    st.integers(0, 3),
    st.none() | st.integers(0, 5),
    st.booleans(),
)
def test_every_rank_gets_its_part_of_every_batch(
    n: int, bs: int, world_size: int, epoch: int, seed: int | None, drop_last: bool
) -> None:
    ds = dataset(n)
    options: dict[str, Any] = {"shuffle": seed is not None, "seed": seed or 0, "drop_last": drop_last}
    expected = expected_ranks(n, bs, world_size, epoch, seed, drop_last)
    for rank in range(world_size):
        loader = ds.dataloader(bs, rank=rank, world_size=world_size, **options)
        loader.set_epoch(epoch)
        batches = list(loader)
        assert [numbers(batch) for batch in batches] == expected[rank]
        for (x, y), rows in zip(batches, expected[rank], strict=True):  # and samples collated are the batch
            sample = ds.collate_function([ds[row] for row in rows])
            assert (x.tolist(), y.tolist()) == (sample[0].tolist(), sample[1].tolist())


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 5), st.integers(0, 9), st.data())
def test_all_ranks_together_get_every_row_once(
    n: int, bs: int, world_size: int, epoch: int, data: st.DataObject
) -> None:
    ds, size = dataset(n), bs * world_size
    orders: dict[str, Order] = {
        "sequential": Sequential(n, size),
        "shuffled": Shuffled(n, size, 3),
        "bucketed": Bucketed(ds.lengths(), size, 3),
        "budget": TokenBudget(ds.lengths(), 13 * size, 3),
        "blocks": BlockShuffled(n, size, block=4, window=3),
    }
    order = orders[data.draw(st.sampled_from(sorted(orders)))]
    ranks = []
    for rank in range(world_size):
        loader = ds.dataloader(bs, rank=rank, world_size=world_size, order=order)
        loader.set_epoch(epoch)
        ranks.append([numbers(batch) for batch in loader])
    assert len({len(batches) for batches in ranks}) == 1  # equal steps
    seen = []
    for parts in zip(*ranks, strict=True):
        rows = list(chain(*parts))
        assert all(parts)
        repeats = len(rows) - len(set(rows))
        assert repeats == (0 if len(set(rows)) >= world_size else world_size - len(set(rows)))
        seen += sorted(set(rows))
    assert sorted(seen) == list(range(n))


# --- real ranks ------------------------------------------------------------------------------------------------------

HEAD = """
import json, os, sys
import torch
from mrl.data import TextPredictionDataset
from mrl.text import CharacterVocab

N = 103
ds = TextPredictionDataset(["C" * (i * 5 % 11 + 1) for i in range(N)], range(N), CharacterVocab("CO"))
rank, out = int(os.environ["RANK"]), sys.argv[1]

def numbers(batch):
    return batch[1].long().tolist()

def report(**facts):
    with open(f"{out}/{rank}.json", "w") as file:
        json.dump(facts, file)
"""


def run_ranks(script: str, folder: Path, world_size: int = 2) -> list[dict[str, Any]]:
    """Run a script on several ranks; return what each reports."""
    path = folder / "script.py"
    path.write_text(HEAD + script)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": world_size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NODE_RANK": 0}
    shared |= {"OMP_NUM_THREADS": 1, "LOCAL_WORLD_SIZE": world_size, "CUDA_VISIBLE_DEVICES": ""}
    processes = [
        subprocess.Popen(
            [sys.executable, str(path), str(folder)],
            env=os.environ | {name: str(value) for name, value in (shared | {"RANK": r, "LOCAL_RANK": r}).items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
        )
        for r in range(world_size)
    ]
    try:
        for process in processes:
            output, _ = process.communicate(timeout=120)
            assert process.returncode == 0, output
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return [json.loads((folder / f"{r}.json").read_text()) for r in range(world_size)]


def require_every_row_once(ranks: list[list[list[int]]], n: int = 103) -> None:
    """Fail unless the ranks have every row once, in equally many steps."""
    assert len({len(batches) for batches in ranks}) == 1
    rows = sorted(chain(*chain(*ranks)))
    assert rows == list(range(n))
    assert all(chain(*ranks))


@pytest.mark.slow
def test_two_real_ranks(tmp_path: Path) -> None:
    one, two = run_ranks(
        """
import torch.distributed as dist
options = {"shuffle": True, "seed": 1}
early = ds.dataloader(8, **options)  # made before the ranks are known
alone = [early.rank, early.world_size, len(early)]
dist.init_process_group("gloo", init_method="env://")
late = ds.dataloader(8, 1, **options)
epochs = {name: [[numbers(b) for b in loader] for _ in range(2)] for name, loader in (("early", early), ("late", late))}
budget = [numbers(batch) for batch in ds.dataloader(1, max_tokens=40)]
state = early.state_dict()
steps = [None, None]
dist.all_gather_object(steps, len(late))
dist.destroy_process_group()
report(alone=alone, epochs=epochs, state=state, steps=steps, budget=budget, then=[early.rank, early.world_size])
""",
        tmp_path,
    )
    assert one["alone"] == two["alone"] == [0, 1, 13]
    assert one["then"] == [0, 1]
    assert one["steps"] == [7, 7]
    for epoch in range(2):
        require_every_row_once([rank["epochs"]["late"][epoch] for rank in (one, two)])
    assert all(rank["epochs"]["early"] == rank["epochs"]["late"] for rank in (one, two))
    assert one["epochs"]["late"][0] != one["epochs"]["late"][1]
    assert one["state"] == two["state"]
    assert one["state"]["global_batch_size"] == 16
    ds = dataset(103)
    budget = list(ds.dataloader(1, max_tokens=80))
    assert [set(a + b) for a, b in zip(one["budget"], two["budget"], strict=True)] == [set(numbers(b)) for b in budget]
    alone = ds.dataloader(16, shuffle=True, seed=1)  # continues where the two ranks ended
    alone.load_state_dict(one["state"])
    expected = Shuffled(103, 16, 1)
    assert [numbers(batch) for batch in alone] == [expected.batch(2, k).tolist() for k in range(7)]


@pytest.mark.slow
def test_accelerate_takes_the_loader_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    one, two = run_ranks(
        """
from accelerate import Accelerator
early = ds.dataloader(8, shuffle=True)
accelerator = Accelerator(cpu=True)
model = torch.nn.Linear(1, 1)
late = ds.dataloader(8, shuffle=True)
model, optimizer, prepared, other = accelerator.prepare(model, torch.optim.SGD(model.parameters(), 0.01), early, late)
epochs = [[numbers(batch) for batch in prepared] for _ in range(2)]
for x, y in other:
    loss = model(y.unsqueeze(-1)).mean()
    accelerator.backward(loss)
    optimizer.step()
report(same=prepared is early and other is late, epochs=epochs, ranks=accelerator.num_processes)
accelerator.end_training()
""",
        tmp_path,
    )
    assert one["same"]
    assert one["ranks"] == 2
    for epoch in range(2):
        require_every_row_once([rank["epochs"][epoch] for rank in (one, two)])


LIGHTNING = """
import logging, warnings
warnings.simplefilter("ignore")
import lightning

class Tiny(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen, self.valid = {}, {}
    def training_step(self, batch, k):
        self.seen.setdefault(self.current_epoch, []).append(numbers(batch))
        if (self.current_epoch, k) == (1, 2):
            self.trainer.save_checkpoint(f"{out}/middle.ckpt")
        return self.layer(batch[1].unsqueeze(-1)).mean()
    def validation_step(self, batch, k):
        self.valid.setdefault(self.current_epoch, []).append(numbers(batch))
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 1e-4)

def fit(ranks, **options):
    trainer = lightning.Trainer(
        accelerator="cpu", devices=ranks, strategy="ddp" if ranks > 1 else "auto", max_epochs=2, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=1,
        default_root_dir=out)
    module = Tiny()
    trainer.fit(module, ds.dataloader(8, shuffle=True), ds.dataloader(8), **options)
    return module
"""


@pytest.mark.slow
def test_lightning_takes_the_loader_as_it_is_and_resumes_it(tmp_path: Path) -> None:
    if importlib.util.find_spec("lightning") is None:
        pytest.skip("lightning is not installed")
    script = """
module = fit(2)
resumed = fit(2, ckpt_path=f"{out}/middle.ckpt")
report(seen=module.seen, valid=module.valid, resumed=resumed.seen)
"""
    one, two = run_ranks(LIGHTNING + script, tmp_path)
    for epoch in "01":
        require_every_row_once([rank["seen"][epoch] for rank in (one, two)])
        require_every_row_once(
            [rank["valid"][epoch][-7:] for rank in (one, two)]
        )  # after those of Lightning's check before training
    assert one["seen"]["0"] != one["seen"]["1"]
    for rank in (one, two):  # Lightning saves the state of a loader that has one
        assert rank["resumed"] == {"1": rank["seen"]["1"][3:]}
