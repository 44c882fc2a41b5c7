"""A dataset cut into parts; `split` has the rules, `dealing` and `sorting` how rows are chosen."""

from mrl.data.splitting.split import count_rows, require_rows, split, split_rows

__all__ = ["count_rows", "require_rows", "split", "split_rows"]
