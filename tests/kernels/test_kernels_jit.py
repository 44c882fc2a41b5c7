"""When numba is imported, what runs without it, and how rows are cut into slices."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from mrl import kernels
from mrl.kernels.jit import LARGE_CALL, compiled, map_slices

needs_numba = pytest.mark.skipif(not kernels.numba_available(), reason="numba is not installed, or switched off")

SCRIPT = """
import sys, warnings
import numpy as np
from mrl import RegexVocab, kernels
from mrl.kernels.jit import LARGE_CALL

def run(n):
    vocab = RegexVocab(["C", "Cl"], "Cl|.")
    ids = vocab.encode(["CClC"] * n)
    assert ids.values.tolist() == [0, 4, 5, 4, 1] * n
    assert vocab.decode(ids) == ["CClC"] * n
    return "numba" in sys.modules

def pad(n):
    offsets, rows = np.arange(n + 1), np.arange(n)
    kernels.max_length(offsets, rows)
    assert kernels.pad(offsets, offsets, rows, 2, 2, left=False, with_next=False)[0][-1].tolist() == [n - 1, 2]
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


@pytest.mark.slow
@needs_numba
def test_only_large_calls_import_numba() -> None:
    sizes = [0, 1, LARGE_CALL["python"] // 6, LARGE_CALL["python"] // 5 + 1]  # 4 bytes, 5 ids, 1 row
    assert python(f"print('numba' in sys.modules, [run(n) for n in {sizes}])") == "False [False, False, False, True]"
    sizes = [1, 2, LARGE_CALL["numpy"] // 2 - 1, LARGE_CALL["numpy"] // 2]
    assert python(f"print([pad(n) for n in {sizes}])") == "[False, False, False, True]"


@pytest.mark.slow
@needs_numba
def test_earlier_small_calls_change_nothing_but_expected_ones_do() -> None:
    assert python("print({run(1000) for _ in range(200)})") == "{False}"
    expect = f"kernels.expect_calls({LARGE_CALL['numpy'] - 1}); print(run(1), end=' ');"
    assert python(f"{expect} kernels.expect_calls({LARGE_CALL['numpy']}); print(run(1))") == "False True"
    in_python = f"kernels.expect_calls({LARGE_CALL['python']}, fallback='python')"
    assert python(
        f"kernels.expect_calls({LARGE_CALL['python']}); print(run(1), end=' '); {in_python}; print(run(1))"
    ) == ("False True")


def test_large_calls_without_machine_code_are_right_and_report_it() -> None:
    script = """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert kernels.numba_available() is False
    imported = run(20_000) or pad(3_000_000)
print(imported, {w.category.__name__ for w in caught}, "pip install numba" in str(caught[0].message))
"""
    assert python(script, NUMBA_DISABLE_JIT="1") == "False {'RuntimeWarning'} True"
    hide = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "numba" else find(name)
"""
    assert python(hide + script) == "False {'RuntimeWarning'} True"


def double(x: int) -> int:
    return helper(x)


def helper(x: int) -> int:
    return 2 * x


@needs_numba
def test_once_numba_is_imported_calls_of_any_size_are_compiled() -> None:
    import numba  # noqa: F401

    kernel = compiled(double, 10, fallback="python")
    assert kernel is not None
    assert kernel is compiled(double, 0, fallback="numpy")
    assert kernel(4) == 8  # together with the helper in its file


def test_a_numba_that_cannot_be_imported_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def kernel() -> None: ...

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "numba", None)
    assert compiled(kernel, LARGE_CALL["numpy"], fallback="numpy") is None


def test_a_numba_that_is_not_installed_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    kernels.numba_available.cache_clear()
    assert not kernels.numba_available()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiled(double, 10, fallback="python") is None
        assert compiled(double, 10**9, fallback="numpy") is None
        with pytest.raises(RuntimeWarning, match=r"500,000 elements .* pip install numba"):
            compiled(double, 500_000, fallback="python")
    kernels.numba_available.cache_clear()


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0], [5], [1] * 10, [100, 0, 0, 1, 1], [0, 1, 100, 1, 0]])
@pytest.mark.parametrize("slices", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("threads", [1, 2])
def test_slices_are_all_rows_once_in_order(lengths: list[int], slices: int, threads: int) -> None:
    offsets = np.cumsum([7, *lengths])
    found = map_slices(lambda first, last: list(range(first, last)), offsets, slices, threads)
    assert [row for rows in found for row in rows] == list(range(len(lengths)))
    assert 1 <= len(found) <= max(slices, 1)


def test_slices_hold_about_as_many_values_each() -> None:
    offsets = np.concatenate([[0], np.cumsum(np.r_[np.full(100, 9), np.full(900, 1)])])
    sizes = map_slices(lambda first, last: int(offsets[last] - offsets[first]), offsets, 4, 2)
    assert max(sizes) - min(sizes) <= 18
