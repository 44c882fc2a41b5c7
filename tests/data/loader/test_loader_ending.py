"""How worker processes end: early, killed, interrupted; and what their output and exit functions are worth then."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mrl.data import Loader, Sequential, TextDataset
from mrl.errors import DatasetError
from mrl.text import CharacterVocab

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="signals")]


class Numbers(torch.utils.data.Dataset[int]):
    """Row numbers."""

    def __len__(self) -> int:
        return 400

    def __getitem__(self, i: int) -> int:
        return i


def loader_of(collate: Callable[[list[int]], Any] = list, **settings: Any) -> Loader:
    return Loader(Numbers(), Sequential(400, 4), collate, **{"num_workers": 1, **settings})


def run_script(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = folder / "script.py"
    path.write_text(text)
    return subprocess.run(
        [sys.executable, str(path), *arguments], capture_output=True, text=True, timeout=120, check=False
    )


# --- left early ------------------------------------------------------------------------------------------------------

LEFT_EARLY = """
import multiprocessing, sys, threading, torch
from torch.utils.data import TensorDataset
from mrl.data import Loader, Sequential

def free_tensors():  # as the thread of a queue does, with the batches that nobody reads
    while True:
        torch.zeros(1).share_memory_()

def start_thread(worker):
    for _ in range(4):
        threading.Thread(target=free_tensors, daemon=True).start()

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1]) if sys.argv[2] == "context" else sys.argv[1]
    loader = Loader(TensorDataset(torch.zeros(4000)), Sequential(4000, 4), list, num_workers=1,
        multiprocessing_context=context, worker_init_fn=start_thread)
    for batch in loader.as_torch() if sys.argv[2] == "torch" else loader:
        break
    print("done")
"""


@pytest.mark.parametrize(
    ("method", "how"),
    [("spawn", "name"), ("spawn", "context"), ("spawn", "torch"), ("forkserver", "name"), ("fork", "name")],
)
def test_workers_do_not_abort_while_a_thread_frees_tensors(tmp_path: Path, method: str, how: str) -> None:
    done = run_script(tmp_path, LEFT_EARLY, method, how)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


SLOW_QUEUE_THREAD = """
import multiprocessing.queues, multiprocessing.resource_tracker as tracker, threading, time

class Queue(multiprocessing.queues.Queue):
    _feed = staticmethod(lambda *args, feed=multiprocessing.queues.Queue._feed: (feed(*args), time.sleep(0.02)))

def unregister(*resource, unregister=tracker.unregister):
    if threading.current_thread() is not threading.main_thread():
        time.sleep(0.1)
    unregister(*resource)

multiprocessing.queues.Queue, tracker.unregister = Queue, unregister
"""


def test_a_slow_thread_of_a_queue_is_not_reported_as_a_leaked_semaphore(tmp_path: Path) -> None:
    done = run_script(tmp_path, SLOW_QUEUE_THREAD + LEFT_EARLY + "    time.sleep(0.05)\n", "spawn", "name")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def die_when_closed(samples: list[int]) -> list[int]:
    if samples[0] >= 40:
        flag = Path(os.environ["MRL_TEST_FLAG"])
        while not flag.exists():
            time.sleep(0.01)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    return samples


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_that_dies_while_its_iterator_is_closed_is_not_an_error(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "closing"
    monkeypatch.setenv("MRL_TEST_FLAG", str(flag))
    loader = loader_of(die_when_closed, num_workers=2, multiprocessing_context=method)
    batches = iter(loader)
    for _ in range(9):
        next(batches)
    flag.touch()
    batches.close()
    assert not multiprocessing.active_children()
    assert loader.state_dict()["batches"] == 9


def collect_garbage(samples: list[int]) -> list[int]:
    if samples[0] == 0:
        gc.collect()
    return samples


def test_a_forked_worker_leaves_the_workers_of_other_iterators_alone() -> None:
    batches = iter(loader_of(multiprocessing_context="fork"))
    next(batches)
    (worker,) = multiprocessing.active_children()
    cycle: list[Any] = [batches]
    cycle.append(cycle)
    del batches, cycle  # the garbage collector of a worker finds it first
    gc.disable()
    try:
        found = list(loader_of(collect_garbage, multiprocessing_context="fork"))
        assert worker.is_alive()
    finally:
        gc.enable()
    assert len(found) == 100
    gc.collect()
    assert not multiprocessing.active_children()


# --- interrupted -----------------------------------------------------------------------------------------------------

INTERRUPTED = """
import os, signal, sys, threading, time, torch
from multiprocessing import active_children
from mrl.data import Loader, Sequential

class Slow(torch.utils.data.Dataset):
    def __len__(self):
        return 400

    def __getitem__(self, i):
        if i > 8:
            time.sleep(2)
        return i

def run(method, how, number):
    loader = Loader(Slow(), Sequential(400, 4), list, num_workers=2, multiprocessing_context=method,
        persistent_workers=how == "persistent")
    if how == "torch":
        loader = loader.as_torch()
    for batch in loader:
        timer.start()
        if how == "close":
            iter(loader).close()
        break
    if how == "persistent":
        del loader

