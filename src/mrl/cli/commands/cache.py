"""``mrl cache``: what a folder of features contains, and how to clear it."""

from __future__ import annotations

from mrl.cli.console import note, print_grid, print_json, success
from mrl.cli.options import CacheOptions
from mrl.features import cache_folder, cached, clear_cache
from mrl.messages import format_count


def show(options: CacheOptions) -> None:
    """Print molecules and size for each featurizer of a folder."""
    folder = options.folder or cache_folder()
    found = cached(folder)
    if options.json:
        print_json({"folder": str(folder), "featurizers": [one._asdict() for one in found]})
    elif not found:
        note(f"{folder} contains no features")
    else:
        rows = [(one.key, f"{one.molecules:,}", _size(one.bytes)) for one in found]
        print_grid(rows, ("featurizer", "molecules", "size"), numbers=(1, 2))
        note(f"{_size(sum(one.bytes for one in found))} in {folder}")


def clear(options: CacheOptions) -> None:
    """Remove what `show` shows."""
    folder = options.folder or cache_folder()
    removed = clear_cache(folder)
    if options.json:
        print_json({"folder": str(folder), "removed": [one._asdict() for one in removed]})
    elif removed:
        molecules = format_count(sum(one.molecules for one in removed), "molecule")
        success(f"removed {molecules}, {_size(sum(one.bytes for one in removed))}, from {folder}")
    else:
        note(f"{folder} contains no features")


def _size(n: int) -> str:
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if n >= unit:
            return f"{n / unit:,.1f} {name}"
    return format_count(n, "byte")
