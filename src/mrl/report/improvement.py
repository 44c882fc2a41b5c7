"""The report of a search for molecules with a high score: its course, and the molecules that it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from mrl.chem import internal_diversity
from mrl.errors import DatasetError
from mrl.formatting import Html, format_number, format_percent
from mrl.messages import format_count
from mrl.report.axes import Axes, Values, as_values, drawable, limits, ticks
from mrl.report.drawing import WIDTH, Canvas, Drawing, empty_figure
from mrl.report.html import (
    Section,
    Tile,
    code,
    columns,
    figure,
    page,
    paragraph,
    repeat_section,
    table,
    tiles,
    versions_used,
)
from mrl.report.molecules import molecule_grid

_MOST_DRAWN, _MOST_LISTED, _TOP, _MOST_POINTS = 24, 50, 10, 400
_DIVERSE, _READINGS = 100, 12  # molecules between which distances are measured; points of that curve


@dataclass(frozen=True)
class ImproveReport:
    """The facts of a search.

    Parameters
    ----------
    name : str
        Of the score.
    smiles, sources : sequence of str, n of them
        The molecules in the order of the calls, and what proposed each.
    scores : array of shape (n,)
        NaN where the score failed.
    reasons : sequence of str, n of them
        Why there is no score; ``""`` where there is one.
    known : array of bool, shape (n,), optional
        Which molecules were known before.
    budget : int
        Calls that were allowed.
    auc : float
        Area under the curve of the mean of the ten best scores.
    components : sequence of (str, str, float)
        Name, direction and weight of each part of the score.
    command : str
        The command that makes this report again.
    settings, versions : mapping of str to object
        Name -> value; versions are those in use if not given.

    Raises
    ------
    DatasetError
        The columns differ in length.

    Examples
    --------
    >>> facts = ImproveReport(
    ...     "score.toml", ["CCO", "CCN"], ["start", "model"], [0.4, 0.7], ["", ""], None, 10, 0.6,
    ...     [("qed", "maximise", 1.0)], "mrl improve model",
    ... )
    >>> "<svg" in facts.html and "CCN" in facts.html
    True
    """

    name: str
    smiles: Sequence[str]
    sources: Sequence[str]
    scores: ArrayLike
    reasons: Sequence[str]
    known: ArrayLike | None
    budget: int
    auc: float
    components: Sequence[tuple[str, str, float]]
    command: str
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, object] = field(default_factory=versions_used)

    def __post_init__(self) -> None:
        lengths = {len(self.smiles), len(self.sources), len(as_values(self.scores)), len(self.reasons)}
        if self.known is not None:
            lengths.add(len(np.asarray(self.known)))
        if len(lengths) > 1:
            raise DatasetError(f"the columns have {sorted(lengths)} rows; give one value of each for every call")

    @property
    def html(self) -> Html:
        """The report as a page: key numbers, the course, the best molecules, where they came from, failures.

        The same facts give the same bytes.
        """
        subtitle = (
            f"{format_count(len(self.smiles), 'molecule')} scored by {self.name}, within a budget of {self.budget:,}. "
            "They were proposed by a language model and by crossover and mutation, and chosen by a surrogate."
        )
        repeat = repeat_section(self.command, self.settings, self.versions, "finds the same molecules")
        sections = [*(part(self) for part in (_course, _molecules, _origins, _failures)), repeat]
        return page("Molecules with a high score", subtitle, sections, lead=_key_numbers(self), kicker="mrl improve")


def score_course(scores: ArrayLike, *, top: int = _TOP) -> Drawing:
    """Draw the course of a search: the best score, and the mean of the best ones, against calls of the score.

    Parameters
    ----------
    scores : array of shape (n,), float
        In the order of the calls; those that are not finite are left out, but are calls.
    top : int
        Of how many the mean is drawn.

    Returns
    -------
    Drawing
        The figure.

    Examples
    --------
    >>> score_course([0.2, 0.5, 0.4]).label
    'Best score 0.50 and mean of the best 10 0.37 after 3 calls.'
    """
    values = as_values(scores)
    if not drawable(values).any():
        return empty_figure("No molecule has a score.")
    at, best, mean = _best_so_far(values, top)
    xlim, ylim = limits(np.array([0.0, len(values)]), 0.0), limits(np.concatenate([best, mean]), 0.06)
    canvas = Canvas()
    axes = Axes(canvas, 40, 30, WIDTH - 40 - 110, 220, xlim, ylim)
    axes.grid(ticks(*xlim, 6, whole=True), ticks(*ylim, 6))
    canvas.line(axes.points(at, best), color="data", width=2)
    canvas.line(axes.points(at, mean), color="fine-tuned", width=2)
    ends = float(best[-1]), float(mean[-1])
    names = f"best {format_number(ends[0])}", f"mean of {top} {format_number(ends[1])}"
    axes.name_ends([(names[0], ends[0], "data"), (names[1], ends[1], "fine-tuned")])
    canvas.text(0, 12, "score", color="muted", size=11)
    canvas.text(axes.left + axes.width / 2, 282, "calls of the score", color="muted", align="middle", size=11)
    label = (
        f"Best score {format_number(ends[0])} and mean of the best {top} {format_number(ends[1])} after "
        f"{format_count(len(values), 'call')}."
    )
    return canvas.drawing(WIDTH, 292, label)


def _best_so_far(values: Values, top: int) -> tuple[Values, Values, Values]:
    """Return calls, the best score and the mean of the `top` best ones after them, thinned to what can be seen."""
    best, kept = [], np.zeros(0)
    at = np.flatnonzero(drawable(values))
    step = max(1, len(at) // _MOST_POINTS)
    shown = []
    for start in range(0, len(at), step):
        rows = at[start : start + step]
        kept = np.sort(np.concatenate([kept, values[rows]]))[-top:]
        best.append((kept[-1], kept.mean()))
        shown.append(rows[-1] + 1)
    curves = np.array(best)
    return np.array(shown, np.float64), curves[:, 0], curves[:, 1]


def _ranked(data: ImproveReport) -> list[int]:
    scores = as_values(data.scores)
    rows = np.flatnonzero(drawable(scores))
    ranked: list[int] = rows[np.argsort(-scores[rows], kind="stable")].tolist()
    return ranked


def _key_numbers(data: ImproveReport) -> str:
    rows, scores = _ranked(data), as_values(data.scores)
    top = [scores[row] for row in rows[:_TOP]]
    best, mean = (format_number(max(top)), format_number(float(np.mean(top)))) if top else ("none", "none")
    return tiles(
        [
            Tile("Best score", best, "", f"of {format_count(len(data.smiles), 'molecule')}"),
            Tile("Mean of the 10 best", mean, "", f"AUC {format_number(data.auc)} of a budget of {data.budget:,}"),
            Tile("Without a score", f"{len(scores) - len(rows):,}", "", "calls that failed, see below"),
            Tile("Diversity", _diversity(data, len(data.smiles)), "", "mean distance (1 - Tanimoto) of the 100 best"),
        ]
    )


def _diversity(data: ImproveReport, calls: int) -> str:
    best = [data.smiles[row] for row in _ranked(data) if row < calls][:_DIVERSE]
    return format_number(internal_diversity(best)) if len(best) > 1 else "none"


def _course(data: ImproveReport) -> Section:
    every = max(1, len(data.smiles) // _READINGS)
    readings = [*range(every, len(data.smiles), every), len(data.smiles)]
    rows = [(f"{calls:,}", *_top_scores(data, calls), _diversity(data, calls)) for calls in readings if calls]
    parts = table(data.components, ["component", "direction", "weight"], caption="The score")
    return Section(
        "Course",
        columns(figure(score_course(data.scores), "Score over calls"), parts)
        + table(rows, ["calls", "best", "mean of 10", "diversity of the 100 best"]),
        "How high the best molecules score after how many calls, and how different they are from each other.",
    )


def _top_scores(data: ImproveReport, calls: int) -> tuple[str, str]:
    scores = as_values(data.scores)[:calls]
    top = np.sort(scores[drawable(scores)])[-_TOP:]
    return (format_number(float(top[-1])), format_number(float(top.mean()))) if len(top) else ("none", "none")


def _molecules(data: ImproveReport) -> Section:
    rows, scores = _ranked(data)[:_MOST_LISTED], as_values(data.scores)
    if not rows:
        return Section("Best molecules", paragraph("No molecule has a score."))
    captions = [f"{format_number(scores[row])}{_mark(data, row)}" for row in rows[:_MOST_DRAWN]]
    header = ["score", "SMILES", "call", "proposed by"]
    listed = [[format_number(scores[row]), code(data.smiles[row]), f"{row + 1:,}", data.sources[row]] for row in rows]
    note = ""
    if data.known is not None:
        marks = [_mark(data, row).strip() for row in rows]
        n_known = len(marks) - marks.count("")
        note = f"{n_known or 'None'} of the best {len(rows)} {'was' if n_known < 2 else 'were'} known before."
        if n_known:
            header, listed = [*header, "known"], [[*one, mark] for one, mark in zip(listed, marks, strict=True)]
    return Section(
        "Best molecules",
        molecule_grid([data.smiles[row] for row in rows[:_MOST_DRAWN]], captions, title="The highest scores")
        + table(listed, header),
        note,
    )


def _mark(data: ImproveReport, row: int) -> str:
    return " known" if data.known is not None and bool(np.asarray(data.known)[row]) else ""


def _origins(data: ImproveReport) -> Section:
    rows = _ranked(data)
    groups = {"all calls": range(len(data.smiles)), "the 100 best": rows[:_DIVERSE], "the 10 best": rows[:_TOP]}
    body = [
        (
            source,
            *(format_percent(sum(data.sources[row] == source for row in some), len(some)) for some in groups.values()),
        )
        for source in dict.fromkeys(data.sources)
    ]
    note = "start: molecules that were given; model: samples of the language model; offspring: crossover and mutation."
    return Section("Where they came from", table(body, ["proposed by", *groups]), note)


def _failures(data: ImproveReport) -> Section:
    failed = [(code(text), reason) for text, reason in zip(data.smiles, data.reasons, strict=True) if reason]
    if not failed:
        return Section("What failed, and why", paragraph("Every molecule has a score."))
    title = f"{format_count(len(failed), 'molecule')} without a score; each is a call."
    return Section("What failed, and why", table(failed[:_MOST_LISTED], ["SMILES", "reason"]), title)