if __name__ == "__main__":
    number = getattr(signal, sys.argv[3])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a handler"))
    timer = threading.Timer(0.3, os.kill, (os.getpid(), number))
    try:
        run(sys.argv[1], sys.argv[2], number)
        timer.join()
        print("closed in time, or swallowed")
    except BaseException as error:
        print(repr(error), active_children())
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@pytest.mark.parametrize(
    ("method", "how", "number"),
    [
        ("fork", "left", "SIGINT"),
        ("fork", "left", "SIGTERM"),
        ("fork", "persistent", "SIGINT"),
        ("fork", "torch", "SIGINT"),
        ("forkserver", "left", "SIGINT"),
        ("spawn", "left", "SIGINT"),
        ("spawn", "persistent", "SIGTERM"),
    ],
)
def test_what_a_signal_raises_while_workers_end_is_raised(tmp_path: Path, method: str, how: str, number: str) -> None:
    done = run_script(tmp_path, INTERRUPTED, method, how, number)
    raised = "KeyboardInterrupt()" if number == "SIGINT" else "SystemExit('ended by a handler')"
    assert (done.stdout, done.stderr) == (f"{raised} []\nTrue\n", "")


# --- what a worker leaves --------------------------------------------------------------------------------------------


AT_EXIT = """
import atexit, multiprocessing, sys
from multiprocessing.context import SpawnContext, SpawnProcess
from torch.utils.data import TensorDataset
import torch
from mrl.data import Loader, Sequential

class MyProcess(SpawnProcess):
    def run(self):
        print("run", self.name)
        super().run()

class MyContext(SpawnContext):
    Process = MyProcess

def begin(worker):
    atexit.register(print, "at exit")

def end(samples):
    if sys.argv[1] == "fails":
        sys.exit(3)
    print("batch", end="")
    return samples

if __name__ == "__main__":
    loader = Loader(TensorDataset(torch.zeros(4)), Sequential(4, 4), end, num_workers=1,
        multiprocessing_context=MyContext(), worker_init_fn=begin)
    print(len(list(loader)))
"""


def test_a_spawned_worker_runs_its_exit_functions_and_writes_its_output(tmp_path: Path) -> None:
    done = run_script(tmp_path, AT_EXIT, "ends")
    assert done.stderr == ""
    assert sorted(done.stdout.split("\n")) == ["", "1", "batchat exit", "run Process-1"]


def test_the_exit_status_of_a_spawned_worker_is_reported(tmp_path: Path) -> None:
    done = run_script(tmp_path, AT_EXIT, "fails")
    assert "exited unexpectedly with exit code 3" in done.stderr


# --- StopIteration ---------------------------------------------------------------------------------------------------


class StopsEarly(TextDataset):
    """Raises StopIteration by a stray next()."""

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i) if i < 10 else next(iter(()))


def stop_early(samples: list[int]) -> list[int]:
    return samples if samples[0] < 8 else next(iter(()))


ENDED = "ended after 2 of 100: StopIteration was raised while a batch was made; look for next"


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("settings", [{"num_workers": 0}, {}, {"persistent_workers": True}, {"num_workers": 2}])
def test_a_collate_function_that_raises_stop_iteration_does_not_end_the_epoch(
    settings: dict[str, Any], plain: bool
) -> None:
    loader = loader_of(stop_early, **settings)
    batches = iter(loader.as_torch() if plain else loader)
    assert [next(batches), next(batches)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(DatasetError, match=ENDED):
        next(batches)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_sample_that_raises_stop_iteration_does_not_end_the_epoch(num_workers: int, plain: bool) -> None:
    loader = StopsEarly(["C"] * 24, CharacterVocab("C")).dataloader(4, num_workers)
    with pytest.raises(DatasetError, match="ended after 2 of 6: StopIteration"):
        list(loader.as_torch() if plain else loader)


def raise_generator_exit(samples: list[int]) -> list[int]:
    raise GeneratorExit


def test_a_generator_exit_is_not_taken_for_a_loop_that_was_left() -> None:
    with pytest.raises(GeneratorExit):
        list(loader_of(raise_generator_exit, num_workers=0))


def fail_once(samples: list[int]) -> list[int]:
    if samples[0] == 8:
        raise ValueError("a row")
    return samples


@pytest.mark.parametrize("num_workers", [0, 1])
def test_after_an_error_an_iterator_does_not_end_as_if_the_epoch_were_complete(num_workers: int) -> None:
    loader = loader_of(fail_once, num_workers=num_workers)
    batches = iter(loader)
    next(batches), next(batches)
    with pytest.raises(ValueError, match="a row"):
        next(batches)
    with pytest.raises(DatasetError, match=r"failed at batch 2 of 100 .* goes back to that batch"):
        next(batches)
    mended = loader_of(list, num_workers=num_workers)
    mended.load_state_dict(loader.state_dict())
    assert next(iter(mended)) == [8, 9, 10, 11]
