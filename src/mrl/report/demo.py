"""The report of a whole run: a dataset, a language model trained on it, its samples, and fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from mrl.chem import Screened
from mrl.formatting import Html, format_number, format_percent
from mrl.lm import FinetuneRound
from mrl.messages import format_count
from mrl.report.axes import as_values, drawable
from mrl.report.curves import loss, rounds
from mrl.report.distributions import distributions, token_frequencies
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

_MOST_INVALID = 12  # samples in the table of failures
_MOST_DRAWN = 10  # molecules of a group


@dataclass(frozen=True)
class DemoReport:
    """The facts of a run.

    Parameters
    ----------
    source : str
        Name of the data, for instance a file's.
    rows : int
        Rows that were read.
    cleaning : mapping of str to int
        Reason -> rows removed for it, in the order of the steps.
    kept : int
        Molecules left to train on.
    vocabulary : int
        Number of tokens in the vocabulary.
    command : str
        The command that makes this report again.
    property_name, unit : str
        The property that the model was tuned by, and its unit or ``""``.
    values : array of shape (n,)
        The property of molecules of the data.
    lengths : mapping of str to array of shape (n,)
        Tokens per molecule for the groups "data", "samples" and "fine-tuned".
    tokens : mapping of str to int
        Token -> occurrences in the data.
    train_loss : array of shape (steps,)
        The loss of each training step.
    rounds : sequence of FinetuneRound
        What `mrl.lm.finetune` returned: the trained model's samples first, then those after each round. Their scores
        are values of the property.
    goal : str
        What fine-tuning was to reach: "a lower SA score", "a logP of 2.5"; a higher property if not given.
    quality : mapping of str to sequence of three numbers
        Name -> values for the data, the trained and the fine-tuned model.
    neighbours : mapping of str to (str, float)
        SMILES of a molecule that is shown (`shown_rows`) -> the most similar one of the data, and how similar it is.
    settings, versions : mapping of str to object
        Name -> value; versions are those in use if not given.
    title : str
        Heading of the page.

    Raises
    ------
    ValueError
        There is no round.

    Examples
    --------
    >>> import numpy as np
    >>> from mrl.chem import screen
    >>> from mrl.lm import FinetuneRound
    >>> first = FinetuneRound(0, ("CCO", "C("), screen(["CCO", "C("]), np.array([0.41, np.nan]), 0)
    >>> facts = DemoReport("a.csv", 1, {}, 1, 5, "mrl demo a.csv", "QED", "", [0.4], {}, {"C": 2}, [1.5], [first])
    >>> "2 texts were sampled from it and screened." in facts.html
    True
    """

    source: str
    rows: int
    cleaning: Mapping[str, int]
    kept: int
    vocabulary: int
    command: str
    property_name: str
    unit: str
    values: ArrayLike
    lengths: Mapping[str, ArrayLike]
    tokens: Mapping[str, int]
    train_loss: ArrayLike
    rounds: Sequence[FinetuneRound]
    goal: str = ""
    quality: Mapping[str, Sequence[float]] = field(default_factory=dict)
    neighbours: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, object] = field(default_factory=versions_used)
    title: str = "From a file of molecules to new ones"

    def __post_init__(self) -> None:
        if not self.rounds:
            raise ValueError("rounds is empty; expected the rounds that mrl.lm.finetune returned, 1 or more")

    @property
    def aim(self) -> str:
        """What fine-tuning was to reach, in words.

        Examples
        --------
        >>> from mrl.chem import screen
        >>> first = FinetuneRound(0, ("C",), screen(["C"]), np.array([0.4]), 0)
        >>> DemoReport("a.csv", 1, {}, 1, 5, "mrl demo", "QED", "", [0.4], {}, {}, [], [first]).aim
        'a higher QED'
        """
        return self.goal or f"a higher {self.property_name}"

    @property
    def html(self) -> Html:
        """The report as a page: key numbers, figures in the order of the work, molecules, failures, how to repeat it.

        The same facts give the same bytes.
        """
        subtitle = (
            f"A small language model learned to write molecules from {format_count(self.kept, 'molecule')} of "
            f"{self.source}. {self.rounds[0].screened.n:,} texts were sampled from it and screened. In "
            f"{format_count(len(self.rounds) - 1, 'round')} it was fine-tuned towards {self.aim} on the best of its "
            "own samples."
        )
        repeat = repeat_section(self.command, self.settings, self.versions, "gives the same samples")
        sections = [*(part(self) for part in (_data, _training, _fine_tuning, _molecules, _failures)), repeat]
        return page(self.title, subtitle, sections, lead=_key_numbers(self), kicker="mrl demo")


def _key_numbers(data: DemoReport) -> str:
    first, last = data.rounds[0], data.rounds[-1]
    notes = (
        f"of {format_count(last.screened.n, 'sampled text')}",
        "of the valid ones",
        "of the unique ones: not in the training data",
    )
    rates = zip(("Valid", "Unique", "Novel"), _rates(last.screened), _rates(first.screened), notes, strict=True)
    reference = f"of the valid samples; data {_quantity(data, _mean(data.values))}"
    mean = Tile(f"Mean {data.property_name}", _quantity(data, last.mean), format_number(first.mean), reference)
    explanation = '<p class="caption">Small: the trained model. Large: the same model after fine-tuning.</p>\n'
    return tiles([mean, *(Tile(*rate) for rate in rates)]) + explanation


def _data(data: DemoReport) -> Section:
    removed = [(reason, -count) for reason, count in data.cleaning.items()]
    rows = [("read", data.rows), *removed, ("kept for training", data.kept)]
    histograms = figure(
        distributions("tokens per molecule", data.lengths),
        "Length of the molecules",
        "Heights are shares of each group; the outline of the data is repeated in each row.",
    )
    frequencies = figure(
        token_frequencies(list(data.tokens), list(data.tokens.values())),
        "Most frequent tokens",
        f"The vocabulary has {format_count(data.vocabulary, 'token')}. Logarithmic scale.",
    )
    return Section(
        "The data",
        columns(table(rows, ["", "rows"], caption=f"Rows of {data.source}") + histograms, frequencies),
        "What was read, what cleaning removed, and what the model sees of it.",
    )


def _training(data: DemoReport) -> Section:
    counts = []
    for one in (data.rounds[0].screened, data.rounds[-1].screened):
        valid_unique_novel = zip((one.n_valid, one.n_unique, one.n_novel), _rates(one), strict=True)
        cut = f"{one.unfinished:,} ({format_percent(one.unfinished, one.n)})"
        counts.append([one.n, one.empty, cut, *(f"{n:,} ({rate})" for n, rate in valid_unique_novel)])
    names = ("sampled texts", "empty", "cut at the length limit", "valid", "unique", "novel")
    rows = zip(names, *counts, strict=True)
    losses = as_values(data.train_loss)
    return Section(
        "Training and screening",
        columns(
            figure(
                loss(np.arange(1, len(losses) + 1), losses),
                "Loss while training",
                "Each step is faint; the running mean over a fortieth of the run is bold.",
            ),
            table(rows, ["", "trained", "fine-tuned"], caption="The samples, screened")
            + paragraph(
                "Cut at the length limit: the text had not ended; it is the beginning of a molecule, and never valid. "
                "Valid: the text is a molecule of at least one atom. Unique: distinct canonical SMILES among the valid "
                "ones. Novel: those of the unique ones that are not among the molecules trained on."
            ),
        ),
        "How the loss fell, and how many of the sampled texts are molecules, distinct, and new.",
    )


def _fine_tuning(data: DemoReport) -> Section:
    means, screened = [one.mean for one in data.rounds], [one.screened for one in data.rounds]
    shares = {"valid": [one.validity for one in screened], "unique": [one.uniqueness for one in screened]}
    course = rounds(data.property_name, means, shares, unit=data.unit, reference=_mean(data.values))
    groups = {"data": data.values, "samples": data.rounds[0].scores, "fine-tuned": data.rounds[-1].scores}
    trained_on = [None, *(one.trained_on for one in data.rounds[:-1])]
    rows = [(one.number, n, one.mean, *_rates(one.screened)) for one, n in zip(data.rounds, trained_on, strict=True)]
    mean = f"mean {data.property_name}" + (f" ({data.unit})" if data.unit else "")
    return Section(
        "Fine-tuning",
        columns(
            figure(
                distributions(data.property_name, groups, unit=data.unit),
                f"{data.property_name} of data and samples",
                "Vertical lines are the means; the outline of the data is repeated in each row. n/a: invalid samples.",
            ),
            figure(course, "Round by round", "Round 0 is the trained model before fine-tuning."),
        )
        + table(rows, ["round", "trained on", mean, "valid", "unique", "novel"]),
        f"The goal is {data.aim}: in each round the model is trained on those of its new molecules that come closest.",
    )


def _molecules(data: DemoReport) -> Section:
    body, quality = "", [(name, *values) for name, values in data.quality.items()]
    if quality:
        caption = "Alerts and diversity of the valid molecules (of a large file, of some spread evenly over it)"
        body += table(quality, ["", "data", "trained", "fine-tuned"], caption=caption)
    titles = ("Samples of the trained model", "Samples of the fine-tuned model")
    for title, one in zip(titles, (data.rounds[0], data.rounds[-1]), strict=True):
        if rows := shown_rows(one):
            smiles = [str(one.screened.smiles[row]) for row in rows]
            captions = [_caption(data, one, row) for row in rows]
            body += molecule_grid(smiles, captions, title=title)
            nearest = [
                (code(text), code(data.neighbours[text][0]), data.neighbours[text][1])
                for text in smiles
                if text in data.neighbours
            ]
            if nearest:
                header = ["sample", "most similar molecule of the data", "similarity"]
                body += table(nearest, header, caption="Tanimoto similarity of ECFP4 fingerprints")
    note = "Valid samples drawn at random, not the best ones. Known: among the molecules trained on."
    return Section("Molecules", body, note) if body else Section("Molecules", paragraph("No sample is a molecule."))


def _caption(data: DemoReport, one: FinetuneRound, row: int) -> str:
    status = "" if one.screened.known is None else ", new" if one.screened.novel[row] else ", known"
    return f"{data.property_name} {_quantity(data, float(one.scores[row]))}{status}"


def shown_rows(one: FinetuneRound) -> list[int]:
    """Return the rows of the molecules that the report draws: valid ones, at random, the same each time.

    Parameters
    ----------
    one : FinetuneRound
        A round of fine-tuning.

    Returns
    -------
    list of int
        Ten distinct molecules or fewer, in the order of the rows.

    Examples
    --------
    >>> from mrl.chem import screen
    >>> shown_rows(FinetuneRound(0, ("C(", "CC"), screen(["C(", "CC"]), np.array([np.nan, 0.4]), 0))
    [1]
    """
    valid = np.flatnonzero(one.screened.unique)
    chosen = np.random.default_rng(one.number).permutation(len(valid))[:_MOST_DRAWN]
    return [int(row) for row in valid[np.sort(chosen)]]


def _failures(data: DemoReport) -> Section:
    screened = data.rounds[0].screened
    invalid = [(code(reject.text), reject.reason) for reject in screened.rejects if reject.text]
    return Section(
        "What failed, and why",
        table(invalid[:_MOST_INVALID], ["sampled text", "reason"]),
        f"Samples of the trained model that are invalid: {len(invalid):,}; that are empty: {screened.empty:,}.",
    )


def _mean(values: ArrayLike) -> float:
    known = as_values(values)[drawable(as_values(values))]
    return float(known.mean()) if len(known) else float("nan")


def _quantity(data: DemoReport, value: float) -> str:
    return f"{format_number(value)} {data.unit}".rstrip()


def _rates(screened: Screened) -> list[str]:
    """Return the shares of valid, of unique among valid, and of novel among unique samples."""
    counts = (screened.n, screened.n_valid, screened.n_unique, screened.n_novel)
    return [format_percent(part, whole) for whole, part in pairwise(counts)]
