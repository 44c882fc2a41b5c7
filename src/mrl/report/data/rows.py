"""Sections about rows and texts: findings, columns, what was taken out, lengths and tokens."""

from __future__ import annotations

import numpy as np

from mrl.formatting import Html, escape_html, format_number, format_percent
from mrl.messages import format_count
from mrl.report.data.figures import CENTRAL, MEAN_AND_ENDS, share_bar
from mrl.report.distributions import distributions, token_frequencies
from mrl.report.html import Section, code, columns, figure, paragraph, table
from mrl.report.molecules import molecule_grid
from mrl.summary import ColumnFacts, Summary, findings, spread

_MOST_COLUMNS = 100
_MOST_REJECTS = 40  # kinds of reasons in the table
_MOST_DRAWN = 10
_RARE_TOKENS = 24


def findings_list(summary: Summary) -> Html:
    """Return what deserves a look, as a list."""
    found = findings(summary)
    if not found:
        return Html('<ul class="findings">\n<li>Nothing in this file stands out.</li>\n</ul>\n')
    items = "".join(f"<li>{escape_html(text)}</li>\n" for text in found)
    return Html(f'<h2 class="small">What deserves a look</h2>\n<ul class="findings">\n{items}</ul>\n')


def short(text: str, most: int = 60) -> str:
    """Return a text, cut if it is long."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def columns_section(summary: Summary) -> Section:
    """Return the columns of the file, and some molecules."""
    rows: list[tuple[object, ...]] = [
        (short(summary.smiles_column), "the molecules", share_bar(summary.kept, summary.rows), _lengths(summary))
    ]
    part = None if summary.parts is None else summary.parts.column
    for one in summary.columns[:_MOST_COLUMNS]:
        holds = "parts of a split" if one.name == part else one.kind
        rows.append((short(one.name), holds, share_bar(one.filled, one.rows), _values(one)))
    more = len(summary.columns) - _MOST_COLUMNS
    below = paragraph(f"And {format_count(more, 'more column')}.") if more > 0 else ""
    body: str = table(rows, ["column", "holds", "filled", "values"]) + below
    if summary.notes:
        notes = [(note, count) for note, count in summary.notes.items()]
        body += table(notes, ["what was done to cells", "rows"])
    if summary.some:
        captions = [f"row {row}" for row, _ in summary.some]
        if summary.molecules is not None:
            body += molecule_grid([text for _, text in summary.some], captions, title="Some rows, drawn at random")
        else:
            texts = [(f"row {row}", code(short(text, 160))) for row, text in summary.some]
            body += table(texts, ["row", "text"], caption="Some rows, drawn at random")
    return Section("What came in", body, "The columns of the file. Rows are counted from 0, without the header.")


def _lengths(summary: Summary) -> str:
    facts = summary.lengths.spread()
    if not facts["n"]:
        return ""
    return f"{facts['min']:,.0f} to {facts['max']:,.0f} characters, median {facts['median']:,.0f}"


def _values(one: ColumnFacts) -> str:
    if one.kind == "numbers":
        facts = spread(one.values)
        low, middle, high = (format_value_of(one, facts[name]) for name in ("min", "median", "max"))
        return f"{low} to {high}, median {middle}"
    if one.kind == "classes":
        return ", ".join(short(name, 24) for name in list(one.classes)[:6]) + (" …" if len(one.classes) > 6 else "")
    if one.kind == "empty":
        return ""
    return f"{one.distinct:,} different, such as {short(one.example, 32)}"


def format_value_of(one: ColumnFacts, value: float | None) -> str:
    """Return a number of a column, without decimals if the column has none."""
    if value is None:
        return "–"
    known = one.values[~np.isnan(one.values)]
    is_whole = float(value).is_integer() and abs(value) < 1e9 and bool(np.all(known == np.round(known)))
    return format_number(int(value) if is_whole else float(value))


def rejects_section(summary: Summary) -> Section:
    """Return what was taken out, or cannot be used, and why."""
    sampled = summary.looked_at.get("molecules", summary.kept)
    rows = []
    for kind in summary.rejects[:_MOST_REJECTS]:
        is_sampled = kind.stage == "parse" and sampled < summary.kept
        share = share_bar(kind.count, sampled if is_sampled else summary.rows)
        rows.append((kind.stage, short(kind.kind, 80), kind.count, share))
    if not rows:
        text = "Every row was read" + ("." if summary.molecules is None else ", and is a molecule.")
        if sampled < summary.kept:
            text = f"Every row was read, and all of the {sampled:,} rows that were parsed are molecules."
        return Section("What was taken out", paragraph(text))
    body: str = table(rows, ["step", "reason", "rows", "share"])
    if len(summary.rejects) > _MOST_REJECTS:
        body += paragraph(f"And {format_count(len(summary.rejects) - _MOST_REJECTS, 'more kind')} of reasons.")
    examples = [(kind, reject) for kind in summary.rejects for reject in kind.examples if reject.text]
    shown = sorted(examples, key=lambda pair: pair[0].examples.index(pair[1]))[:_MOST_DRAWN]
    if shown:
        captions = [f"row {reject.row}: {kind.kind}" for kind, reject in shown]
        drawn = [reject.text for _, reject in shown]
        body += molecule_grid(drawn, [short(caption, 60) for caption in captions], title="Some of them")
    note = "Rows that cannot be used, by the step that found them and the reason."
    if sampled < summary.kept:
        note += f" The step parse looked at {sampled:,} rows, drawn at random."
    return Section("What was taken out, and why", body, note)


def texts_section(summary: Summary) -> Section:
    """Return lengths and tokens."""
    tokens = summary.tokens
    lengths = figure(
        distributions("characters", {"data": summary.lengths.values()}, central=CENTRAL),
        "Length of the texts",
        f"All {format_count(summary.kept, 'row')}; {summary.lengths.percentile(99):,} characters hold 99 % of them. "
        f"{MEAN_AND_ENDS}",
    )
    frequencies = figure(
        token_frequencies(list(tokens.counts), list(tokens.counts.values())),
        "Most frequent tokens",
        f"Tokens are {tokens.kind}. Logarithmic scale.",
    )
    below = [
        (f"fewer than {least:,}", n, share_bar(rows, tokens.rows)) for least, (n, rows) in tokens.lost.items()
    ]  # fmt: skip
    cost = table(
        below,
        ["tokens that occur", "tokens", "rows that have one"],
        caption=f"What a vocabulary without rare tokens would lose, of {format_count(len(tokens.counts), 'token')}",
    )
    rarest = list(tokens.counts.items())[::-1][:_RARE_TOKENS]
    rare = table(
        [(code(token), count, tokens.in_rows[token]) for token, count in rarest],
        ["token", "times", "rows"],
        caption="The rarest tokens",
    )
    missing = ""
    if tokens.missing is not None:
        known = format_percent(tokens.rows - tokens.missing_rows, tokens.rows)
        missing = paragraph(f"The given vocabulary has every token of {known} of the rows.")
        if tokens.missing:
            some = [(code(token), count) for token, count in list(tokens.missing.items())[:_RARE_TOKENS]]
            missing += table(some, ["token", "times"], caption="Tokens that the vocabulary lacks")
    note = "What a language model would read."
    if tokens.rows < summary.kept:
        note += f" Tokens of {tokens.rows:,} rows, drawn at random."
    return Section("Lengths and tokens", columns(lengths + cost + missing, frequencies) + rare_list(rare), note)


def rare_list(body: str) -> Html:
    """Return a long table that is open only if the reader wants it."""
    return Html(f"<details><summary>The rarest tokens</summary>\n{body}</details>\n")
