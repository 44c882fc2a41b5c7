"""`show`: some rows of anything that has molecules, drawn with what else is known of them."""

from __future__ import annotations

import operator
import random
from collections.abc import Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from mrl.chem import Cleaned, Leaks, Metrics, to_mol
from mrl.errors import ColumnError, MoleculeError
from mrl.report.molecules import drawn
from mrl.report.picture import Cell, Picture, text_line
from mrl.report.sources import Source, source_of, spelled
from mrl.report.words import number

__all__ = ["chosen", "show"]

_LARGEST = 200  # atoms: of more a small drawing shows nothing, and RDKit needs seconds for 1,000
_IN_BLOCK = 5  # texts of a block that are drawn
_LABELS = 4  # columns that a caption has room for
_WIDTH = 220  # of a drawing
_FITS = 32  # characters of a caption below it
_LINE = 17  # height of a line of a caption
_ARROW = 32  # width of the space that an arrow stands in
_MARGIN = 4  # what a drawing has around its frame


def show(
    data: Any, n: int = 12, columns: int | None = None, *, labels: Sequence[str] | None = None, seed: int | None = None
) -> Picture:
    """Draw some rows, each with its number and its labels.

    Parameters
    ----------
    data : data set, Table, column of str or Mol, str, Rejects, Cleaned, Metrics or Leaks
        Pairs are drawn side by side, blocks with their texts in a row, rejects with the reason; the last three are
        tables. What is no molecule (another notation, a mistake) is shown as text, with a note.
    n : int
        How many rows.
    columns : int, optional
        The most cells beside each other: 4 if not given, 2 for pairs, 1 for blocks.
    labels : sequence of str, optional
        Names of the columns to write below each drawing; the first 4 if not given.
    seed : int, optional
        Draws the rows at random, the same ones for the same seed; the first n if not given.

    Returns
    -------
    Picture
        Which a notebook draws, and `Picture.save` writes to an ``.html`` or ``.svg`` file.

    Raises
    ------
    TypeError
        There are no molecules in `data`, or it is a table of another library: give one of its columns.
    ColumnError
        There is no column of a name in `labels`.
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
    """
    if isinstance(data, Metrics | Leaks | Cleaned):
        return Picture(type(data).__name__, table=data._repr_html_())
    n = operator.index(n)
    if n < 0 or (columns is not None and columns < 1):
        raise ValueError(f"n={n}, columns={columns}: expected 0 rows or more, and 1 column or more")
    source = source_of(data)
    names = _known(labels, source)
    rows = chosen(source.total, n, seed)
    title = f"{number(source.total)} {source.row}{'' if source.total == 1 else 's'}"
    title += f" of {source.whole}" if source.whole else ""
    if len(rows) < source.total:
        title = f"{number(len(rows))} of {title}"
    note = f"drawn at random with seed {seed}" if seed is not None and len(rows) < source.total else ""
    most = columns or (1 if source.blocks else 2 if len(source.texts) > 1 else 4)
    return Picture(title, note, _cells([_row(source, row, names) for row in rows]), most)


def chosen(total: int, n: int, seed: int | None) -> list[int]:
    """Choose `n` of `total` rows, in their order: the first ones, or at random."""
    if seed is None or n >= total:
        return list(range(min(n, total)))
    return sorted(random.Random(seed).sample(range(total), n))


class _Row(NamedTuple):
    """A row before all of them have one size."""

    drawings: list[str]
    size: tuple[int, int]
    arrow: bool
    caption: list[tuple[str, str]]  # lines with their roles
    label: str


def _row(source: Source, row: int, names: Sequence[str]) -> _Row:
    molecules, warning = source.molecules(row), source.warning(row)
    size = (150, 110) if source.blocks else (190, 150) if len(molecules) > 1 else (_WIDTH, 160)
    size = (_WIDTH, 100) if source.rejects is not None else size
    drawings = []
    for x, language in molecules[: _IN_BLOCK if source.blocks else None]:
        drawings.append(_drawing(x, language, size, told=source.rejects is not None))
    values = [(name, text) for name in names if (text := _value(source.values[name][row]))]
    caption = [(source.title(row), "ink"), *((_shortened(name, text), "ink") for name, text in values)]
    if len(molecules) > len(drawings):
        caption.append((f"{len(molecules)} texts, of which {_IN_BLOCK} are drawn", "muted"))
    caption += [(line, "O") for line in wrap(warning, _FITS - 1, max_lines=3, placeholder=" …")]
    shown = (" " if source.blocks else " → ").join(spelled(x) for x, _ in molecules)
    label = "; ".join([f"{source.title(row)}: {shown}", *map(" ".join, values), *([warning] if warning else [])])
    return _Row(drawings, size, not source.blocks and len(drawings) > 1, caption, label)


