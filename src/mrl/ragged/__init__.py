"""Rows of different lengths in two flat arrays, texts as such rows, columns of other libraries, and rejected rows."""

from mrl.ragged.ascii_rows import AsciiRows, NotAsciiError
from mrl.ragged.columns import (
    Column,
    MoleculeTable,
    RaggedColumn,
    TokenizedColumn,
    as_list,
    as_molecules,
    concat_lines,
    is_column,
    is_missing,
)
from mrl.ragged.flat import row_numbers
from mrl.ragged.intake import as_array, as_column
from mrl.ragged.labels import IGNORED, PART_NAMES, PART_OF_NAME, SPLIT_RULES, as_labels, class_codes, part_of
from mrl.ragged.ragged import Ragged
from mrl.ragged.rejects import OnError, Reject, Rejects, require_on_error
from mrl.ragged.tables import Tabular, arrow_table
from mrl.ragged.text import Text, as_text
from mrl.ragged.vectors import FeaturizedColumn, StoredVectors

__all__ = [
    "IGNORED",
    "PART_NAMES",
    "PART_OF_NAME",
    "SPLIT_RULES",
    "AsciiRows",
    "Column",
    "FeaturizedColumn",
    "MoleculeTable",
    "NotAsciiError",
    "OnError",
    "Ragged",
    "RaggedColumn",
    "Reject",
    "Rejects",
    "StoredVectors",
    "Tabular",
    "Text",
    "TokenizedColumn",
    "arrow_table",
    "as_array",
    "as_column",
    "as_labels",
    "as_list",
    "as_molecules",
    "as_text",
    "class_codes",
    "concat_lines",
    "is_column",
    "is_missing",
    "part_of",
    "require_on_error",
    "row_numbers",
]
