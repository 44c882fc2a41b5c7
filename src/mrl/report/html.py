"""One page in one file: sections, tables, figures and tiles as text, with every word from outside escaped.

Functions return HTML that is ready to be put into a section; arguments called ``body`` or ``svg`` take such HTML, all
others take plain text and escape it. The page needs nothing else: no link, script, font or picture from outside, and
its content security policy forbids the reader's program to fetch or run any.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources

import numpy as np

from mrl.errors import RowError
from mrl.files import write_atomic
from mrl.report.words import number, visible

__all__ = [
    "Section",
    "Tile",
    "columns",
    "command",
    "figure",
    "inline",
    "page",
    "paragraph",
    "part",
    "table",
    "tiles",
    "write",
]


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading.

    Parameters
    ----------
    title : str
        Plain text; the page's table of contents shows it.
    body : str
        HTML, for instance from :func:`table` and :func:`figure`.
    note : str
        Plain text below the heading: what the reader is about to see.
    """

    title: str
    body: str
    note: str = ""


@dataclass(frozen=True)
class Tile:
    """One key number.

    Parameters
    ----------
    label, value : str
        Plain text: what it is, and the number as it is to be read.
    before : str
        The number that it was before, or ``""``.
    note : str
        What it is a number of.
    """

    label: str
    value: str
    before: str = ""
    note: str = ""


def page(title: str, subtitle: str, sections: Iterable[Section], *, lead: str = "", kicker: str = "mrl report") -> str:
    """Put a whole page together.

    Parameters
    ----------
    title, subtitle, kicker : str
        Plain text: the heading, what the page is about in a sentence or two, and the small line above the heading.
    sections : iterable of Section
        In reading order; there may be none.
    lead : str
        HTML between the heading and the first section, for instance :func:`tiles`.

    Returns
    -------
    str
        An HTML document; the same for the same input.

    Examples
    --------
    >>> text = page("20 rows", "What is in <b>?", [Section("Lengths", table([("C", 1)], ["token", "count"]))])
    >>> text.startswith("<!doctype html>"), "What is in &lt;b&gt;?" in text
    (True, True)
    """
    parts = [(f"section-{i}", section) for i, section in enumerate(sections, start=1)]
    links = "".join(f'<li><a href="#{key}">{_text(section.title)}</a></li>\n' for key, section in parts)
    contents = f'<nav aria-label="Sections">\n<ul>\n{links}</ul>\n</nav>\n' if parts else ""
    body = "".join(
        f'<section id="{key}" aria-labelledby="{key}-title">\n<h2 id="{key}-title">{_text(section.title)}</h2>\n'
        + (f'<p class="note">{_text(section.note)}</p>\n' if section.note else "")
        + f"{section.body}\n</section>\n"
        for key, section in parts
    )
    css = resources.files("mrl.report").joinpath("style.css").read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>{_text(title)}</title>
