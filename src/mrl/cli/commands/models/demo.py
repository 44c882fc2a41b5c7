"""``mrl demo``: from a file of molecules to a language model, its samples, fine-tuning, and a report."""

from __future__ import annotations

import csv
import math
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.chem import (
    PROPERTIES,
    CanonicalSet,
    HasAlert,
    Screened,
    internal_diversity,
    nearest_neighbours,
    title_and_unit,
)
from mrl.cli.commands.models.train import (
    BATCH_SIZE,
    Molecules,
    facts_of,
    load_molecules,
    require_model_folder,
    save_model,
    train_model,
)
from mrl.cli.console import USAGE, note, print_grid, print_json, print_text, progress, stop, success
from mrl.cli.options import DemoOptions
from mrl.cli.tables import require_writable
from mrl.data import TextDataset
from mrl.files import atomic, write_atomic
from mrl.formatting import format_number, format_percent
from mrl.lm import FinetuneOptions, FinetuneRound, LanguageModel, ModelConfig, accelerator, finetune, one_thread
from mrl.messages import did_you_mean, format_count
from mrl.ragged import Text
from mrl.report import DemoReport, shown_rows

SHOWN = 2000  # molecules of the data whose property is computed: enough for a distribution, two seconds of RDKit
COMPARED = 500  # molecules of a group for alerts and diversity
SEARCHED = 25_000  # molecules of the data among which the nearest are looked for
LOWER_IS_BETTER = frozenset({"sa_score"})  # the synthetic accessibility score rises with difficulty

Samples: TypeAlias = tuple[str, Sequence[str], Screened, NDArray[np.float64]]
"""Name of a model, the texts that it generated, what is known of them, and their property."""


@dataclass
class Goal:
    """A property, and what is wanted of it; it keeps the values that it has computed."""

    name: str
    minimize: bool
    target: float | None
    values: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, options: DemoOptions) -> Goal:
        """Return the goal of the options: a direction is always chosen."""
        minimize = options.property in LOWER_IS_BETTER if options.minimize is None else options.minimize
        return cls(options.property, minimize and options.target is None, options.target)

    def __call__(self, smiles: str) -> float:
        """Return the score of a molecule: higher is nearer to the goal."""
        value = self.values[smiles] = float(PROPERTIES[self.name](smiles))
        if self.target is not None:
            return -abs(value - self.target)
        return -value if self.minimize else value

    def __str__(self) -> str:
        title, unit = title_and_unit(self.name)
        if self.target is not None:
            return f"a {title} of {self.target:g} {unit}".rstrip()
        return f"a {'lower' if self.minimize else 'higher'} {title}"

    @property
    def words(self) -> list[str]:
        """The options that name it."""
        if self.target is not None:
            return ["--target", f"{self.target:g}"]
        return ["--minimize" if self.minimize else "--maximize"]

    def with_values(self, one: FinetuneRound) -> FinetuneRound:
        """Return a round whose scores are values of the property."""
        values = [math.nan if smiles is None else self.values.get(smiles, math.nan) for smiles in one.screened.smiles]
        return replace(one, scores=np.where(np.isnan(one.scores), np.nan, np.array(values, np.float64)))


def run(options: DemoOptions) -> None:
    """Do all of it; nothing is written before the molecules were read, cleaned and learned."""
    if options.property not in PROPERTIES:
        suggestion = did_you_mean(options.property, PROPERTIES)
        stop(
            f"--property is {options.property!r}{suggestion}; choose one of {', '.join(sorted(PROPERTIES))}",
            USAGE,
        )
    start = time.perf_counter()
    out, goal = options.out, Goal.of(options)
    require_model_folder(out, options.force)
    require_writable(*(out / name for name in ("fine-tuned.safetensors", "samples.csv", "report.html")))
    note(f"  the goal of fine-tuning is {goal}; others with --minimize, --maximize or --target VALUE")
    with one_thread():
        molecules = load_molecules(options.file, options, options.max_length)
        dataset = molecules.dataset
        model = LanguageModel(ModelConfig.for_vocab(dataset.vocab, max_length=options.max_length), seed=options.seed)
        model.about["trained_on"] = facts_of(_source(options), dataset)
        losses, _ = train_model(model, dataset, options.steps, options.lr, options.seed)
        save_model(model, dataset.vocab, out)
        known = CanonicalSet(molecules.cleaned.smiles)  # canonical already
        rounds = _finetune(model, dataset, known, options, goal)
    model.about["fine_tuned_towards"] = str(goal)
    model.save(out / "fine-tuned.safetensors")
    first, last = rounds[0], rounds[-1]
    samples: list[Samples] = [("trained", first.texts, first.screened, first.scores)]
    samples.append(("fine-tuned", last.texts, last.screened, last.scores))
    _write_csv(out / "samples.csv", samples, options.property)
    report = _report(options, goal, molecules, losses, rounds, str(accelerator()))
    write_atomic(out / "report.html", report.html)
    success(f"wrote {out}/fine-tuned.safetensors, {out}/samples.csv and {out}/report.html")
    seconds = time.perf_counter() - start
    if options.json:
        print_json(_facts(report, options) | {"seconds": round(seconds, 1), "out": str(out)})
    else:
        _show(report)
        print_text(f"{seconds:.0f} s. Open {out}/report.html in a browser.")


