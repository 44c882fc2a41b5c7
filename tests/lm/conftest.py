"""One thread: the steps of these models are so short that a second thread would only wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mrl.lm import one_thread


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield
