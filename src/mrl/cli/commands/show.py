"""``mrl show``: drawings of the molecules of a file as a page."""

from __future__ import annotations

from dataclasses import replace

from mrl.cli.console import print_json, success
from mrl.cli.options import ShowOptions
from mrl.cli.tables import read_table, require_writable, save_rejects
from mrl.messages import format_count
from mrl.report import show


def run(options: ShowOptions) -> None:
    """Draw some rows, the first ones or random ones, with their other columns."""
    require_writable(options.out, options.rejects, inputs=[options.file])
    table = read_table(options.file, options, others=True)
    picture = show(table, options.n, labels=options.label or None, seed=options.seed)
    shown = min(options.n, len(table))
    rows = format_count(len(table), "row")
    title = f"{rows if shown == len(table) else f'{shown:,} of {rows}'} of {options.file.name}"
    replace(picture, title=title).save(options.out)
    save_rejects(table.rejects, options.rejects)
    success(f"wrote {format_count(shown, 'drawing')} of {format_count(len(table), 'row')} to {options.out}")
    if options.json:
        print_json({"path": str(options.out), "rows": len(table), "not_read": len(table.rejects), "shown": shown})
