"""When numba is imported, what runs without it, and how rows are shared out."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest

from mrl import kernels
from mrl.kernels import _jit
from mrl.kernels._jit import in_slices

needs_numba = pytest.mark.skipif(not kernels.available(), reason="numba is not installed, or switched off")

SCRIPT = """
import sys, warnings
import numpy as np
from mrl import kernels
from mrl.text._engine import Engine, decode
from mrl.ragged import Text

def run(n):
    ids = Engine("Cl|.", {"C": 4, "Cl": 5}, n_ids=6).encode(Text.of(["CClC"] * n)).ids
    assert ids.values.tolist() == [0, 4, 5, 4, 1] * n
    assert decode(ids, [b"", b"", b"", b"", b"C", b"Cl"], b"").tolist() == ["CClC"] * n
    return "numba" in sys.modules
"""


def python(script: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_numba
def test_only_bulk_work_waits_for_numba() -> None:
    assert (
        python("print('numba' in sys.modules, run(0), run(1), run(1999), run(2000))") == "False False False False True"
    )


def test_bulk_work_without_machine_code_is_right_and_says_so() -> None:
    script = """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert kernels.available() is False
    loaded = run(3000)
print(loaded, {w.category.__name__ for w in caught}, "pip install numba" in str(caught[0].message))
"""
    assert python(script, NUMBA_DISABLE_JIT="1") == "False {'RuntimeWarning'} True"
    hide = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "numba" else find(name)
"""
    assert python(hide + script) == "False {'RuntimeWarning'} True"


@needs_numba
def test_what_is_loaded_serves_small_work_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def double(x: int) -> int:
        return 2 * x

    monkeypatch.setattr(_jit, "_loaded", {})
    byte, word = np.dtype("uint8"), np.dtype("uint16")
    assert _jit.compiled(double, byte, rows=10, values=10) is None
    kernel = _jit.compiled(double, byte, rows=10, values=1 << 20)  # one long row is bulk, too
    assert kernel is not None
    assert _jit.compiled(double, byte, rows=1, values=1) is kernel
    assert _jit.compiled(double, word, rows=1, values=1) is None  # would have to be compiled again


def test_small_work_that_adds_up_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def double(x: int) -> int:
        return 2 * x

    byte, word = np.dtype("uint8"), np.dtype("uint16")
    monkeypatch.setattr(_jit, "_loaded", {})
    monkeypatch.setattr(_jit, "_done", {})
    monkeypatch.setattr(_jit, "_compile", lambda function: function)
    monkeypatch.setattr(_jit, "available", lambda: True)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    assert [_jit.compiled(double, byte, 1000, 0) is None for _ in range(41)] == [True] * 39 + [False] * 2
    assert _jit.compiled(double, word, 1000, 0, ahead=127_999, slow=False) is None
    assert _jit.compiled(double, word, 1000, 0, ahead=128_000, slow=False) is not None
    monkeypatch.setitem(sys.modules, "numba", types.ModuleType("numba"))  # then there is less to wait for
    monkeypatch.setattr(_jit, "_loaded", {})
    monkeypatch.setattr(_jit, "_done", {})
    assert [_jit.compiled(double, byte, 400, 0) is None for _ in range(26)] == [True] * 24 + [False] * 2
    assert _jit.compiled(double, word, 500, 0) is not None


def test_a_cache_that_cannot_be_written_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit(nogil: bool, cache: bool = False) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: ("compiled", function)

    monkeypatch.setitem(sys.modules, "numba", types.SimpleNamespace(njit=njit))
    assert _jit._compile(len) == ("compiled", len)


def test_a_numba_that_cannot_be_imported_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert _jit._compile(len) is None


def test_a_numba_that_is_not_there_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not kernels.available()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _jit.compiled(len, np.dtype("uint8"), rows=10, values=10) is None
        with pytest.raises(RuntimeWarning, match=r"5,000 rows .* pip install numba"):
            _jit.compiled(len, np.dtype("uint8"), rows=5000, values=10)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0], [5], [1] * 10, [100, 0, 0, 1, 1], [0, 1, 100, 1, 0]])
@pytest.mark.parametrize("slices", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("threads", [1, 2])
def test_slices_are_all_rows_once_in_order(lengths: list[int], slices: int, threads: int) -> None:
    offsets = np.cumsum([7, *lengths])
    found = in_slices(lambda first, last: list(range(first, last)), offsets, slices, threads)
    assert [row for rows in found for row in rows] == list(range(len(lengths)))
    assert 1 <= len(found) <= max(slices, 1)


def test_slices_hold_about_as_many_values_each() -> None:
    offsets = np.concatenate([[0], np.cumsum(np.r_[np.full(100, 9), np.full(900, 1)])])
    sizes = in_slices(lambda first, last: int(offsets[last] - offsets[first]), offsets, 4, 2)
    assert max(sizes) - min(sizes) <= 18
