"""Processes that are killed and interrupted, and the memory that workers share."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mrl.data import Loader, Sequential, TextPredictionDataset, parts_of, takes_lazy_batch
from mrl.data.loader.sharing import MIN_BYTES, Shared
from mrl.ragged import Text
from mrl.text import CharacterVocab

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

VOCAB = CharacterVocab("CO1=()cN")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def still_running(pids: list[int], seconds: float = 15) -> list[int]:
    """Wait for processes to end; return those that run after so many seconds."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if is_running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def leftovers() -> set[str]:
    """The names of shared memory and of temporary files."""
    names = {f"/dev/shm/{name}" for name in os.listdir("/dev/shm") if "torch" in name or "mrl" in name}
    return names | {name for name in os.listdir("/tmp") if name.startswith(("torch_", "mrl"))}


@contextmanager
def script(folder: Path, text: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    path = folder / "script.py"
    path.write_text(text)
    process = subprocess.Popen(
        [sys.executable, str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


# --- killed ----------------------------------------------------------------------------------------------------------

TRAINING = """
import hashlib, json, os, random, sys, time
from mrl.data import TextDataset
from mrl.text import CharacterVocab

def shuffle_letters(text, key):
    letters = list(text)
    random.Random(key).shuffle(letters)
    return "".join(letters)

def train(log, checkpoint, workers, batches):
    texts = ["CONCCNOOC"[i % 5 : i % 9 + 3] for i in range(150)]
    ds = TextDataset(texts, CharacterVocab("CON"), augment=shuffle_letters)
    loader = ds.dataloader(8, workers, bucket=True, seed=3)
    done = 0
    if os.path.exists(checkpoint):
        saved = json.loads(open(checkpoint).read())
        done = saved["done"]
        loader.load_state_dict(saved["loader"])
    out = open(log, "a")
    while done < batches:
        for x, y in loader:
            print(done, hashlib.sha256(x.numpy().tobytes() + y.numpy().tobytes()).hexdigest(), file=out, flush=True)
            done += 1
            if workers:
                time.sleep(0.004)
            with open(checkpoint + ".new", "w") as new:
                json.dump({"done": done, "loader": loader.state_dict()}, new)
            os.replace(checkpoint + ".new", checkpoint)
            if done == batches:
                break

if __name__ == "__main__":
    train(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
"""


@pytest.mark.slow
def test_a_training_that_is_killed_at_random_moments_sees_the_same_batches(tmp_path: Path) -> None:
    batches, before = 100, leftovers()  # 19 an epoch

    def lines(log: Path) -> list[tuple[int, str]]:
        found = [line.split() for line in log.read_text().split("\n")[:-1]] if log.exists() else []
        return [(int(number), digest) for number, digest in found]

    here: dict[str, Any] = {"__name__": "here"}
    exec(TRAINING, here)
    here["train"](str(tmp_path / "a"), str(tmp_path / "b"), 0, batches)
    whole = lines(tmp_path / "a")
    assert [number for number, _ in whole] == list(range(batches))
    log, kills, chance = tmp_path / "log", 0, random.Random(0)
    children: list[int] = []
    for workers in (2, 0, 1, 2, 0, 1):
        enough = min(len(lines(log)) + chance.randrange(5, 25), batches)
        with script(tmp_path, TRAINING, str(log), str(tmp_path / "state"), str(workers), str(batches)) as process:
            while len(lines(log)) < enough and process.poll() is None:
                time.sleep(0.001)
            if enough < batches and kills < 3:
                time.sleep(chance.random() / 100)
                tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children")
                children += [int(pid) for pid in tasks.read_text().split()]
                process.kill()
                process.wait(30)
                kills += 1
                continue
            assert process.wait(60) == 0
            break
    assert kills == 3
    assert children
    assert not still_running(children)
    found = lines(log)
    assert set(found) == set(whole)  # batches that were made twice are equal
    assert len(found) >= batches
    assert leftovers() <= before


# --- interrupted -----------------------------------------------------------------------------------------------------

INTERRUPTED = """
import sys, time
from multiprocessing import active_children
import numpy as np
from mrl.data import VectorDataset
from mrl.ragged import Text

def slow(text):
    time.sleep(0.02)
    return [1.0]

if __name__ == "__main__":
    n = 200_000
    text = Text(np.full(9 * n, 67, np.uint8), np.arange(n + 1) * 9)
    loader = VectorDataset(text, slow, cache=None).dataloader(8, 2, multiprocessing_context=sys.argv[1])
    for i, batch in enumerate(loader):
        if not i:
            print(*[child.pid for child in active_children()], flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_ctrl_c_in_the_middle_of_an_epoch_leaves_no_process_and_no_file(tmp_path: Path, method: str) -> None:
    before = leftovers()
    with script(tmp_path, INTERRUPTED, method) as process:
        assert process.stdout is not None
        children = [int(pid) for pid in process.stdout.readline().split()]
        assert len(children) == 2
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, errors = process.communicate(timeout=30)
        assert process.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert not still_running(children)
    assert leftovers() <= before


# --- memory --------------------------------------------------------------------------------------------------------


def private_memory() -> int:
    """Return the number of bytes that this process shares with no other."""
    lines = Path("/proc/self/smaps_rollup").read_text().split("\n")
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private"))


@takes_lazy_batch
def memory_collate(rows: Any) -> Any:
    ids, _ = parts_of(rows, 2, "memory_collate")
    return os.getpid(), private_memory(), int(ids.values[ids.offsets[ids.rows] + 1].sum()), len(ids.rows)


def many(n: int) -> TextPredictionDataset:
    piece = np.frombuffer(b"CCOc1ccccc1C(=O)NCCO", np.uint8)
    return TextPredictionDataset(Text(np.tile(piece, n), np.arange(n + 1) * len(piece)), np.arange(n), VOCAB)


@pytest.mark.slow
def test_memory_of_workers_is_flat_over_three_million_rows() -> None:
    n = 3_000_000
    ds = many(n)
    sizes: dict[int, list[int]] = {}
    rows = 0
    for pid, size, _, some in ds.dataloader(
        4096, 2, shuffle=True, collate_fn=memory_collate, multiprocessing_context="fork"
    ):
        sizes.setdefault(pid, []).append(size)
        rows += some
    assert (rows, len(sizes)) == (n, 2)
    for size in sizes.values():
        assert len(size) > 300
        assert max(size[100:]) - size[20] < 4 << 20  # of some 400 MB
        assert max(size) < 64 << 20


@takes_lazy_batch
def mapped_files_collate(rows: Any) -> Any:
    """Return the anonymous files that this process maps, and which of them hold the ids and the texts."""
    at = {}
    for line in Path("/proc/self/maps").read_text().split("\n"):
        if "memfd:mrl" in line:
            start, stop = (int(end, 16) for end in line.split()[0].split("-"))
            at[line.split()[4]] = start, stop
    ids, _ = parts_of(rows, 2, "mapped_files_collate")
    held = [a.ctypes.data for a in (ids.values, rows.fields[0].text.values)]
    inside = [[start <= place < stop for start, stop in at.values()] for place in held]
    return os.getpid(), list(at), inside, ids.take().tolist()


def open_files() -> list[str]:
    """Return the files that this process has open."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the listing's own is closed by now
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_that_inherit_nothing_share_the_large_arrays(method: str) -> None:
    ds = many(100_000)
    ids_of_all = VOCAB.encode(ds.smiles)
    loader = ds.dataloader(25_000, 2, collate_fn=mapped_files_collate, multiprocessing_context=method)
    found = list(loader)
    assert len({pid for pid, *_ in found}) == 2
    assert len({tuple(inodes) for _, inodes, *_ in found}) == 1  # one file for all
    assert all(inside == [[True], [True]] for _, _, inside, _ in found)
    assert all(ids == ids_of_all[k * 25_000 : (k + 1) * 25_000].tolist() for k, (*_, ids) in enumerate(found))
    del loader
    assert not [name for name in open_files() if "memfd:mrl" in name]


class Kinds(torch.utils.data.Dataset[Any]):
    """Arrays of all kinds, some of them views of others."""

    def __init__(self) -> None:
        n = MIN_BYTES // 8
        self.c = np.arange(2 * n).reshape(2, n)
        self.f = np.asfortranarray(np.arange(4.0 * n).reshape(n, 4))
        self.parts = [self.c[:], self.c[1]]
        self.fixed = np.arange(n).astype("M8[s]")
        self.fixed.flags.writeable = False
        self.small, self.steps = np.arange(3), np.arange(4 * n)[::2]  # pickling makes it contiguous
        self.objects = np.full(n, None)
        self.record = np.zeros(n, [("a", "<i4"), ("b", "<f8")])
        self.tensor = torch.arange(5)
        self.nothing = np.zeros((0, 5))

    def __len__(self) -> int:
        return 3

    def __getitem__(self, i: int) -> Any:
        large = {name: vars(self)[name] for name in ("c", "f", "fixed", "small", "objects", "record", "nothing")}
        properties = [
            (n, a.shape, a.dtype.str, a.flags.forc, a.flags.c_contiguous, a.flags.writeable) for n, a in large.items()
        ]
        sums = int(self.c.sum()), float(self.f[:, 2].sum()), int(self.steps.sum()), self.tensor.tolist()
        parts = [int(part.shape[-1]) for part in self.parts]
        self.c += 1  # changes only this worker's copy
        return properties, sums, parts, str(self.fixed[-1]), self.record.dtype.names


def as_list_collate(samples: Any) -> Any:
    return samples


@pytest.mark.slow
def test_arrays_of_any_kind_arrive_unchanged_and_each_worker_may_change_its_own() -> None:
    found = {}
    for method in ("fork", "spawn"):
        ds = Kinds()
        loader = Loader(ds, Sequential(3, 1), as_list_collate, num_workers=1, multiprocessing_context=method)
        found[method] = [batch[0] for batch in loader]
        assert (ds.c.reshape(-1) == np.arange(ds.c.size)).all()
    assert found["spawn"] == found["fork"]


def test_a_shared_dataset_pickled_for_something_else_is_the_dataset() -> None:
    ds = many(100_000)
    shared = Shared(ds)
    assert (len(shared), shared[7][0].tolist()) == (len(ds), ds[7][0].tolist())
    again = pickle.loads(pickle.dumps(shared))
    assert type(again) is TextPredictionDataset
    assert again[99_999][0].tolist() == ds[99_999][0].tolist()


@pytest.mark.slow
def test_a_plain_torch_loader_shares_the_large_arrays_too() -> None:
    ds = many(60_000)
    plain = ds.dataloader(30_000, 1, collate_fn=mapped_files_collate, multiprocessing_context="spawn").as_torch()
    assert len(plain.dataset) == 60_000  # type: ignore[arg-type]
    assert [inside for _, _, inside, _ in plain] == [[[True], [True]]] * 2
    assert not multiprocessing.active_children()
