"""Molecules in files: reading tables of them, and the sample that comes with the package."""

from mrl.corpus._reading import read
from mrl.corpus._sample import load_sample
from mrl.corpus._table import Table

__all__ = ["Table", "load_sample", "read"]
