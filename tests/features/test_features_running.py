"""featurize in processes: the same rows, and molecules that hang, die, or are interrupted."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrl.errors import FeatureError, RowError
from mrl.features import featurize
from mrl.features import running as running_module
from mrl.features import worker as worker_module
from mrl.ragged import Text


def bits(text: str) -> Any:
    return np.array([len(text) & 1, len(text) & 2 > 0, "O" in text] * 5, np.uint8)


def moody(text: str) -> list[float]:
    """Does what the text says."""
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
        raise ValueError("as it was told")
    if text == "longer":
        return [1.0] * 3
    return [len(text), 0.5]


class Moody:
    """The same, all at once."""

    def transform(self, X: list[str]) -> Any:
        return np.array([moody(text) for text in X])


class Second:
    """Ends its process at the second molecule that the process is asked for, whichever it is."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, text: str) -> list[int]:
        self.asked += 1
        if self.asked == 400:
            os._exit(1)
        return [len(text)]


def told(features: Any) -> dict[int, str]:
    return {reject.row: reject.reason for reject in features.rejects}


def children() -> list[Any]:
    return multiprocessing.active_children()


TEXTS = ["C" * (i % 9 + 1) + "O" * (i % 4) for i in range(2000)]


@pytest.mark.parametrize("function", [bits, moody, Moody()], ids=["bits", "function", "transformer"])
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


def test_few_molecules_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "Worker", None)
    assert len(featurize(TEXTS[:512], lambda text: [1], n_jobs=2)) == 512
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        featurize(TEXTS[:513], bits, n_jobs=2)


def test_molecules_that_end_their_process_are_named_and_the_others_computed() -> None:
    texts = list(TEXTS)
    texts[70:71], texts[700], texts[701], texts[1999] = ["exit"], "segfault", "raise", "killed"
    for function in (moody, Moody()):
        features = featurize(texts, function, n_jobs=2, on_error="mask")
        assert told(features) == {
            70: "ended its process (exit status 3)",
            700: f"ended its process (signal {signal.SIGSEGV.value})",
            701: "ValueError: as it was told",
            1999: f"ended its process (signal {signal.SIGKILL.value})",
        }
        assert features.dense()[features.ok].tolist() == [
            [len(text), 0.5] for row, text in enumerate(texts) if row not in told(features)
        ]
    with pytest.raises(FeatureError, match=r"row 70: no vector for 'exit': ended its process \(exit status 3\)"):
        featurize(texts, moody, n_jobs=2)
    assert children() == []


def test_what_a_process_did_before_is_not_the_molecules_fault() -> None:
    features = featurize(TEXTS, Second(), n_jobs=2)
    assert features.dense()[:, 0].tolist() == [len(text) for text in TEXTS]


@pytest.mark.parametrize("function", [moody, Moody()], ids=["function", "transformer"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_molecules_that_hang_are_ended(function: Any, n_jobs: int) -> None:
    texts = [*TEXTS[:20], "hang", *TEXTS[:5], "exit", "raise"]
    began = time.monotonic()
    features = featurize(texts, function, n_jobs=n_jobs, timeout=0.15, on_error="drop")
    assert time.monotonic() - began < 10
    assert told(features) == {
        20: "took longer than 0.15 s",
        26: "ended its process (exit status 3)",
        27: "ValueError: as it was told",
    }
    assert len(features) == 25
    assert children() == []


def test_a_pause_of_the_caller_is_not_the_molecules_time() -> None:
    def slow_caller(done: int, total: int) -> None:
        if done < 100:
            time.sleep(0.5)

    assert len(featurize(TEXTS[:200], bits, timeout=0.2, progress=slow_caller)) == 200


def test_a_molecule_of_three_thousand_atoms() -> None:
    from mrl.chem import ECFP6

    texts = ["C" * 3000, "CC"]
    features = featurize(texts, ECFP6, timeout=60)
    assert features.values.tolist() == [ECFP6(text).tolist() for text in texts]


def test_raise_names_the_first_row_whoever_finds_it_first() -> None:
    texts = list(TEXTS)
    for row in (1990, 1203, 660):
        texts[row] = "raise"
    for n_jobs in (1, 2, 3):
        with pytest.raises(FeatureError, match="row 660: no vector for 'raise': ValueError: as it was told"):
            featurize(texts, moody, n_jobs=n_jobs)
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
    n, said = ours.recv()
    process.join()
    assert n == len(TEXTS) + 3
    assert len(said) == 1
    assert "timeout=5 is not kept: this process is a daemon" in said[0]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_start_methods(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "process_context", lambda: multiprocessing.get_context(method))
    features = featurize(["C" * 30, "hang it", "N"], len, timeout=20)
    assert features.values.tolist() == [[30], [7], [1]]


def test_fork_unless_cuda_was_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cuda:
        @staticmethod
        def is_initialized() -> bool:
            return True

    class Torch:
        cuda = Cuda

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert worker_module.process_context().get_start_method() == "fork"
    monkeypatch.setitem(sys.modules, "torch", Torch)  # type: ignore[arg-type]
    assert worker_module.process_context().get_start_method() == "forkserver"


def test_a_process_that_does_not_come_up_blames_no_molecule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_serve", lambda *_: os._exit(7))
    with pytest.raises(RuntimeError, match=r"ended as it started \(exit status 7\).*__main__"):
        featurize(TEXTS, bits, n_jobs=2, on_error="mask")
    assert children() == []


def test_what_is_no_text_is_named_before_processes_start() -> None:
    broken = Text(np.frombuffer(b"C\xff" * 600, np.uint8), np.arange(0, 1201, 2))
    with pytest.raises(RowError, match="which is no UTF-8"):
        featurize(broken, bits, n_jobs=2)


SCRIPT = """
import os, sys, time
from mrl.features import featurize

def slow(text):
    open(os.path.join({folder!r}, str(os.getpid())), "w").close()
    time.sleep(60)

if __name__ == "__main__":
    print("begun", flush=True)
    featurize(["C"] * 600, slow, n_jobs=2)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_run_leaves_no_process(how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path / "pids")))
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while len(pids := list((tmp_path / "pids").iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does: to every process of the group
    else:
        process.kill()
    _, said = process.communicate(timeout=20)
    if how == signal.SIGINT:
        assert said.count("Traceback") == 1, said
        assert said.rstrip().endswith("KeyboardInterrupt")
    while any(Path(f"/proc/{pid.name}").exists() for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- progress --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_counts_every_row_once(n_jobs: int) -> None:
    calls: list[tuple[int, int]] = []
    featurize([*TEXTS, "raise"], moody, n_jobs=n_jobs, on_error="drop", progress=lambda *of: calls.append(of))
    assert calls[-1] == (len(TEXTS) + 1,) * 2
    assert calls == sorted(calls)
    assert len(calls) > 3


def test_a_line_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from mrl.features import progress as module

    monkeypatch.setattr(module, "PATIENCE", 0.0)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    featurize(TEXTS, bits)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    featurize(TEXTS, bits, progress=False)
    assert capsys.readouterr().err == ""
    featurize(TEXTS, bits)
    said = capsys.readouterr().err
    assert "2,000 of 2,000 (100%)" in said
    assert said.endswith("\r\x1b[K")
    monkeypatch.setattr(module, "PATIENCE", 2.0)
    featurize(TEXTS, bits)
    assert capsys.readouterr().err == ""
