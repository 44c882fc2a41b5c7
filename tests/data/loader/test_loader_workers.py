"""Loaders with worker processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mrl.data import TextDataset, TextPredictionDataset, VecPredictionDataset, VectorDataset, to_device
from mrl.errors import FeatureError
from mrl.ragged import Ragged
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CO?")
N = 40


def count_letters(text: str) -> list[int]:
    if "?" in text:
        raise ValueError("a question mark")
    return [len(text), text.count("O")]


count_letters.checks_text = True  # type: ignore[attr-defined]


def dataset(**settings: Any) -> VecPredictionDataset:
    return VecPredictionDataset(["C" * (i % 7) + "O" for i in range(N)], range(N), count_letters, **settings)


def epoch_of(loader: Any) -> list[Any]:
    return [[tensor.tolist() for tensor in batch] for batch in loader]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_start_method_makes_the_same_batches(method: str) -> None:
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
        state = loader.state_dict()  # of what was yielded: the workers are further ahead
    assert found == expected[:9]
    assert (state["epoch"], state["batches"]) == (1, 3)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_error_in_a_worker_names_row_text_and_reason(num_workers: int) -> None:
    ds = VecPredictionDataset(["C", "CC", "C?", "CO"], range(4), count_letters)
    with pytest.raises(FeatureError, match=r"row 2: no vector for 'C\?': ValueError: a question mark; remove the row"):
        list(ds.dataloader(2, num_workers))
    assert not multiprocessing.active_children()  # although the exception refers to all of this


def test_a_loop_that_is_left_early_ends_its_workers() -> None:
    batches = iter(dataset(cache=None).dataloader(4, 2))
    next(batches)
    workers = multiprocessing.active_children()
    assert len(workers) == 2
    batches.close()
    assert ended_by_themselves(workers)
    assert not multiprocessing.active_children()


# --- persistent workers ----------------------------------------------------------------------------------------------


def ended_by_themselves(workers: list[Any]) -> bool:
    """Whether processes have ended, and did so at once: after five seconds torch ends its workers by a signal."""
    return [worker.exitcode for worker in workers] == [0] * len(workers)


def process_and_labels(samples: list[Any]) -> Any:
    return torch.tensor([[os.getpid()] for _ in samples]), torch.stack([y for _, y in samples])


def seen(batches: Any) -> tuple[set[int], list[Any]]:
    """The processes that made the batches, and the rows of each batch."""
    made = list(batches)
    return {pid for pids, _ in made for pid in pids.flatten().tolist()}, [y.flatten().tolist() for _, y in made]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_persistent_workers_make_every_epoch(method: str) -> None:
    ds = dataset(cache=None)
    options: dict[str, Any] = {"shuffle": True, "collate_fn": process_and_labels}
    plain = ds.dataloader(4, 0, **options)
    epochs = []
    for epoch in range(8):
        plain.set_epoch(epoch)
        epochs.append(seen(plain)[1])
    before = set(multiprocessing.active_children())
    loader = ds.dataloader(4, 2, persistent_workers=True, multiprocessing_context=method, **options)
    pids, rows = seen(loader)
    assert (len(pids), rows) == (2, epochs[0])
    assert seen(loader) == (pids, epochs[1])
    for k, _ in enumerate(loader):  # left in the middle, while the workers make its next batches
        if k == 3:
            break
    assert loader.state_dict()["batches"] == 4
    state = loader.state_dict()
    assert seen(loader) == (pids, epochs[3])
    loader.load_state_dict(state)
    assert seen(loader) == (pids, epochs[2][4:])
    loader.set_epoch(7)
    assert seen(loader) == (pids, epochs[7])
    workers = [worker for worker in multiprocessing.active_children() if worker not in before]
    assert len(workers) == 2
    del loader  # which needs no garbage collector
    assert ended_by_themselves(workers)
    assert set(multiprocessing.active_children()) == before


def test_two_iterators_have_their_own_persistent_workers() -> None:
    ds = dataset(cache=None)
    plain = ds.dataloader(4, 0, shuffle=True, collate_fn=process_and_labels)
    expected = seen(plain)[1], seen(plain)[1]
    loader = ds.dataloader(4, 1, shuffle=True, collate_fn=process_and_labels, persistent_workers=True)
    one, two = iter(loader), iter(loader)
    made: list[list[Any]] = [[], []]
    for _ in range(len(loader)):
        made[0].append(next(one))
        made[1].append(next(two))
    found = [seen(part) for part in made]
    assert (found[0][1], found[1][1]) == expected
    assert found[0][0].isdisjoint(found[1][0])
    one.close()
    two.close()
    assert len(multiprocessing.active_children()) == 1  # the workers of one of them stay
    loader.set_epoch(0)
    assert seen(loader)[1] == expected[0]


def test_persistent_workers_do_not_outlive_a_failure() -> None:
    loader = VecPredictionDataset(["C", "C?", "CO"], range(3), count_letters).dataloader(1, 1, persistent_workers=True)
    for _ in range(2):
        loader.set_epoch(0)
        batches = iter(loader)
        assert next(batches)[1].tolist() == [0]
        with pytest.raises(FeatureError, match="row 1"):
            next(batches)
        assert not multiprocessing.active_children()


def test_persistent_workers_that_were_killed_are_replaced_in_the_next_epoch() -> None:
    loader = dataset(cache=None).dataloader(4, 1, collate_fn=process_and_labels, persistent_workers=True)
    (pid,), rows = seen(loader)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(loader)
    assert seen(loader)[1] == rows


# --- before workers start --------------------------------------------------------------------------------------------


class Logging(CharacterVocab):
    """Notes the process that encodes."""

    path: str

    def encode(self, strings: Any, **settings: Any) -> Ragged:
        with open(self.path, "a") as file:
            file.write(f"{os.getpid()}\n")
        return super().encode(strings, **settings)


def test_texts_are_encoded_once_before_there_are_workers(tmp_path: Path) -> None:
    vocab = Logging("C")
    vocab.path = str(tmp_path / "encoded")
    loader = TextDataset(["C"] * 20, vocab).dataloader(4, 2)
    assert len(list(loader.as_torch())) == len(list(loader)) == len(list(loader)) == 5
    assert Path(vocab.path).read_text() == f"{os.getpid()}\n"


def test_vectors_by_several_processes_are_computed_before_there_are_workers() -> None:
    ds = VecPredictionDataset(["C" * (i % 9) for i in range(600)], range(600), count_letters, n_jobs=2)
    one = epoch_of(ds.dataloader(300, 1))
    assert ds.fields[0].compiled
    # Workers are daemons, which cannot have processes of their own.
    uncached = VecPredictionDataset(ds.smiles, range(600), count_letters, n_jobs=2, cache=None)
    assert epoch_of(uncached.dataloader(300, 1)) == one == epoch_of(ds.dataloader(300, 0))


def move_away(samples: list[Any]) -> Any:
    return to_device(torch.tensor([len(ids) for ids, _ in samples]), "meta")


def test_a_worker_leaves_tensors_on_the_cpu() -> None:
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


FIRST_BATCH = """
import multiprocessing, sys
from mrl.data import TextDataset
from mrl.text import CharacterVocab, SMILES_CHAR_VOCAB
ds = TextDataset(["CC(=O)Oc1ccccc1C(=O)O"] * 256, CharacterVocab(SMILES_CHAR_VOCAB))
x, y = next(iter(ds.dataloader(64, shuffle=True)))
print(tuple(x.shape), [name for name in ("numba", "rdkit", "pyarrow", "pandas") if name in sys.modules])
print(multiprocessing.active_children())
"""


def test_the_first_batch_of_a_small_dataset_loads_no_compiler_and_starts_no_process() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_BATCH], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["(64, 23) []", "[]"]


def test_vectors_are_computed_once_for_all_epochs_of_workers(tmp_path: Path) -> None:
    log = tmp_path / "calls"

    def counted(text: str) -> int:
        with log.open("a") as file:
            file.write("x")
        return len(text)

    ds = VectorDataset(["C", "CC", "CCC"], counted)
    loader = ds.dataloader(2, 1)
    for _ in range(3):
        assert [batch.tolist() for batch in loader] == [[[1.0], [2.0]], [[3.0]]]
    assert log.read_text() == "xxx"