def _drawing(x: Any, language: str, size: tuple[int, int], *, told: bool) -> str:
    """A molecule; or the text, and why it is not drawn unless that is told elsewhere."""
    if language:
        return _as_text(x, language, "muted", size)
    try:
        atoms = to_mol(x).GetNumAtoms()
    except MoleculeError as error:
        return _as_text(error.text, "" if told else error.reason, "O", size)
    if atoms > _LARGEST:
        return _as_text(spelled(x), f"{number(atoms)} atoms: too many to draw", "muted", size)
    svg = drawn(x, size)
    return (
        f'<g transform="translate({-_MARGIN} {-_MARGIN})">{svg[svg.index(">") + 1 : svg.rindex("</svg>")].strip()}</g>'
    )


def _as_text(text: str, note: str, role: str, size: tuple[int, int]) -> str:
    width, height = size
    per_line, room = (width - 16) // 7, (height - 12) // 15
    why = wrap(note, int((width - 16) / 6.4), max_lines=max(1, room // 2), placeholder=" …")
    what = [text[start : start + per_line] for start in range(0, len(text), per_line)] or ["(empty)"]
    if len(what) > (most := room - len(why) - bool(why)):
        what = [*what[: most - 1], what[most - 1][: per_line - 1] + "…"]
    lines = [(line, "ink") for line in what] + [("", role)] * bool(why) + [(line, role) for line in why]
    top = (height - 15 * (len(lines) - 1)) / 2
    frame = f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6" fill="none" '
    body = f'{frame}stroke="var(--rule,#cfd6dd)" stroke-dasharray="4 3"/>'
    for i, (line, role_of_line) in enumerate(lines):
        mono = i < len(what)
        x, align = (8, "start") if mono and len(what) > 1 else (width / 2, "middle")
        body += text_line(x, top + 15 * i, line, role=role_of_line, size=11, mono=mono, align=align, width=width - 4)
    return body


def _cells(rows: Sequence[_Row]) -> tuple[Cell, ...]:
    """Rows as cells of one size."""
    most, lines = (
        max((len(row.drawings) for row in rows), default=0),
        max((len(row.caption) for row in rows), default=0),
    )
    return tuple(_cell(row, most, lines) for row in rows)


def _cell(row: _Row, most: int, lines: int) -> Cell:
    (width, height), space = row.size, _ARROW if row.arrow else 8
    body = ""
    for i, drawing in enumerate(row.drawings):
        x = i * (width + space)
        if x and row.arrow:
            body += f'<path d="M{x - space + 6} {height // 2}h19m-6 -5l6 5l-6 5" fill="none" {_STROKE}/>'
        body += f'<g transform="translate({x} 0)">{drawing}</g>' if x else drawing
    across = max(1, len(row.drawings)) * (width + space) - space
    for i, (line, role) in enumerate(row.caption):
        body += text_line(across / 2, height + 14 + i * _LINE, line, role=role, bold=i == 0, width=max(across, _WIDTH))
    return Cell(body, max(1, most) * (width + space) - space, height + 8 + lines * _LINE, row.label)


_STROKE = 'stroke="var(--muted,#5b6672)" stroke-width="1.5"'


def _known(labels: Sequence[str] | None, source: Source) -> list[str]:
    if labels is None:
        return list(source.values)[:_LABELS]
    names = [labels] if isinstance(labels, str) else list(labels)
    for name in names:
        if name not in source.values:
            there = ", ".join(map(repr, source.values)) or "none"
            raise ColumnError(f"there is no column {name!r} to label the rows with; there is {there}", column=name)
    return names


def _shortened(name: str, text: str) -> str:
    """A name and its value: of a long line, the value stays."""
    room = max(_FITS - 1 - len(text), 8)
    return f"{name if len(name) <= room else name[: room - 1] + '…'} {text}"


def _value(value: Any) -> str:
    """A number, a few of them, or a text."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        return " ".join([*map(_value, value[:12]), *["…"] * (len(value) > 12)])
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e9:
        return number(int(value))
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
