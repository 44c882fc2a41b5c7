"""Figures and pages about molecules: figures as SVG, pages as one self-contained HTML file.

>>> from mrl.report import Section, distributions, figure, page
>>> drawing = distributions("tokens per molecule", {"data": [5, 6, 9]})
>>> text = page("Lengths", "of three molecules", [Section("One", figure(drawing, "Tokens"))])
>>> "<svg" in text and "<script" not in text
True
"""

from mrl.report.comparison import properties
from mrl.report.curves import loss, rounds
from mrl.report.data.page import DataReport, data_report
from mrl.report.demo import DemoReport, shown_rows
from mrl.report.distributions import distributions, token_frequencies
from mrl.report.drawing import Drawing
from mrl.report.gallery import show
from mrl.report.html import Section, Tile, code, columns, command, figure, page, paragraph, table, tiles
from mrl.report.improvement import ImproveReport, score_course
from mrl.report.model.figures import parity, roc
from mrl.report.model.page import PropertyReport
from mrl.report.molecules import molecule_grid
from mrl.report.picture import Picture

__all__ = [
    "DataReport",
    "DemoReport",
    "Drawing",
    "ImproveReport",
    "Picture",
    "PropertyReport",
    "Section",
    "Tile",
    "code",
    "columns",
    "command",
    "data_report",
    "distributions",
    "figure",
    "loss",
    "molecule_grid",
    "page",
    "paragraph",
    "parity",
    "properties",
    "roc",
    "rounds",
    "score_course",
    "show",
    "shown_rows",
    "table",
    "tiles",
    "token_frequencies",
]
