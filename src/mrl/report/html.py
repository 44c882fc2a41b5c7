"""Pages: one self-contained HTML file of sections, tables, figures and key numbers.

The functions return HTML for a section. Arguments called `body` or `lead` take such HTML; all others take plain text
and escape it. A page loads nothing: no link, script, font or image from outside, and its content security policy
forbids the browser to fetch or run any.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from mrl import __version__
from mrl.chem import ATOM_COLORS
from mrl.formatting import Html, escape_html, html_table
from mrl.report.drawing import COLORS, Drawing


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading.

    Parameters
    ----------
    title : str
        Plain text, shown in the page's table of contents too.
    body : str
        HTML, for instance from `table` and `figure`.
    note : str
        Plain text below the heading: what the section shows.

    Examples
    --------
    >>> Section("Lengths", paragraph("Of three molecules.")).note
    ''
    """

    title: str
    body: str
    note: str = ""


@dataclass(frozen=True)
class Tile:
    """A key number.

    Parameters
    ----------
    label, value : str
        Plain text: what the number is, and the number as it is displayed.
    before : str
        The earlier value, or ``""``.
    note : str
        What the number refers to.

    Examples
    --------
    >>> Tile("Valid", "90.0 %", before="80.0 %", note="of 100 samples").before
    '80.0 %'
    """

    label: str
    value: str
    before: str = ""
    note: str = ""


