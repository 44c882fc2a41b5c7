"""Files of molecules as tables.

One path for every format: a *source* gives bytes (`sources`), a `TableFile` cuts them into blocks of rows of cells
(`table_file`; `delimited`, `smiles_list`, `columnar`), and each block becomes columns and rejects by itself
(`convert`, `cells`). `read` collects the blocks of all files in one `Table`.
"""

from mrl.corpus.reading.options import ReadOptions
from mrl.corpus.reading.places import Source, find_sources
from mrl.corpus.reading.reader import read, read_blocks

__all__ = ["ReadOptions", "Source", "find_sources", "read", "read_blocks"]
