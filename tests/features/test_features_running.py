"""featurize in processes: the same rows, and molecules that hang, crash, or are interrupted."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrl.errors import FeatureError, RowError
from mrl.features import featurize
from mrl.ragged import Text


def bits(text: str) -> Any:
    return np.array([len(text) & 1, len(text) & 2 > 0, "O" in text] * 5, np.uint8)


bits.checks_text = True  # type: ignore[attr-defined]


def obey(text: str) -> list[float]:
    """Do what the text says, or return two numbers."""
    if text == "hang":
        time.sleep(60)
    if text == "exit":
        os._exit(3)
    if text == "segfault":
        faulthandler.disable()  # pytest's, which would tell of it at length
        os.kill(os.getpid(), signal.SIGSEGV)
    if text == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "raise":
        raise ValueError("as requested")
    if text == "longer":
        return [1.0] * 3
    return [len(text), 0.5]


obey.checks_text = True  # type: ignore[attr-defined]


class ObeyAtOnce:
    """The same, for all texts at once."""

    checks_text = True

    def transform(self, X: list[str]) -> Any:
        return np.array([obey(text) for text in X])


def reasons(features: Any) -> dict[int, str]:
    return {reject.row: reject.reason for reject in features.rejects}


def children() -> list[Any]:
    return multiprocessing.active_children()


TEXTS = ["C" * (i % 9 + 1) + "O" * (i % 4) for i in range(2000)]


@pytest.mark.parametrize("function", [bits, obey, ObeyAtOnce()], ids=["bits", "function", "transformer"])
@pytest.mark.parametrize("on_error", ["drop", "mask"])
def test_rows_are_the_same_with_any_number_of_processes(function: Any, on_error: Any) -> None:
    texts = [*TEXTS, "raise", *TEXTS[:700], "longer"]
    one, two, three = (featurize(texts, function, n_jobs=n, on_error=on_error) for n in (1, 2, 3))
    for more in (two, three):
        assert more.values.dtype == one.values.dtype
        assert np.array_equal(more.dense(), one.dense(), equal_nan=True)
        assert more.rejects == one.rejects
        assert np.array_equal(more.kept, one.kept)
    assert children() == []


def test_few_molecules_start_no_process() -> None:
    def process_id(text: str) -> list[int]:
        return [os.getpid()]

    features = featurize(TEXTS[:512], process_id, n_jobs=2)
    assert set(features.dense(dtype=np.float64)[:, 0]) == {os.getpid()}
    with pytest.raises(TypeError, match=r"the featurizer .* cannot be sent to another process .*, or use n_jobs=1"):
        featurize(TEXTS[:513], process_id, n_jobs=2)
    with pytest.raises(TypeError, match=r"use n_jobs=1 and no timeout"):
        featurize(TEXTS[:2], process_id, timeout=60)


@pytest.mark.slow
def test_molecules_that_crash_their_process_are_named_and_the_others_computed() -> None:
    texts = list(TEXTS)
    texts[70:71], texts[700], texts[701], texts[1999] = ["exit"], "segfault", "raise", "killed"
    for function in (obey, ObeyAtOnce()):
        features = featurize(texts, function, n_jobs=2, on_error="mask")
        assert reasons(features) == {
            70: "ended its process (exit status 3)",
            700: f"ended its process (signal {signal.SIGSEGV.value})",
            701: "ValueError: as requested",
            1999: f"ended its process (signal {signal.SIGKILL.value})",
        }
        assert features.dense()[features.ok].tolist() == [
            [len(text), 0.5] for row, text in enumerate(texts) if row not in reasons(features)
        ]
    with pytest.raises(FeatureError, match=r"row 70: no vector for 'exit': ended its process \(exit status 3\)"):
        featurize(texts, obey, n_jobs=2)
    assert children() == []


@pytest.mark.parametrize("function", [obey, ObeyAtOnce()], ids=["function", "transformer"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_molecules_that_hang_are_given_up(function: Any, n_jobs: int) -> None:
    texts = [*TEXTS[:20], "hang", *TEXTS[:5], "exit", "raise"]
    features = featurize(texts, function, n_jobs=n_jobs, timeout=1, on_error="drop")
    assert reasons(features) == {
        20: "took longer than 1 s",
        26: "ended its process (exit status 3)",
        27: "ValueError: as requested",
    }
    assert len(features) == 25
    assert children() == []


def test_a_pause_of_the_caller_does_not_count_as_time_of_a_molecule() -> None:
    def slow_caller(done: int, total: int) -> None:
        if done < 100:
            time.sleep(1.2)

    assert len(featurize(TEXTS[:200], bits, timeout=1, progress=slow_caller)) == 200


def test_a_molecule_of_a_thousand_atoms() -> None:
    from mrl.chem import ECFP6

    texts = ["C" * 1000, "CC"]
    features = featurize(texts, ECFP6, timeout=60)
    assert features.values.tolist() == [ECFP6(text).tolist() for text in texts]


def test_raise_names_the_first_row_in_whichever_process_it_fails() -> None:
    texts = list(TEXTS)
    for row in (1990, 1203, 660):
        texts[row] = "raise"
    for n_jobs in (1, 2, 3):
        with pytest.raises(FeatureError, match="row 660: no vector for 'raise': ValueError: as requested"):
            featurize(texts, obey, n_jobs=n_jobs)
    assert children() == []


def test_a_daemon_starts_no_process() -> None:
    def inside(connection: Any) -> None:
        import warnings

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            n = len(featurize(TEXTS, bits, n_jobs=2))
            n += len(featurize(TEXTS[:3], bits, timeout=5))
        connection.send((n, [str(w.message) for w in caught]))

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=inside, args=(theirs,), daemon=True)
    process.start()
    assert ours.poll(30)
    n, messages = ours.recv()
    process.join()
    assert n == len(TEXTS) + 3
    assert len(messages) == 1
    assert "timeout=5 has no effect: this process is a daemon" in messages[0]


def test_rows_that_are_not_utf8_are_named_before_processes_start() -> None:
    broken = Text(np.frombuffer(b"C\xff" * 600, np.uint8), np.arange(0, 1201, 2))
    with pytest.raises(RowError, match="which is not UTF-8"):
        featurize(broken, bits, n_jobs=2)


SCRIPT = """
import os, sys, time
from mrl.features import featurize

def slow(text):
    open(os.path.join({folder!r}, str(os.getpid())), "w").close()
    time.sleep(60)

if __name__ == "__main__":
    featurize(["C"] * 600, slow, n_jobs=2)
"""


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll for much less than the 60 s that a molecule of the script takes."""
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("the processes are in another state than expected")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_run_leaves_no_process(how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path / "pids")))
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_until(lambda: len(list((tmp_path / "pids").iterdir())) == 2)
    pids = list((tmp_path / "pids").iterdir())
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does: to every process of the group
    else:
        process.kill()
    _, errors = process.communicate(timeout=20)
    if how == signal.SIGINT:
        assert errors.count("Traceback") == 1, errors
        assert errors.rstrip().endswith("KeyboardInterrupt")
    wait_until(lambda: not any(Path(f"/proc/{pid.name}").exists() for pid in pids))


# --- progress --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_counts_every_row_once(n_jobs: int) -> None:
    calls: list[tuple[int, int]] = []
    featurize([*TEXTS, "raise"], obey, n_jobs=n_jobs, on_error="drop", progress=lambda *of: calls.append(of))
    assert calls[-1] == (len(TEXTS) + 1,) * 2
    assert calls == sorted(calls)
    assert len(calls) > 3