def page(
    title: str, subtitle: str, sections: Iterable[Section] = (), *, lead: str = "", kicker: str = "mrl report"
) -> Html:
    """Return a whole page.

    Parameters
    ----------
    title, subtitle, kicker : str
        Plain text: the heading, a sentence or two about the page, and the small line above the heading.
    sections : iterable of Section
        The sections in reading order.
    lead : str
        HTML between the heading and the first section, for instance `tiles`.

    Returns
    -------
    Html
        An HTML document; the same for the same input.

    Examples
    --------
    >>> text = page("20 rows", "What is in <b>?", [Section("Lengths", table([("C", 1)], ["token", "count"]))])
    >>> text.startswith("<!doctype html>"), "What is in &lt;b&gt;?" in text
    (True, True)
    """
    links = body = ""
    for i, section in enumerate(sections, start=1):
        heading, key = escape_html(section.title), f"section-{i}"
        note = _element("p", "note", section.note) if section.note else ""
        links += f'<li><a href="#{key}">{heading}</a></li>\n'
        body += f'<section id="{key}" aria-labelledby="{key}-title">\n<h2 id="{key}-title">{heading}</h2>\n'
        body += f"{note}{section.body}\n</section>\n"
    contents = f'<nav aria-label="Sections">\n<ul>\n{links}</ul>\n</nav>\n' if links else ""
    return Html(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>{escape_html(title)}</title>
<style>
{_style_sheet()}</style>
</head>
<body>
<header>
{_element("p", "kicker", kicker)}<h1>{escape_html(title)}</h1>
{_element("p", "subtitle", subtitle)}</header>
<main>
{lead}
{contents}{body}</main>
</body>
</html>
""")


def table(rows: Iterable[Sequence[object]], header: Sequence[str], *, caption: str = "") -> Html:
    """Return rows as a table that scrolls sideways where the screen is too narrow (see `mrl.formatting.html_table`).

    Parameters
    ----------
    rows : iterable of sequence
        One value for each column: text, a number (written short), None for a dash, or HTML such as `code`.
    header : sequence of str
        Names of the columns.
    caption : str
        What the table shows.

    Returns
    -------
    Html
        The table; columns of numbers are aligned to the right.

    Raises
    ------
    RowError
        A row has another number of values than the header.

    Examples
    --------
    >>> "<td><code>C&lt;b&gt;</code></td>" in table([("a", code("C<b>"))], ["name", "text"])
    True
    """
    return Html(f'<div class="table">{html_table(rows, header, caption=caption)}</div>\n')


def figure(drawing: Drawing, title: str, caption: str = "") -> Html:
    """Return a drawing with its title above and a caption below.

    Parameters
    ----------
    drawing : Drawing
        For instance from `distributions`.
    title, caption : str
        Plain text.

    Returns
    -------
    Html
        The figure.

    Examples
    --------
    >>> from mrl.report import distributions
    >>> "<figcaption>A &amp; B</figcaption>" in figure(distributions("length", {"data": [5]}), "A & B")
    True
    """
    below = _element("p", "caption", caption) if caption else ""
    return Html(f"<figure>\n<figcaption>{escape_html(title)}</figcaption>\n{drawing.svg}{below}</figure>\n")


def paragraph(text: str) -> Html:
    """Return plain `text` as a paragraph.

    Examples
    --------
    >>> paragraph("1 < 2")
    '<p class="prose">1 &lt; 2</p>\\n'
    """
    return _element("p", "prose", text)


def code(text: str) -> Html:
    """Return plain `text`, such as a SMILES or a token, in a monospaced font.

    Examples
    --------
    >>> code("C<b>")
    '<code>C&lt;b&gt;</code>'
    """
    return Html(f"<code>{escape_html(text)}</code>")


def command(text: str) -> Html:
    """Return plain `text` as a command line in a block of its own.

    Examples
    --------
    >>> command("mrl demo > log")
    '<pre class="command"><code>mrl demo &gt; log</code></pre>\\n'
    """
    return Html(f'<pre class="command">{code(text)}</pre>\n')


def columns(*bodies: str) -> Html:
    """Return pieces of HTML side by side where the screen is wide enough, else one below the other.

    Parameters
    ----------
    *bodies : str
        HTML of each piece.

    Returns
    -------
    Html
        The pieces.

    Examples
    --------
    >>> columns(paragraph("left"), paragraph("right")).count("<div>")
    2
    """
    cells = "".join(f"<div>\n{body}</div>\n" for body in bodies)
    return Html(f'<div class="columns">\n{cells}</div>\n')


def versions_used() -> dict[str, str]:
    """Return the versions of mrl, of the packages on which its results depend, and of Python.

    Examples
    --------
    >>> list(versions_used())
    ['mrl', 'torch', 'rdkit', 'numpy', 'python']
    """
    from importlib.metadata import PackageNotFoundError, version  # for cost: 15 ms, and only for reports

    def found(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:  # some builds of conda
            return "not known"

    names = ("torch", "rdkit", "numpy")
    return {"mrl": __version__, **{name: found(name) for name in names}, "python": platform.python_version()}


def repeat_section(
    command_line: str, settings: Mapping[str, object], versions: Mapping[str, object], does: str
) -> Section:
    """Return the last section of a report: the command that makes it again, its settings, and versions.

    Examples
    --------
    >>> repeat_section("mrl demo", {"seed": 0}, {"mrl": "1.0"}, "gives the same samples").note
    'With the same versions, on the same machine, this command gives the same samples.'
    """
    tables = columns(
        table(settings.items(), ["setting", "value"], caption="Settings"),
        table(versions.items(), ["package", "version"], caption="Versions"),
    )
    note = f"With the same versions, on the same machine, this command {does}."
    return Section("Repeat it", command(command_line) + tables, note)


def tiles(items: Iterable[Tile]) -> Html:
    """Return `items`, key numbers, in large type side by side.

    Examples
    --------
    >>> tiles([Tile("Valid", "90.0 %")]).splitlines()[1]
    '<div><dt>Valid</dt><dd class="value">90.0 %</dd></div>'
    """
    body = ""
    for item in items:
        arrow = ' <span aria-label="to">→</span>'
        before = f'<span class="before">{escape_html(item.before)}{arrow}</span> ' if item.before else ""
        note = _element("dd", "caption", item.note).strip() if item.note else ""
        value = f'<dd class="value">{before}{escape_html(item.value)}</dd>'
        body += f"<div><dt>{escape_html(item.label)}</dt>{value}{note}</div>\n"
    return Html(f'<dl class="tiles">\n{body}</dl>\n')


def _element(tag: str, name: str, text: str) -> Html:
    return Html(f'<{tag} class="{name}">{escape_html(text)}</{tag}>\n')


def _style_sheet() -> str:
    """Return the style sheet, which maps each colour of a drawing to a variable, so that no drawing is rewritten."""
    colors = {**COLORS, **ATOM_COLORS}
    variables = " ".join(f"--{name}: {color};" for name, color in colors.items())
    rules = ""
    for name, color in colors.items():
        for what in ("fill", "stroke"):  # an attribute in our drawings, an attribute or part of a style in RDKit's
            rules += f'[{what}="{color}" i], [style*="{what}:{color}" i] {{ {what}: var(--{name}) !important; }}\n'
    css = resources.files("mrl.report").joinpath("style.css").read_text(encoding="utf-8")
    return f":root {{ {variables} }}\n{css}{rules}"
