"""Resuming: the size of a state, and the time to the next batch in the middle of 10^9 rows."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
from measuring import ROUNDS, facts, seconds
from torch.utils.data import Dataset

from mrl.data import Bucketed, Loader, Order, Shuffled

ROWS, BATCH = 10**9, 256


class Numbers(Dataset[Any]):
    """A computed column: a row is its number."""

    def __getitems__(self, rows: Any) -> Any:
        return rows


class Lengths:
    """A computed column of lengths: 8 GB of stored ones would measure the memory, not the order."""

    digest = "20 + row * 7919 % 61"

    def __len__(self) -> int:
        return ROWS

    def take(self, rows: Any) -> Any:
        """Return the lengths of some rows."""
        return 20 + rows * 7919 % 61


def resume(smiles: list[str]) -> None:
    """Measure the time from a state in the middle to the next batch."""
    rows = []
    kinds: dict[str, Callable[[], Order]] = {
        "shuffled": lambda: Shuffled(ROWS, BATCH),
        "bucketed": lambda: Bucketed(Lengths(), BATCH),
    }
    for name, order in kinds.items():
        state = Loader(Numbers(), order(), np.asarray).state_dict()
        times = []
        for epoch in range(ROUNDS + 1):  # another epoch each time, of which nothing is cached
            loader = Loader(Numbers(), order(), np.asarray)
            text = json.dumps(state | {"epoch": epoch, "batches": len(loader) // 2 + epoch})

            def go_on(loader: Loader = loader, text: str = text) -> Any:
                loader.load_state_dict(json.loads(text))
                return next(iter(loader))

            took, batch = seconds(go_on)
            assert batch.tolist() == order().batch(epoch, len(loader) // 2 + epoch).tolist()
            times.append(took)
        times = times[1:]
        spread = f"{min(times) * 1e3:.1f} to {max(times) * 1e3:.1f}"
        rows.append((f"{name}: state", f"{len(text)} bytes", "under 1 kB"))
        rows.append((f"{name}: to the next batch", f"{statistics.median(times) * 1e3:.1f} ms ({spread})", "100 ms"))
    facts(f"Resuming in the middle of {ROWS:,} rows, median of {ROUNDS}", rows)
