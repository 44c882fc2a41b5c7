"""Progress is counted for a callback, and drawn only where a person sees it."""

from __future__ import annotations

import sys

import pytest

from mrl.progress import Progress, track


def run(progress: Progress, delay: float = 0.0) -> None:
    with track(progress, 2000, "rows", delay=delay) as advance:
        for _ in range(20):
            advance(100)


def test_a_callback_gets_every_step() -> None:
    calls: list[tuple[int, int]] = []
    run(lambda *of: calls.append(of))
    assert calls == [(done, 2000) for done in range(100, 2001, 100)]


def test_nothing_is_drawn_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for progress in (None, True, False):
        run(progress)
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    run(False)
    run(None, delay=60)
    assert capsys.readouterr() == ("", "")
    for progress in (None, True):
        run(progress)
        out, err = capsys.readouterr()
        assert out == ""
        assert "rows" in err
        assert "/2000" in err
