"""The pool computes every item once, even if some of them hang or crash their process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from mrl.processes import Lost, WorkerPool, available_cpus, next_chunk_size, process_context, require_picklable

METHODS = multiprocessing.get_all_start_methods()
ITEMS = [f"item {i}" for i in range(1000)]


def lengths(items: list[str], report: Callable[[int], None]) -> list[int]:
    """Do what the item says, or return its length."""
    results = []
    for position, item in enumerate(items):
        report(position)
        if item == "hang":
            time.sleep(60)
        if item == "exit":
            os._exit(3)
        if item == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        results.append(len(item))
    return results


def lengths_at_once(items: list[str], report: Callable[[int], None]) -> list[int]:
    return lengths(items, lambda position: None)


class ExitsOnStart:
    """Ends the process in which it is unpickled."""

    def __call__(self, items: list[str], report: Callable[[int], None]) -> list[int]:
        return []

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (7,)


class ExitsLater:
    """Ends its process at the 400th item of the process, whichever it is."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, items: list[str], report: Callable[[int], None]) -> list[int]:
        for position, _ in enumerate(items):
            report(position)
            self.seen += 1
            if self.seen == 400:
                os._exit(1)
        return [len(item) for item in items]


def results(function: Any, items: list[str], **options: Any) -> list[int | str]:
    """The result of each item, or why it has none; each exactly once."""
    found: dict[int, int | str] = {}
    with WorkerPool(function, items, **options) as pool:
        for start, result in pool:
            for at, one in enumerate([result.reason] if isinstance(result, Lost) else result, start):
                assert at not in found
                found[at] = one
    assert multiprocessing.active_children() == []
    return [found[i] for i in range(len(items))]


@pytest.mark.parametrize("method", METHODS)
def test_every_item_is_computed_once_with_every_start_method(method: str) -> None:
    context = multiprocessing.get_context(method)
    assert results(lengths, ITEMS, n_jobs=2, context=context) == [len(item) for item in ITEMS]
    assert results(lengths, ITEMS[:3], n_jobs=5, chunk_size=1, context=context) == [6, 6, 6]
    assert results(lengths, [], n_jobs=2, context=context) == []


@pytest.mark.parametrize("function", [lengths, lengths_at_once])
@pytest.mark.parametrize("timeout", [None, 30.0])
def test_items_that_crash_their_process_cost_no_other_item(function: Any, timeout: float | None) -> None:
    items = [*ITEMS[:500], "exit", "killed", *ITEMS[:300], "exit"]
    found = results(function, items, n_jobs=2, timeout=timeout)
    crashed = {500: "exit status 3", 501: f"signal {signal.SIGKILL.value}", 802: "exit status 3"}
    assert {i: one for i, one in enumerate(found) if isinstance(one, str)} == {
        i: f"ended its process ({status})" for i, status in crashed.items()
    }
    assert all(one == len(items[i]) for i, one in enumerate(found) if isinstance(one, int))


@pytest.mark.parametrize("function", [lengths, lengths_at_once])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_items_that_hang_are_given_up(function: Any, n_jobs: int) -> None:
    found = results(function, [*ITEMS[:20], "hang", *ITEMS[:5], "exit"], n_jobs=n_jobs, timeout=1)
    assert found[20] == "took longer than 1 s"
    assert found[26] == "ended its process (exit status 3)"
    assert found[:20] + found[21:26] == [len(item) for item in ITEMS[:20] + ITEMS[:5]]


def test_an_item_is_lost_only_if_it_crashes_a_fresh_process() -> None:
    assert results(ExitsLater(), ITEMS, n_jobs=2) == [len(item) for item in ITEMS]


def test_later_items_can_be_skipped() -> None:
    with WorkerPool(lengths, ITEMS, n_jobs=2, chunk_size=10) as pool:
        pool.stop_at(35)
        pool.stop_at(500)
        assert sorted(start for start, _ in pool) == [0, 10, 20, 30]


def test_leaving_the_block_ends_the_processes() -> None:
    with WorkerPool(lengths, ["hang"] * 10, n_jobs=2, chunk_size=1, timeout=60) as pool:
        iterator = iter(pool)
        with pytest.raises(ZeroDivisionError):
            next(iter([1 / 0, iterator]))
    assert multiprocessing.active_children() == []


def test_a_process_that_ends_while_it_starts_is_an_error() -> None:
    context = multiprocessing.get_context("spawn")
    with (
        WorkerPool(ExitsOnStart(), ITEMS, n_jobs=2, context=context) as pool,
        pytest.raises(RuntimeError, match=r"ended while it started up \(exit status 7\).*__main__"),
    ):
        list(pool)
    assert multiprocessing.active_children() == []


def test_functions_that_cannot_be_sent_are_named() -> None:
    with pytest.raises(TypeError, match=r"the score <function .*> cannot be sent .*; define it .*, or use n_jobs=1"):
        require_picklable(lambda: None, "score", "use n_jobs=1")


def test_chunks_grow_while_they_are_fast_and_shrink_when_they_are_slow() -> None:
    size, sizes = next_chunk_size(), []
    for seconds in [0.0] * 6 + [0.3] + [9.0] * 12:
        size = next_chunk_size(size, seconds)
        sizes.append(size)
    assert sizes[:6] == [128, 256, 512, 1024, 1024, 1024]
    assert sizes[6] == 1024
    assert sizes[7:] == [512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 1, 1]


# --- start methods and CPUs ------------------------------------------------------------------------------------------


@pytest.mark.skipif("fork" not in METHODS, reason="needs fork")
def test_fork_unless_cuda_is_initialized(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cuda:
        @staticmethod
        def is_initialized() -> bool:
            return True

    class Torch:
        cuda = Cuda

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert process_context().get_start_method() == "fork"
    monkeypatch.setitem(sys.modules, "torch", Torch)
    assert process_context().get_start_method() == "forkserver"
    assert process_context("fork").get_start_method() == "fork"
    context = multiprocessing.get_context("spawn")
    assert process_context(context) is context


def test_ncpus_is_an_upper_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 5, 6, 7}, raising=False)
    monkeypatch.delenv("ncpus", raising=False)
    assert available_cpus() == 6
    for limit, expected in (("4", 4), ("64", 6), ("0", 0), (" 2 ", 2), ("", 6)):
        monkeypatch.setenv("ncpus", limit)
        assert available_cpus() == expected
    monkeypatch.setenv("ncpus", "all")
    with pytest.raises(ValueError, match="ncpus is 'all'; expected a number of processes"):
        available_cpus()
