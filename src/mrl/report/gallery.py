"""`show`: some rows of anything that holds molecules, drawn with their labels."""

from __future__ import annotations

import operator
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from textwrap import wrap
from typing import Any

import numpy as np

from mrl.chem import Cleaned, Leaks, Metrics, to_mol
from mrl.errors import ColumnError, MoleculeError
from mrl.formatting import format_number
from mrl.messages import did_you_mean, format_count, format_names
from mrl.report.drawing import Canvas
from mrl.report.molecules import Size, draw_or_write, smiles_or_empty
from mrl.report.picture import Picture
from mrl.report.rows import MoleculeRows

_MOST_OF_BLOCK = 6  # texts of a block that are drawn
_BLOCK_COLUMNS = 3
_MOST_LABELS = 4  # columns below a drawing, if none are named
_MOST_VALUES = 12  # of a row of a column with several values
_CAPTION_WIDTH = 220
_SIZES: dict[str, Size] = {"block": (150, 110), "pair": (190, 150), "reject": (_CAPTION_WIDTH, 100)}
_CAPTION_CHARACTERS = 32
_LONG_NUMBER = re.compile(r"[-+]?\d+\.\d{7,}")  # written with the digits of its rounding error
_LINE_HEIGHT = 17
_ARROW_WIDTH = 32


def show(
    data: object,
    n: int = 12,
    columns: int | None = None,
    *,
    labels: str | Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    seed: int | None = None,
) -> Picture:
    """Draw some rows, each with its number and its labels.

    Parameters
    ----------
    data : dataset, Table, column of str or Mol, str, Rejects, Cleaned, Metrics or Leaks
        Pairs are drawn side by side, blocks with their texts in a row, rejects with the reason; the last three are
        tables. An invalid molecule or a text of another grammar (SELFIES, a protein) is shown as text, with a note.
    n : int
        How many rows.
    columns : int, optional
        The most cells side by side: 4 if not given, 2 for pairs, 1 for blocks.
    labels : str or sequence of str, optional
        Names of the columns to write below each drawing; the first 4 if not given.
    captions : sequence of str, optional
        One line for each row of the data, to write below its drawing.
    seed : int, optional
        Choose the rows at random, the same ones for the same seed; the first n if not given.

    Returns
    -------
    Picture
        Drawings that a notebook displays and `Picture.save` writes to an ``.html``, ``.svg`` or ``.png`` file.

    Raises
    ------
    TypeError
        `data` holds no molecules, or is a table of another library: give one of its columns.
    ColumnError
        A name in `labels` is not a column, or the captions are not as many as the rows.
    ValueError
        `n` is negative, or `columns` is less than 1.

    Examples
    --------
    >>> show(["CCO", "c1ccccc1", "C("])
    Picture(3 molecules): a notebook draws it; elsewhere .save("picture.html") or .save("picture.svg")
    >>> from mrl.data import TextPredictionDataset
    >>> from mrl.text import SmilesVocab
    >>> ds = TextPredictionDataset(["CCO", "CC"], [0.5, None], SmilesVocab())
    >>> [cell.label for cell in show(ds).cells]
    ['row 0: CCO; y_vals 0.50', 'row 1: CC; y_vals –']
    >>> show(["CCO"], captions=["ethanol"]).cells[0].label
    'row 0: CCO; ethanol'
    """
    if isinstance(data, Metrics | Leaks | Cleaned):
        return Picture(type(data).__name__, table=data._repr_html_())
    n = operator.index(n)
    if n < 0 or (columns is not None and columns < 1):
        raise ValueError(f"n={n}, columns={columns}: expected 0 rows or more, and 1 column or more")
    source = MoleculeRows.of(data)
    names = _label_names(labels, source)
    if captions is not None:
        if len(captions) != len(source):
            found = f"{format_count(len(captions), 'caption')} for {format_count(len(source), source.noun)}"
            raise ColumnError(f"{found}: give one for each", column="captions")
        source, names = replace(source, values={**source.values, "": captions}), [*names, ""]
    rows = choose_rows(len(source), n, seed)
    title = format_count(len(source), source.noun) + (f" of {source.owner}" if source.owner else "")
    note = ""
    if len(rows) < len(source):
        title = f"{len(rows):,} of {title}"
        note = "" if seed is None else f"drawn at random with seed {seed}"
    cells = [_Cell(source, row, names) for row in rows]
    height = max((cell.height for cell in cells), default=0)
    width = max((cell.width for cell in cells), default=0)
    drawings = tuple(cell.canvas.drawing(width, height, cell.label) for cell in cells)
    drawn = tuple(molecule for cell in cells for molecule in cell.molecules)
    across = columns or {"block": 1, "pair": 2}.get(source.noun, 4)
    return Picture(title, note, drawings, across, molecules=drawn)


