"""The rows of a file or a corpus for a summary, whatever their notation."""

from __future__ import annotations

from pathlib import Path

from mrl.cli.options import Notation, ReadingOptions
from mrl.cli.tables import read_file
from mrl.corpus import open_corpus
from mrl.errors import NotationError
from mrl.summary import Source


def read_source(path: Path, options: ReadingOptions) -> Source:
    """Return the rows of a file with all columns, or of a corpus; those that are not SMILES as they stand."""
    if path.is_dir():
        return Source.of(open_corpus(path), str(path))
    try:
        table = read_file(path, options, others=True)
    except NotationError as error:
        if options.notation is not None or error.notation not in ("selfies", "protein", "nucleotide"):
            raise
        table = read_file(path, options, others=True, notation=Notation(error.notation))
    return Source.of(table, str(path))