<style>
{css}</style>
</head>
<body>
<header>
<p class="kicker">{_text(kicker)}</p>
<h1>{_text(title)}</h1>
<p class="subtitle">{_text(subtitle)}</p>
</header>
<main>
{lead}
{contents}{body}</main>
</body>
</html>
"""


def table(
    rows: Iterable[Sequence[object]], header: Sequence[str], *, code: Collection[int] = (), caption: str = ""
) -> str:
    """Lay rows out as a table whose first column names the row.

    Parameters
    ----------
    rows : iterable of sequence
        One value for each column: text, a number (written short), or None for a dash.
    header : sequence of str
        Names of the columns.
    code : collection of int
        Columns that hold SMILES, tokens, commands: set in a font of one width.
    caption : str
        What the table shows.

    Returns
    -------
    str
        HTML, every value escaped; columns of nothing but numbers stand flush right.

    Raises
    ------
    mrl.errors.RowError
        If a row has not as many values as the header.

    Examples
    --------
    >>> "<td><code>C&lt;b&gt;</code></td>" in table([("a", "C<b>")], ["name", "text"], code=[1])
    True
    """
    cells = [list(row) for row in rows]
    for i, row in enumerate(cells):
        if len(row) != len(header):
            raise RowError(f"row {i} has {len(row)} values, the header {len(header)}: give one for each column", row=i)
    right = [_is_numeric([_cell(row[j]) for row in cells]) for j in range(len(header))]
    attribute = [' class="number"' if flag else "" for flag in right]
    top = "".join(f'<th scope="col"{cls}>{_text(name)}</th>' for name, cls in zip(header, attribute, strict=True))
    lines = []
    for row in cells:
        words = [f"<code>{_cell(value)}</code>" if j in code else _cell(value) for j, value in enumerate(row)]
        first = f'<th scope="row"{attribute[0]}>{words[0]}</th>' if words else ""
        rest = "".join(f"<td{cls}>{word}</td>" for word, cls in zip(words[1:], attribute[1:], strict=True))
        lines.append(f"<tr>{first}{rest}</tr>\n")
    if not lines:
        lines.append(f'<tr><td colspan="{len(header)}">nothing</td></tr>\n')
    title = f"<caption>{_text(caption)}</caption>\n" if caption else ""
    return f"""<div class="table"><table>
{title}<thead><tr>{top}</tr></thead>
<tbody>
{"".join(lines)}</tbody>
</table></div>
"""


def figure(svg: str, title: str, caption: str = "") -> str:
    """Set a figure with its title above it and a caption below.

    Parameters
    ----------
    svg : str
        HTML: an ``svg`` element that describes itself (``aria-label``), as all figures of this package do.
    title, caption : str
        Plain text.

    Returns
    -------
    str
        HTML.
    """
    below = f'<p class="caption">{_text(caption)}</p>\n' if caption else ""
    return f"<figure>\n<figcaption>{_text(title)}</figcaption>\n{svg}{below}</figure>\n"


def part(title: str, body: str) -> str:
    """Set `body`, a piece of HTML, under a smaller heading inside a section.

    Parameters
    ----------
    title, body : str
        Plain text of the heading, and HTML.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> part("A & B", paragraph("text"))
    '<h3>A &amp; B</h3>\\n<p class="prose">text</p>\\n'
    """
    return f"<h3>{_text(title)}</h3>\n{body}"


def paragraph(text: str) -> str:
    """Set plain `text` as a paragraph of HTML, escaped.

    Examples
    --------
    >>> paragraph("1 < 2")
    '<p class="prose">1 &lt; 2</p>\\n'
    """
    return f'<p class="prose">{_text(text)}</p>\n'


def command(text: str) -> str:
    """Set the `text` of a command line as it is to be typed, escaped.

    Examples
    --------
    >>> command("mrl demo > log")
    '<pre class="command"><code>mrl demo &gt; log</code></pre>\\n'
    """
    return f'<pre class="command"><code>{_text(text)}</code></pre>\n'


def columns(*bodies: str) -> str:
    """Set pieces of HTML side by side where the screen is wide enough, else one below the other.

    Parameters
    ----------
    *bodies : str
        HTML of each piece.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> columns(paragraph("left"), paragraph("right")).count("<div>")
    2
    """
    cells = "".join(f"<div>\n{body}</div>\n" for body in bodies)
    return f'<div class="columns">\n{cells}</div>\n'


def tiles(items: Iterable[Tile]) -> str:
    """Set key numbers large, side by side.

    Parameters
    ----------
    items : iterable of Tile
        In order of importance.

    Returns
    -------
    str
        HTML: a list of terms with their values.
    """
    body = ""
    for item in items:
        before = (
            f'<span class="before">{_text(item.before)} <span aria-label="to">→</span></span> ' if item.before else ""
        )
        note = f'<dd class="caption">{_text(item.note)}</dd>' if item.note else ""
        body += f'<div><dt>{_text(item.label)}</dt><dd class="value">{before}{_text(item.value)}</dd>{note}</div>\n'
    return f'<dl class="tiles">\n{body}</dl>\n'


def inline(svg: str, label: str) -> str:
    """Make an ``svg`` file fit to stand inside a page: scalable, described, without declarations and comments.

    Parameters
    ----------
    svg : str
        The file as text; trusted.
    label : str
        What it shows, in words; escaped.

    Returns
    -------
    str
        One ``svg`` element.

    Examples
    --------
    >>> inline("<?xml version='1.0'?>\\n<svg width='20px' height='10px' viewBox='0 0 20 10'></svg>", "C")
    '<svg role="img" aria-label="C" viewBox=\\'0 0 20 10\\'></svg>'
    """
    start = svg.index("<svg")
    end = svg.index(">", start)
    root = re.sub(_OF_A_FILE, "", svg[start + 4 : end])
    rest = re.sub(r"(?s)<!--.*?-->", "", svg[end:]).strip()
    return f'<svg role="img" aria-label="{_text(label)}" {" ".join(root.split())}{rest}'


_OF_A_FILE = r"""\s(?:xmlns(?::\w+)?|xml:\w+|version|baseProfile|width|height|role|aria-label)=(['"]).*?\1"""


def write(path: str | os.PathLike[str], html: str) -> None:
    """Write a page to a file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file; one that is there is replaced at once, by renaming.
    html : str
        The page.
    """
    write_atomic(path, html)


def _text(text: str) -> str:
    return escape(visible(text))


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, np.number):
        value = value.item()
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else _text(str(value))


def _is_numeric(words: Sequence[str]) -> bool:
    numbers = [word for word in words if word != "–"]
    return bool(numbers) and all(_NUMERIC.fullmatch(word) for word in numbers)


_NUMERIC = re.compile(r"−?(?:&[lg]t;)?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?: %| \([^)]*\))?")
