"""The report of a whole run: a data set, a language model trained on it, its samples, and fine-tuning.

The caller gives plain facts; this file decides what is said about them, and in which order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from mrl.chem import Screened
from mrl.report.curves import loss, rounds
from mrl.report.distributions import lengths, property_distribution, token_frequencies
from mrl.report.html import Section, Tile, columns, command, figure, page, paragraph, part, table, tiles
from mrl.report.molecules import molecule_grid
from mrl.report.words import number, percent

__all__ = ["DemoReport", "Round", "Screening", "demo_report"]


@dataclass(frozen=True)
class Screening:
    """What became of one set of sampled texts.

    Parameters
    ----------
    sampled : int
        Texts that were sampled.
    valid : int
        Those of them that are molecules; an empty text is none.
    unique : int
        Distinct canonical SMILES among the valid ones.
    novel : int
        Those of the unique ones that are not in the training data.
    empty : int
        Sampled texts without any character.
    """

    sampled: int
    valid: int
    unique: int
    novel: int
    empty: int = 0

    @classmethod
    def of(cls, result: Screened) -> Self:
        """Count what :func:`mrl.chem.screen` found.

        Examples
        --------
        >>> from mrl.chem import screen
        >>> Screening.of(screen(["CCO", "OCC", "C", "C(", ""], known=["C"]))
        Screening(sampled=5, valid=3, unique=2, novel=1, empty=1)
        """
        valid, unique = int(result.valid.sum()), int(result.unique.sum())
        return cls(result.n, valid, unique, len(result.kept), result.empty)


@dataclass(frozen=True)
class Round:
    """One round of fine-tuning.

    Parameters
    ----------
    trained_on : int
        Molecules that the model was trained on in this round.
    mean : float
        Mean property of the valid samples drawn after it.
    screening : Screening
        What became of these samples.
    """

    trained_on: int
    mean: float
    screening: Screening


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
        Reason -> rows taken out for it, in the order of the steps.
    kept : int
        Molecules left to train on.
    vocabulary : int
        Tokens of the vocabulary.
    command : str
        The command that makes this report again.
    property_name, unit : str
        The property that the model was tuned towards, and its unit or ``""``.
    values : mapping of str to array of shape (n,)
        The property of each molecule for the groups ``"data"``, ``"samples"`` and ``"fine-tuned"``.
    lengths : mapping of str to array of shape (n,)
        Tokens per molecule for the same groups.
    tokens : mapping of str to int
        Token -> occurrences in the data.
    steps, train_loss, valid_loss : array of shape (n steps,)
        Loss of the training by step, see :func:`mrl.report.loss`.
    before, after : Screening
        The samples of the trained and of the fine-tuned model.
    rounds : sequence of Round
        One for each round of fine-tuning.
    failures : sequence of (str, str)
        Some sampled texts that are no molecules, and why.
    drawn : mapping of str to sequence of (str, float)
        For a group, some valid SMILES with their property.
    settings, versions : mapping of str to object
        Name -> value.
    title : str
        Heading of the page.
    """

    source: str
    rows: int
    cleaning: Mapping[str, int]
    kept: int
    vocabulary: int
    command: str
    property_name: str
    unit: str
    values: Mapping[str, ArrayLike]
    lengths: Mapping[str, ArrayLike]
    tokens: Mapping[str, int]
    steps: ArrayLike
    train_loss: ArrayLike
    before: Screening
    after: Screening
    valid_loss: ArrayLike | None = None
    rounds: Sequence[Round] = ()
    failures: Sequence[tuple[str, str]] = ()
    drawn: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, object] = field(default_factory=dict)
    title: str = "From a file of molecules to new ones"


def demo_report(data: DemoReport) -> str:
    """Tell a run as one page: key numbers, figures in the order of the work, molecules, failures, how to repeat it.

    Parameters
    ----------
    data : DemoReport
        The facts.

    Returns
    -------
    str
        A self-contained HTML document, to be written with :func:`mrl.report.write`. The same facts give the same bytes.
    """
    sections = [_data(data), _training(data), _fine_tuning(data), _molecules(data), _failures(data), _again(data)]
    subtitle = (
        f"A small language model learned to write molecules from {number(data.kept)} molecules of {data.source}. "
        f"{number(data.before.sampled)} texts were sampled from it and screened. In {number(len(data.rounds))} rounds "
        f"it was fine-tuned towards {data.property_name} on the best of its own samples."
    )
    return page(data.title, subtitle, sections, lead=_key_numbers(data), kicker="mrl demo")


def _key_numbers(data: DemoReport) -> str:
    before, after = data.before, data.after
    unit = f" {data.unit}" if data.unit else ""
    return (
        tiles(
            [
                Tile(
                    f"Mean {data.property_name}",
                    _mean(data, "fine-tuned") + unit,
                    _mean(data, "samples"),
                    f"of the valid samples; data {_mean(data, 'data')}{unit}",
                ),
                Tile("Valid", _valid(after), _valid(before), f"of {number(after.sampled)} sampled texts"),
                Tile("Unique", _unique(after), _unique(before), "of the valid ones"),
                Tile("Novel", _novel(after), _novel(before), "of the unique ones: not in the training data"),
            ]
        )
        + '<p class="caption">Small: the trained model. Large: the same model after fine-tuning.</p>\n'
    )


