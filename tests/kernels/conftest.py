"""Every test of a kernel runs twice: as machine code, and by its fallback."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from mrl import kernels


@pytest.fixture(params=["fallback", *(["compiled"] if kernels.numba_available() else [])], scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        if request.param == "compiled":
            import numba  # noqa: F401  # from now on, calls of any size are compiled
        else:
            warnings.simplefilter("ignore", RuntimeWarning)  # large calls report that they are slow
            patch.setenv("NUMBA_DISABLE_JIT", "1")
        kernels.numba_available.cache_clear()
        assert kernels.numba_available() == (request.param == "compiled")
        yield request.param
    kernels.numba_available.cache_clear()