def _source(options: DemoOptions) -> str:
    return "the bundled sample" if options.file is None else options.file.name


def _write_csv(path: Path, groups: Sequence[Samples], score: str) -> None:
    """Write every sample, the molecule that it is, or the reason why it is invalid; a whole file or none."""
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["model", "text", "smiles", "valid", "unique", "novel", score, "reason"])
        for model, texts, screened, scores in groups:
            reasons = {reject.row: reject.reason for reject in screened.rejects}
            for row, text in enumerate(texts):
                flags = [int(column[row]) for column in (screened.valid, screened.unique, screened.novel)]
                value = "" if math.isnan(scores[row]) else f"{scores[row]:.6g}"
                table.writerow([model, text, screened.smiles[row] or "", *flags, value, reasons.get(row, "")])


def _finetune(
    model: LanguageModel, dataset: TextDataset, known: CanonicalSet, options: DemoOptions, goal: Goal
) -> list[FinetuneRound]:
    with progress("{task.fields[state]}") as bar:
        task = bar.add_task("fine-tuning", total=options.rounds + 1, state="sampling")

        def show(one: FinetuneRound) -> None:
            screened = one.screened
            mean = goal.with_values(one).mean
            rates = [format_percent(rate, 1) for rate in (screened.validity, screened.uniqueness, screened.novelty)]
            state = f"mean {mean:.3f}, {rates[0]} valid, {rates[1]} unique"
            if one.number == 0:
                cut = f", {screened.unfinished:,} cut at the length limit" if screened.unfinished else ""
                success(f"sampled {screened.n:,}: {state}, {rates[2]} novel{cut}")
            bar.update(task, advance=1, state=state, refresh=True)

        climb = FinetuneOptions(rounds=options.rounds, samples=options.samples, seed=options.seed)
        rounds = finetune(model, dataset, goal, climb, known=known, on_round=show)
    success(f"fine-tuned in {format_count(len(rounds) - 1, 'round')} towards {goal}")
    return [goal.with_values(one) for one in rounds]


def _report(
    options: DemoOptions,
    goal: Goal,
    molecules: Molecules,
    losses: NDArray[np.float64],
    rounds: list[FinetuneRound],
    device: str,
) -> DemoReport:
    table, cleaned, dataset = molecules
    first, last = rounds[0], rounds[-1]
    name, unit = title_and_unit(options.property)
    settings = {name: getattr(options, name) for name in ("property", "seed", "steps", "samples", "rounds", "lr")}
    settings["max-length"] = options.max_length
    removed = {
        "empty or not readable": len(table.rejects),
        "not a molecule": cleaned.counts["parse"].removed,
        "the same molecule again": cleaned.counts["duplicates"].removed,
        f"more than {options.max_length - 2} tokens": len(dataset.rejects),
    }
    tokens = dataset.vocab.count_tokens(dataset.smiles)
    return DemoReport(
        source=_source(options),
        rows=len(table) + len(table.rejects),
        cleaning={reason: rows for reason, rows in removed.items() if rows},
        kept=len(dataset),
        vocabulary=len(dataset.vocab),
        command=_command(options, goal, settings),
        property_name=name,
        unit=unit,
        values=_property_values(dataset.smiles, PROPERTIES[options.property]),
        lengths={
            "data": dataset.lengths() - 2,
            "samples": _lengths(first, dataset),
            "fine-tuned": _lengths(last, dataset),
        },
        tokens=dict(sorted(tokens.items(), key=lambda item: (-item[1], item[0]))),
        train_loss=losses,
        rounds=rounds,
        goal=str(goal),
        quality=_quality(dataset.smiles, [first, last]),
        neighbours=_neighbours(dataset.smiles, [first, last]),
        settings={**settings, "goal": str(goal), "batch": BATCH_SIZE, "device": device},
    )


