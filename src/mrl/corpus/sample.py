"""The sample of molecules that comes with the package."""

from __future__ import annotations

from importlib import resources

from mrl.corpus.reading import read
from mrl.corpus.table import Table


def load_sample() -> Table:
    """Read the sample: 21,000 drug-like molecules made for this package, 636 well-known drugs among them.

    The molecules are products of virtual reactions of common building blocks (``scripts/make_sample.py``), the drugs
    were written down by hand. Every SMILES is RDKit-canonical and different from all others; the order is shuffled.

    Returns
    -------
    Table
        Columns ``smiles``, ``name`` (of a drug; blank for the others) and four computed labels, float64: ``mw``
        (average weight, g/mol), ``logp`` (Crippen), ``tpsa`` (Å²), ``qed``.

    Examples
    --------
    >>> sample = load_sample()
    >>> len(sample) > 20_000, sample.targets, sample.y.shape == (len(sample), 4)
    (True, ('mw', 'logp', 'tpsa', 'qed'), True)
    """
    with resources.as_file(resources.files("mrl.corpus") / "sample.csv.bz2") as path:
        return read(path, targets=("mw", "logp", "tpsa", "qed"), id="name")
