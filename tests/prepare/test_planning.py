"""Duplicates are the same however many buckets their hashes are dealt to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrl.chem import Duplicates
from mrl.corpus import Shard
from mrl.prepare import Inputs, Recipe, prepare_phase
from mrl.prepare.job import Job
from mrl.prepare.phases.planning import MOST_BUCKETS, ROWS_PER_BUCKET, bucket_bits, plan_bucket


@pytest.mark.parametrize("labels", ["first", "mean", "drop"])
def test_any_number_of_buckets_finds_the_same_rows(tmp_path: Path, labels: Any) -> None:
    path = tmp_path / "a.csv"
    rng = np.random.default_rng(3)
    picks = rng.integers(0, 150, 600).tolist()
    path.write_text(
        "smiles,y\n" + "".join(f"{'C' * (k % 30 + 1)}{'N' * (k // 30)},{k % 2 * i % 3}\n" for i, k in enumerate(picks))
    )
    inputs, recipe = Inputs(path, targets=("y",)), Recipe(duplicates=Duplicates(labels), rows_per_part=100)
    for phase in ("read", "clean"):
        prepare_phase(inputs, tmp_path / "work", recipe, phase)
    found = []
    for bits in (0, 1, 4):
        out = tmp_path / str(bits)
        shutil.copytree(tmp_path / "work", out)
        job = Job.start(inputs, recipe, out)
        chunks = [(part, 0) for part in range(6)]
        facts = [plan_bucket(job, bucket, bits, chunks) for bucket in range(1 << bits)]
        dropped: list[Any] = []
        merged: list[Any] = []
        for bucket in range(1 << bits):
            plan, new = Shard(job.path("plan", bucket)), Shard(job.path("labels", bucket))
            dropped += zip(
                *(np.asarray(plan[name]).tolist() for name in ("chunk", "place", "first")), plan["reason"], strict=True
            )
            merged += zip(*(np.asarray(new[name]).tolist() for name in ("chunk", "place", "labels")), strict=True)
        totals = [sum(each[name] for each in facts) for name in ("duplicates", "conflicts", "merged")]
        found.append((sorted(dropped), sorted(merged), totals))
    assert found[0] == found[1] == found[2]
    rows = len(picks)
    if labels != "drop":
        assert len(found[0][0]) == rows - len(set(picks))


def test_buckets_are_bounded() -> None:
    assert [bucket_bits(rows) for rows in (0, 1, ROWS_PER_BUCKET - 1, ROWS_PER_BUCKET, 10**12)] == [0, 0, 0, 1, 10]
    assert 1 << bucket_bits(10**12) == MOST_BUCKETS
