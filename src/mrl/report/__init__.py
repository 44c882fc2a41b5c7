"""Pictures of a data set and of a run: figures as SVG, pages as one self-contained HTML file.

>>> from mrl.report import Section, figure, lengths, page
>>> text = page("Lengths", "of three molecules", [Section("One", figure(lengths({"data": [5, 6, 9]}), "Tokens"))])
>>> "<svg" in text and "<script" not in text
True
"""

from mrl.report.curves import loss, rounds
from mrl.report.demo import DemoReport, Round, Screening, demo_report
from mrl.report.distributions import lengths, property_distribution, token_frequencies
from mrl.report.html import Section, Tile, columns, command, figure, page, paragraph, part, table, tiles, write
from mrl.report.molecules import molecule_grid
from mrl.report.picture import Cell, Picture
from mrl.report.properties_figure import properties
from mrl.report.showing import show

__all__ = [
    "Cell",
    "DemoReport",
    "Picture",
    "Round",
    "Screening",
    "Section",
    "Tile",
    "columns",
    "command",
    "demo_report",
    "figure",
    "lengths",
    "loss",
    "molecule_grid",
    "page",
    "paragraph",
    "part",
    "properties",
    "property_distribution",
    "rounds",
    "show",
    "table",
    "tiles",
    "token_frequencies",
    "write",
]
