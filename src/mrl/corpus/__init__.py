"""Tables of molecules: read from files, and the sample that comes with the package."""

from mrl.corpus.reading import read
from mrl.corpus.sample import load_sample
from mrl.corpus.table import Table

__all__ = ["Table", "load_sample", "read"]
