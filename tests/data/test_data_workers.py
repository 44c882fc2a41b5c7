"""Loaders with worker processes, and what a process needs before its first batch."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from mrl.data import TextDataset, TextPredictionDataset, VecPredictionDataset, to_device
from mrl.errors import FeatureError
from mrl.ragged import Ragged
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CO?")
N = 40


def counted(text: str) -> list[int]:
    if "?" in text:
        raise ValueError("a question mark")
    return [len(text), text.count("O")]


def dataset(**settings: Any) -> VecPredictionDataset:
    return VecPredictionDataset(["C" * (i % 7) + "O" for i in range(N)], range(N), counted, **settings)


def epoch_of(loader: Any) -> list[Any]:
    return [[tensor.tolist() for tensor in batch] for batch in loader]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_start_method_gives_the_same(method: str) -> None:
    ds = dataset(cache=None).view(range(1, N))
    loader = ds.dataloader(7, 1, shuffle=True, multiprocessing_context=method)
    assert epoch_of(loader) == epoch_of(ds.dataloader(7, 0, shuffle=True))


def test_resumed_with_another_number_of_workers() -> None:
    ds = dataset()
    whole = ds.dataloader(7, 0, shuffle=True)
    expected = epoch_of(whole) + epoch_of(whole)
    found: list[Any] = []
    state = ds.dataloader(7, shuffle=True).state_dict()
    for num_workers, batches in ((2, 2), (0, 2), (1, 5)):  # 6 batches an epoch
        loader = ds.dataloader(7, num_workers, shuffle=True)
        loader.load_state_dict(state)
        while batches:
            for batch in loader:
                found.append([tensor.tolist() for tensor in batch])
                batches -= 1
                if not batches:
                    break
        state = loader.state_dict()  # the workers were further ahead than this
    assert found == expected[:9]
    assert (state["epoch"], state["batches"]) == (1, 3)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_error_in_a_worker_names_row_text_and_reason(num_workers: int) -> None:
    ds = VecPredictionDataset(["C", "CC", "C?", "CO"], range(4), counted)
    with pytest.raises(FeatureError, match=r"row 2: no vector for 'C\?': ValueError: a question mark; remove the row"):
        list(ds.dataloader(2, num_workers))
    assert not multiprocessing.active_children()  # though the exception holds on to everything


def test_a_loop_that_is_left_early_ends_its_workers() -> None:
    batches = iter(dataset(cache=None).dataloader(4, 2))
    next(batches)
    assert len(multiprocessing.active_children()) == 2
    start = time.monotonic()
    batches.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()
    assert time.monotonic() - start < 4


class Telling(CharacterVocab):
    """Writes down which process encodes."""

    path: str

    def encode(self, strings: Any, **settings: Any) -> Ragged:
        with open(self.path, "a") as file:
            file.write(f"{os.getpid()}\n")
        return super().encode(strings, **settings)


def test_texts_are_encoded_once_before_there_are_workers(tmp_path: Path) -> None:
    vocab = Telling("C")
    vocab.path = str(tmp_path / "encoded")
    loader = TextDataset(["C"] * 20, vocab).dataloader(4, 2)
    assert len(list(loader.as_torch())) == len(list(loader)) == len(list(loader)) == 5
    assert Path(vocab.path).read_text() == f"{os.getpid()}\n"


def test_vectors_by_several_processes_are_computed_before_there_are_workers() -> None:
    ds = VecPredictionDataset(["C" * (i % 9) for i in range(600)], range(600), counted, n_jobs=2)
    one = epoch_of(ds.dataloader(300, 1))
    assert ds.fields[0].compiled
    daemons = VecPredictionDataset(ds.smiles, range(600), counted, n_jobs=2, cache=None)  # which may have no children
    assert epoch_of(daemons.dataloader(300, 1)) == one == epoch_of(ds.dataloader(300, 0))


def move_away(samples: list[Any]) -> Any:
    return to_device(torch.tensor([len(ids) for ids, _ in samples]), "meta")


def test_in_a_worker_things_stay_where_they_are() -> None:
    ds = TextPredictionDataset(["C", "CC"], [1, 2], VOCAB)
    loader = ds.dataloader(2, 1, collate_fn=move_away)
    assert [batch.tolist() for batch in loader] == [[3, 4]]
    assert next(iter(ds.dataloader(2, 0, collate_fn=move_away, device="meta"))).device.type == "meta"


def test_workers_under_another_default_device() -> None:
    ds = dataset()
    torch.set_default_device("meta")
    try:
        found = epoch_of(ds.dataloader(7, 1, device="cpu"))
    finally:
        torch.set_default_device(None)
    assert found == epoch_of(ds.dataloader(7, 0))


INTERRUPTED = """
import os, sys, time
from mrl.data import VectorDataset
from multiprocessing import active_children

def slow(text):
    time.sleep(0.02)
    return [1.0]

if __name__ == "__main__":
    loader = VectorDataset(["C"] * 100_000, slow, cache=None).dataloader(8, 2)
    for i, batch in enumerate(loader):
        if not i:
            print(*[child.pid for child in active_children()], flush=True)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        children = [int(pid) for pid in process.stdout.readline().split()]
        assert len(children) == 2
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, errors = process.communicate(timeout=30)
        assert "KeyboardInterrupt" in errors
        deadline = time.monotonic() + 5
        while any(map(alive, children)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [pid for pid in children if alive(pid)]
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


FIRST_BATCH = """
import torch, time
start = time.perf_counter()
from mrl.data import TextDataset
from mrl.text import CharacterVocab, SMILES_CHAR_VOCAB
ds = TextDataset(["CC(=O)Oc1ccccc1C(=O)O"] * 256, CharacterVocab(SMILES_CHAR_VOCAB))
x, y = next(iter(ds.dataloader(64, shuffle=True)))
print(time.perf_counter() - start)
"""


def test_a_small_data_set_gives_its_first_batch_at_once() -> None:
    seconds = []
    for _ in range(3):  # the machine may be busy
        done = subprocess.run([sys.executable, "-c", FIRST_BATCH], capture_output=True, text=True, check=True)
        seconds.append(float(done.stdout))
        if seconds[-1] < 0.3:
            return
    pytest.fail(f"the first batch took {min(seconds):.2f} s")