def choose_rows(total: int, n: int, seed: int | None) -> list[int]:
    """Return `n` of `total` rows in ascending order: the first ones, or chosen at random."""
    if seed is None or n >= total:
        return list(range(min(n, total)))
    return sorted(random.Random(seed).sample(range(total), n))


class _Cell:
    """A row: its molecules side by side, and the caption below."""

    def __init__(self, source: MoleculeRows, row: int, names: Sequence[str]) -> None:
        molecules, warning, title = source.molecules(row), source.warning(row), source.title(row)
        drawn = molecules[: _MOST_OF_BLOCK if source.noun == "block" else None]
        values = [(name, text) for name in names if (text := _format_value(source.values[name][row]))]
        caption = [(title, "ink"), *((_fit(name, text), "ink") for name, text in values)]
        if len(molecules) > len(drawn):
            caption.append((f"{len(molecules)} texts, of which {len(drawn)} are drawn", "muted"))
        below = "\n".join(line for line, _ in caption)
        self.molecules = [_for_png(*one, "" if i else below) for i, one in enumerate(drawn)]
        lines = wrap(warning, _CAPTION_CHARACTERS - 1, max_lines=3, placeholder=" …")
        caption += [(line, "error") for line in lines]
        shown = (" " if source.noun == "block" else " → ").join(smiles_or_empty(x) for x, _ in molecules)
        self.label = "; ".join(
            [
                f"{title}: {shown}",
                *(f"{name} {text}".lstrip() for name, text in values),
                *([warning] if warning else []),
            ]
        )

        size = _SIZES.get(source.noun, (_CAPTION_WIDTH, 160))
        columns, gap = (_BLOCK_COLUMNS, 8) if source.noun == "block" else (len(drawn), _ARROW_WIDTH)
        self.canvas = Canvas()
        for i, (molecule, grammar) in enumerate(drawn):
            x, y = i % columns * (size[0] + gap), i // columns * (size[1] + gap)
            if i and source.noun == "pair":
                self._arrow(x - gap, size[1] / 2)
            body = draw_or_write(molecule, size, grammar=grammar, with_reason=source.noun != "reject")
            self.canvas.place(body, x, y)
        self.width = min(max(1, len(drawn)), columns) * (size[0] + gap) - gap
        bottom = -(-len(drawn) // columns) * (size[1] + gap) - gap
        self.height = bottom + 8 + len(caption) * _LINE_HEIGHT
        for i, (line, color) in enumerate(caption):
            y, width = bottom + 14 + i * _LINE_HEIGHT, max(self.width, _CAPTION_WIDTH)
            self.canvas.text(self.width / 2, y, line, color=color, bold=i == 0, align="middle", width=width)

    def _arrow(self, x: float, y: float) -> None:
        tip = x + _ARROW_WIDTH - 7
        self.canvas.line([(x + 6, y), (tip, y), (tip - 6, y - 5), (tip, y), (tip - 6, y + 5)], color="muted")


def _label_names(labels: str | Sequence[str] | None, source: MoleculeRows) -> list[str]:
    if labels is None:
        return list(source.values)[:_MOST_LABELS]
    names = [labels] if isinstance(labels, str) else list(labels)
    for name in names:
        if name not in source.values:
            raise ColumnError(
                f"there is no column {name!r} to label the rows with{did_you_mean(name, source.values)}; "
                f"there is {format_names(source.values) or 'none'}",
                column=name,
            )
    return names


def _for_png(molecule: Any, grammar: str, caption: str) -> tuple[Any, str]:
    """Return a molecule and its caption; of what is not drawn, nothing and a caption with its text."""
    try:
        if not grammar:
            to_mol(molecule)
            return molecule, caption
        what = grammar
    except MoleculeError as error:
        what = error.reason.partition(":")[0]
    lines = [*caption.split("\n"), smiles_or_empty(molecule)[:_CAPTION_CHARACTERS], what]
    return "", "\n".join(line for line in lines if line)


def _fit(name: str, text: str) -> str:
    """Return a name and its value in one line, which cuts the name and keeps the value."""
    most = max(_CAPTION_CHARACTERS - 1 - len(text), 8)
    return f"{name if len(name) <= most else name[: most - 1] + '…'} {text}".lstrip()


def _format_value(value: object) -> str:
    """Return a number, several numbers, or a text."""
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(value, list | tuple):
        return " ".join([*map(_format_value, value[:_MOST_VALUES]), *["…"] * (len(value) > _MOST_VALUES)])
    if isinstance(value, str) and _LONG_NUMBER.fullmatch(value):
        return f"{float(value):.6g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e9
    return format_number(int(value) if whole else value)
