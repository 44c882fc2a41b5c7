"""The report of a whole run: a dataset, a language model trained on it, its samples, and fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from mrl.chem import Screened
from mrl.formatting import Html, format_number, format_percent
from mrl.lm import Round
from mrl.messages import format_count
from mrl.report.axes import Values, as_values, drawable
from mrl.report.curves import loss, rounds
from mrl.report.distributions import distributions, token_frequencies
from mrl.report.html import Section, Tile, code, columns, command, figure, page, paragraph, table, tiles
from mrl.report.molecules import molecule_grid

__all__ = ["DemoReport"]


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
        The property that the model was tuned towards, and its unit or ``""``.
    values : array of shape (n,)
        The property of molecules of the data.
    lengths : mapping of str to array of shape (n,)
        Tokens per molecule for the groups "data", "samples" and "fine-tuned".
    tokens : mapping of str to int
        Token -> occurrences in the data.
    train_loss : array of shape (steps,)
        The loss of each training step.
    rounds : sequence of Round
        What `mrl.lm.finetune` returned: the trained model's samples first, then those after each round.
    settings, versions : mapping of str to object
        Name -> value.
    title : str
        Heading of the page.
    examples, molecules : int
        The most invalid samples, and the most molecules of a group, to show.

    Raises
    ------
    ValueError
        There is no round.

    Examples
    --------
    >>> import numpy as np
    >>> from mrl.chem import screen
    >>> from mrl.lm import Round
    >>> first = Round(0, ("CCO", "C("), screen(["CCO", "C("]), np.array([0.41, np.nan]), 0)
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
    rounds: Sequence[Round]
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, object] = field(default_factory=dict)
    title: str = "From a file of molecules to new ones"
    examples: int = 12
    molecules: int = 10

    def __post_init__(self) -> None:
        if not self.rounds:
            raise ValueError("rounds is empty; expected the rounds that mrl.lm.finetune returned, 1 or more")

    @property
    def html(self) -> Html:
        """The report as a page: key numbers, figures in the order of the work, molecules, failures, how to repeat it.

        The same facts give the same bytes.
        """
        subtitle = (
            f"A small language model learned to write molecules from {format_count(self.kept, 'molecule')} of "
            f"{self.source}. {self.rounds[0].screened.n:,} texts were sampled from it and screened. In "
            f"{format_count(len(self.rounds) - 1, 'round')} it was fine-tuned towards {self.property_name} on the best "
            "of its own samples."
        )
        sections = [part(self) for part in (_data, _training, _fine_tuning, _molecules, _failures, _again)]
        return page(self.title, subtitle, sections, lead=_key_numbers(self), kicker="mrl demo")


def _key_numbers(data: DemoReport) -> str:
    before, after = data.rounds[0], data.rounds[-1]
    a, b = before.screened, after.screened
    unit = f" {data.unit}" if data.unit else ""
    reference = format_number(_mean(data.values)) + unit
    mean = Tile(
        f"Mean {data.property_name}",
        format_number(after.mean) + unit,
        format_number(before.mean),
        f"of the valid samples; data {reference}",
    )
    return (
        tiles(
            [
                mean,
                Tile("Valid", _valid(b), _valid(a), f"of {format_count(b.n, 'sampled text')}"),
                Tile("Unique", _unique(b), _unique(a), "of the valid ones"),
                Tile("Novel", _novel(b), _novel(a), "of the unique ones: not in the training data"),
            ]
        )
        + '<p class="caption">Small: the trained model. Large: the same model after fine-tuning.</p>\n'
    )


def _data(data: DemoReport) -> Section:
    removed = [(reason, -count) for reason, count in data.cleaning.items()]
    rows = [("read", data.rows), *removed, ("kept for training", data.kept)]
    histograms = figure(
        distributions("tokens per molecule", data.lengths),
        "Length of the molecules",
        "Heights are shares of each group; the outline of the data is repeated in front of the samples.",
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
    both = data.rounds[0].screened, data.rounds[-1].screened
    rows = [
        ("sampled texts", *(one.n for one in both)),
        ("empty", *(one.empty for one in both)),
        ("valid", *(f"{one.n_valid:,} ({_valid(one)})" for one in both)),
        ("unique", *(f"{one.n_unique:,} ({_unique(one)})" for one in both)),
        ("novel", *(f"{one.n_novel:,} ({_novel(one)})" for one in both)),
    ]
    steps = np.arange(1, len(as_values(data.train_loss)) + 1)
    return Section(
        "Training and screening",
        columns(
            figure(
                loss(steps, data.train_loss),
                "Loss while training",
                "Each step is faint; the running mean over a fortieth of the run is bold.",
            ),
            table(rows, ["", "trained", "fine-tuned"], caption="The samples, screened")
            + paragraph(
                "Valid: the text is a molecule of at least one atom. Unique: distinct canonical SMILES among the valid "
                "ones. Novel: those of the unique ones that are not among the molecules trained on."
            ),
        ),
        "How the loss fell, and how many of the sampled texts are molecules, distinct, and new.",
    )


def _fine_tuning(data: DemoReport) -> Section:
    every = data.rounds if len(data.rounds) > 1 else ()
    screened = [one.screened for one in every]
    learned = [None, *(one.trained_on for one in every[:-1])]
    rows = [
        (one.number, n, one.mean, _valid(one.screened), _unique(one.screened), _novel(one.screened))
        for one, n in zip(every, learned[: len(every)], strict=True)
    ]
    course = rounds(
        data.property_name,
        [one.mean for one in every],
        {"valid": [one.validity for one in screened], "unique": [one.uniqueness for one in screened]},
        unit=data.unit,
        reference=_mean(data.values),
    )
    groups = {
        "data": data.values,
        "samples": _known(data.rounds[0].scores),
        "fine-tuned": _known(data.rounds[-1].scores),
    }
    mean = f"mean {data.property_name}" + (f" ({data.unit})" if data.unit else "")
    return Section(
        "Fine-tuning",
        columns(
            figure(
                distributions(data.property_name, groups, unit=data.unit),
                f"{data.property_name} of data and samples",
                "Vertical lines are the means; the outline of the data is repeated in front of the samples.",
            ),
            figure(course, "Round by round", "Round 0 is the trained model before fine-tuning."),
        )
        + (table(rows, ["round", "trained on", mean, "valid", "unique", "novel"]) if rows else ""),
        f"In each round the model is trained on those of its samples that have the best {data.property_name}.",
    )


def _molecules(data: DemoReport) -> Section:
    body = ""
    for group, one in (("samples", data.rounds[0]), ("fine-tuned", data.rounds[-1])):
        if best := one.best(data.molecules):
            unit = f" {data.unit}" if data.unit else ""
            captions = [f"{data.property_name} {format_number(score)}{unit}" for _, score in best]
            body += molecule_grid([smiles for smiles, _ in best], captions, title=group)
    note = f"The valid samples of the best {data.property_name}."
    return Section("Molecules", body, note) if body else Section("Molecules", paragraph("No sample is a molecule."))


def _failures(data: DemoReport) -> Section:
    screened = data.rounds[0].screened
    invalid = [(code(reject.text), reject.reason) for reject in screened.rejects if reject.text]
    return Section(
        "What failed, and why",
        table(invalid[: data.examples], ["sampled text", "reason"]) if invalid else paragraph("Every text is valid."),
        f"Samples of the trained model that are invalid: {len(invalid):,}; that are empty: {screened.empty:,}.",
    )


def _again(data: DemoReport) -> Section:
    return Section(
        "Repeat it",
        command(data.command)
        + columns(
            table(data.settings.items(), ["setting", "value"], caption="Settings"),
            table(data.versions.items(), ["package", "version"], caption="Versions"),
        ),
        "With the same versions, on the same machine, this command gives the same samples.",
    )


def _known(values: ArrayLike) -> Values:
    column = as_values(values)
    return column[drawable(column)]


def _mean(values: ArrayLike) -> float:
    known = _known(values)
    return float(known.mean()) if len(known) else float("nan")


def _valid(screened: Screened) -> str:
    return format_percent(screened.n_valid, screened.n)


def _unique(screened: Screened) -> str:
    return format_percent(screened.n_unique, screened.n_valid)


def _novel(screened: Screened) -> str:
    return format_percent(screened.n_novel, screened.n_unique)