def _data(data: DemoReport) -> Section:
    steps = [(reason, -count) for reason, count in data.cleaning.items()]
    tokens, counts = list(data.tokens), list(data.tokens.values())
    return Section(
        "The data",
        columns(
            table(
                [("read", data.rows), *steps, ("kept for training", data.kept)],
                ["", "rows"],
                caption=f"Rows of {data.source}",
            )
            + figure(
                lengths(data.lengths),
                "Length of the molecules",
                "Heights are shares of each group; the outline of the data is repeated behind the samples.",
            ),
            figure(
                token_frequencies(tokens, counts),
                "Most frequent tokens",
                f"{number(data.vocabulary)} tokens are in the vocabulary. Logarithmic scale.",
            ),
        ),
        "What was read, what cleaning took out, and what the model sees of it.",
    )


def _training(data: DemoReport) -> Section:
    before, after = data.before, data.after
    rows = [
        ("sampled texts", before.sampled, after.sampled),
        ("empty", before.empty, after.empty),
        ("valid", f"{number(before.valid)} ({_valid(before)})", f"{number(after.valid)} ({_valid(after)})"),
        ("unique", f"{number(before.unique)} ({_unique(before)})", f"{number(after.unique)} ({_unique(after)})"),
        ("novel", f"{number(before.novel)} ({_novel(before)})", f"{number(after.novel)} ({_novel(after)})"),
    ]
    return Section(
        "Training and screening",
        columns(
            figure(
                loss(data.steps, data.train_loss, data.valid_loss),
                "Loss while training",
                "Each step is faint, the running mean over a fortieth of the run is bold.",
            ),
            table(rows, ["", "trained", "fine-tuned"], caption="What became of the samples")
            + paragraph(
                "Valid: the text is a molecule of at least one atom. Unique: distinct canonical SMILES among the valid "
                "ones. Novel: those of the unique ones that are not among the molecules trained on."
            ),
        ),
        "How the loss fell, and how many of the sampled texts are molecules, distinct, and new.",
    )


def _fine_tuning(data: DemoReport) -> Section:
    before = Round(data.kept, _mean_of(data, "samples"), data.before)
    every = [before, *data.rounds] if data.rounds else []
    rows = [
        (
            i,
            one.trained_on if i else None,
            one.mean,
            _valid(one.screening),
            _unique(one.screening),
            _novel(one.screening),
        )
        for i, one in enumerate(every)
    ]
    progress = rounds(
        data.property_name,
        [one.mean for one in every],
        {
            "valid": [_share(one.screening.valid, one.screening.sampled) for one in every],
            "unique": [_share(one.screening.unique, one.screening.valid) for one in every],
        },
        unit=data.unit,
        reference=_mean_of(data, "data"),
    )
    name = f"mean {data.property_name}" + (f" ({data.unit})" if data.unit else "")
    return Section(
        "Fine-tuning",
        columns(
            figure(
                property_distribution(data.property_name, data.unit, data.values),
                f"{data.property_name} of data and samples",
                "Vertical lines are the means; the outline of the data is repeated behind the samples.",
            ),
            figure(progress, "Round by round", "Round 0 is the trained model before fine-tuning."),
        )
        + (table(rows, ["round", "trained on", name, "valid", "unique", "novel"]) if rows else ""),
        f"In each round the model is trained on those of its samples that have the best {data.property_name}.",
    )


def _molecules(data: DemoReport) -> Section:
    body = "".join(
        part(
            group,
            molecule_grid([text for text, _ in items], [_caption(data, value) for _, value in items], label=group),
        )
        for group, items in data.drawn.items()
        if items
    )
    note = f"Some valid samples with their {data.property_name}; point at a SMILES to read all of it."
    return Section("Molecules", body, note) if body else Section("Molecules", paragraph("No molecule was drawn."))


def _failures(data: DemoReport) -> Section:
    empty = f" {number(data.before.empty)} more were empty." if data.before.empty else ""
    failed = data.before.sampled - data.before.valid - data.before.empty
    return Section(
        "What failed, and why",
        table(data.failures, ["sampled text", "reason"], code=[0])
        if data.failures
        else paragraph("No example of a text that is not a molecule was given."),
        f"Of the trained model's samples {number(failed)} texts are no molecules.{empty}",
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


def _mean_of(data: DemoReport, group: str) -> float:
    values = np.asarray(data.values.get(group, ()), dtype=np.float64)
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")


def _mean(data: DemoReport, group: str) -> str:
    return number(_mean_of(data, group))


def _caption(data: DemoReport, value: float) -> str:
    return f"{data.property_name} {number(value)}" + (f" {data.unit}" if data.unit else "")


def _share(some: int, of: int) -> float:
    return some / of if of else float("nan")


def _valid(screening: Screening) -> str:
    return percent(screening.valid, screening.sampled)


def _unique(screening: Screening) -> str:
    return percent(screening.unique, screening.valid)


def _novel(screening: Screening) -> str:
    return percent(screening.novel, screening.unique)
