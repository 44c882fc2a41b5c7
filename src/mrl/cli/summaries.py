"""The rows of a file or a corpus for a summary, whatever their notation."""

from __future__ import annotations

from pathlib import Path

from mrl.cli.options import ReadingOptions
from mrl.cli.tables import reading_options
from mrl.corpus import open_corpus
from mrl.summary import Blocks


def read_blocks_of(path: Path, options: ReadingOptions) -> Blocks:
    """Return the rows of a file with all columns, or of a corpus; those that are not SMILES as they stand."""
    if path.is_dir():
        return Blocks.of(open_corpus(path), str(path))
    reading = reading_options(options)
    return Blocks.read(path, str(path), smiles=options.smiles_column, format=options.format, options=reading)
