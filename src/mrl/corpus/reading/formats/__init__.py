"""The readers of single files, a module for each format; `open_table_file` chooses one."""

from mrl.corpus.reading.formats.choose import open_table_file

__all__ = ["open_table_file"]
