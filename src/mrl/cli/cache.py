"""``mrl cache``: what a folder of features holds; and to have its space back."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table as Grid
from rich.text import Text

from mrl.cli.console import note, out, reported, success, write_json
from mrl.cli.tables import count
from mrl.features import cache_folder, cached, clear_cache

__all__ = ["clear", "show"]


def show(folder: Path | None, json: bool) -> None:
    """Print molecules and size for each featurizer in `folder`."""
    folder = cache_folder() if folder is None else folder
    with reported():
        found = cached(folder)
        if json:
            write_json({"folder": str(folder), "featurizers": [one._asdict() for one in found]})
            return
        if not found:
            note(f"{folder} holds no features")
            return
        grid = Grid(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        grid.add_column("featurizer")
        grid.add_column("molecules", justify="right")
        grid.add_column("size", justify="right")
        for one in found:
            grid.add_row(Text(one.key), f"{one.molecules:,}", _size(one.bytes))
        out.print(grid)
        note(f"{_size(sum(one.bytes for one in found))} in {folder}")


def clear(folder: Path | None) -> None:
    """Remove what `show` shows."""
    folder = cache_folder() if folder is None else folder
    with reported():
        removed = clear_cache(folder)
        if removed:
            molecules = count(sum(one.molecules for one in removed), "molecule")
            success(f"removed {molecules}, {_size(sum(one.bytes for one in removed))}, from {folder}")
        else:
            note(f"{folder} holds no features")


def _size(n: int) -> str:
    """``272 bytes``, ``1.5 MB``."""
    return next(
        (f"{n / unit:,.1f} {name}" for unit, name in ((10**9, "GB"), (10**6, "MB")) if n >= unit), f"{n:,} bytes"
    )