def _command(options: DemoOptions, goal: Goal, settings: dict[str, Any]) -> str:
    """Return the command that does the same again, every setting written out."""
    words = ["mrl", "demo", *([str(options.file)] if options.file else [])]
    words += [*options.reading_words, *goal.words]
    return shlex.join([*words, *(word for name, value in settings.items() for word in (f"--{name}", str(value)))])


def _property_values(smiles: Text, property: Callable[[str], float]) -> NDArray[np.float64]:
    """Return the property of rows that are spread evenly over the data."""
    return np.array([property(text) for text in _spread(smiles, SHOWN)])


def _spread(smiles: Sequence[str], most: int) -> list[str]:
    """Return at most so many molecules, spread evenly over the rows."""
    n = len(smiles)
    rows = range(n) if n <= most else (i * n // most for i in range(most))
    return [smiles[row] for row in rows]


def _quality(data: Text, rounds: Sequence[FinetuneRound]) -> dict[str, list[float]]:
    """Return alerts and diversity of the data, and of the distinct molecules of each round."""
    sampled = [[str(one.screened.smiles[row]) for row in np.flatnonzero(one.screened.unique)] for one in rounds]
    groups = [_spread(group, COMPARED) for group in (data, *sampled)]
    alert = HasAlert("BRENK")
    return {
        "with a structural alert of BRENK, %": [100 * _mean([alert(text) for text in group]) for group in groups],
        "diversity (1 - mean similarity of ECFP4)": [internal_diversity(group) for group in groups],
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _neighbours(data: Text, rounds: Sequence[FinetuneRound]) -> dict[str, tuple[str, float]]:
    """Return the most similar molecule of the data for each molecule that the report draws."""
    shown = list(dict.fromkeys(str(one.screened.smiles[row]) for one in rounds for row in shown_rows(one)))
    if not shown:
        return {}
    searched = _spread(data, SEARCHED)
    rows, similarity = nearest_neighbours(shown, searched)
    pairs = zip(shown, rows[:, 0], similarity[:, 0], strict=True)
    return {text: (searched[row], float(value)) for text, row, value in pairs}


def _lengths(one: FinetuneRound, dataset: TextDataset) -> NDArray[np.int64]:
    valid = [smiles for smiles in one.screened.smiles if smiles is not None]
    return dataset.vocab.encode(valid, on_unknown="unk").lengths - 2


def _data_mean(report: DemoReport) -> float:
    return float(np.asarray(report.values).mean())


def _facts(report: DemoReport, options: DemoOptions) -> dict[str, Any]:
    def counts(one: FinetuneRound) -> dict[str, Any]:
        return {
            "sampled": one.screened.n,
            "empty": one.screened.empty,
            "unfinished": one.screened.unfinished,
            "valid": one.screened.n_valid,
            "unique": one.screened.n_unique,
            "novel": one.screened.n_novel,
            f"mean_{options.property}": None if math.isnan(one.mean) else one.mean,
        }

    return {
        "source": report.source,
        "rows": report.rows,
        "molecules": report.kept,
        "tokens": report.vocabulary,
        "property": options.property,
        "goal": report.aim,
        "data_mean": _data_mean(report),
        "trained": counts(report.rounds[0]),
        "fine_tuned": counts(report.rounds[-1]),
    }


def _show(report: DemoReport) -> None:
    both = report.rounds[0], report.rounds[-1]
    screened = [one.screened for one in both]
    unit = f" ({report.unit})" if report.unit else ""
    rows = [
        ("cut at the length limit", "", *(format_percent(one.unfinished, one.n) for one in screened)),
        ("valid", "", *(format_percent(one.n_valid, one.n) for one in screened)),
        ("unique", "", *(format_percent(one.n_unique, one.n_valid) for one in screened)),
        ("novel", "", *(format_percent(one.n_novel, one.n_unique) for one in screened)),
        (
            f"mean {report.property_name}{unit}",
            format_number(_data_mean(report)),
            *(format_number(one.mean) for one in both),
        ),
    ]
    title = f"{format_count(report.kept, 'molecule')} of {report.source}"
    print_grid(rows, ("", "data", "trained", "fine-tuned"), numbers=(1, 2, 3), title=title)
