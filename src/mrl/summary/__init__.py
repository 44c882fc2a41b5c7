"""What is in a file of molecules, as numbers: `mrl inspect` prints them, and `mrl report` draws them.

>>> from mrl.summary import summarize
>>> found = summarize(["CCO", "OCC", "c1ccccc1", "C("])
>>> found.same_molecule.extra, found.n_invalid, found.scaffolds.distinct
(1, 1, 1)
"""

from mrl.summary.columns import ColumnFacts, column_facts, spread
from mrl.summary.correlations import Correlations, correlations
from mrl.summary.duplicates import Conflicts, Disagreement, Duplicates, Repeated
from mrl.summary.findings import findings
from mrl.summary.parts import Overlap, Parts
from mrl.summary.rejections import RejectKind, reject_kinds
from mrl.summary.source import Blocks, Source
from mrl.summary.summarize import SampleSizes, summarize
from mrl.summary.summary import Lengths, Scaffolds, Summary
from mrl.summary.tokens import TokenFacts, token_facts

__all__ = [
    "Blocks",
    "ColumnFacts",
    "Conflicts",
    "Correlations",
    "Disagreement",
    "Duplicates",
    "Lengths",
    "Overlap",
    "Parts",
    "RejectKind",
    "Repeated",
    "SampleSizes",
    "Scaffolds",
    "Source",
    "Summary",
    "TokenFacts",
    "column_facts",
    "correlations",
    "findings",
    "reject_kinds",
    "spread",
    "summarize",
    "token_facts",
]
