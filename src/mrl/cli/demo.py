"""``mrl demo``: the main job, from a file of molecules to a language model, its samples, fine-tuning, and a report."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table as Grid
from typer import BadParameter

from mrl.chem import PROPERTIES, CanonicalSet, Cleaned
from mrl.cli.console import out as stdout
from mrl.cli.console import progress, reported, success, write_json
from mrl.cli.model import TrainingBar, save
from mrl.cli.molecules import BATCH_SIZE, cleaned, dataset_of
from mrl.cli.sample import write_csv
from mrl.cli.tables import read_table
from mrl.data import TextDataset
from mrl.lm import FinetuneOptions, LanguageModel, ModelConfig, Round, accelerator, finetune, one_thread, train
from mrl.ragged import Text
from mrl.report import DemoReport, Screening, demo_report, write
from mrl.report import Round as ReportedRound
from mrl.report.words import name_and_unit

__all__ = ["run"]

MAX_LENGTH = 128
LEARNING_RATE = 1.2e-2
SHOWN = 2000  # molecules of the data whose property is computed: enough for a distribution, two seconds of RDKit


def run(
    file: Path | None,
    property: str,
    seed: int,
    out: Path,
    smiles_column: str | None,
    steps: int,
    samples: int,
    rounds: int,
    json: bool,
) -> None:
    """Do all of it; nothing is written before the molecules were read, cleaned and learned."""
    if property not in PROPERTIES:
        raise BadParameter(f"there is no property {property!r}; choose one of {', '.join(sorted(PROPERTIES))}")
    with reported(), one_thread():
        begun = time.perf_counter()
        table = read_table(file, smiles_column)
        clean = cleaned(table)
        dataset = dataset_of(clean.smiles, MAX_LENGTH, table.rows[clean.kept])
        known = CanonicalSet(clean.smiles)  # canonical already
        model, losses = _trained(dataset, steps, seed)
        save(model, dataset.vocab, out)
        success(f"wrote {out}/vocab.json and {out}/model.safetensors")
        every = _fine_tuned(model, dataset, PROPERTIES[property], known, samples, rounds, seed)
        model.save(out / "fine-tuned.safetensors")
        before, after = every[0], every[-1]
        _write_samples(out / "samples.csv", before, after, property)
        name, unit = name_and_unit(property)
        settings = {"property": property, "seed": seed, "steps": steps, "samples": samples, "rounds": rounds}
        report = DemoReport(
            source="the bundled sample" if file is None else file.name,
            rows=len(table) + len(table.rejects),
            cleaning=_cleaning(len(table.rejects), clean, len(dataset.rejects)),
            kept=len(dataset),
            vocabulary=len(dataset.vocab),
            command=_command(file, smiles_column, settings),
            property_name=name,
            unit=unit,
            values={
                "data": _values(dataset.smiles, PROPERTIES[property]),
                "samples": _finite(before.scores),
                "fine-tuned": _finite(after.scores),
            },
            lengths={
                "data": dataset.lengths() - 2,
                "samples": _lengths(before, dataset),
                "fine-tuned": _lengths(after, dataset),
            },
            tokens=_tokens(dataset),
            steps=np.arange(1, len(losses) + 1),
            train_loss=losses,
            before=Screening.of(before.screened),
            after=Screening.of(after.screened),
            rounds=[
                ReportedRound(one.trained_on, now.mean, Screening.of(now.screened)) for one, now in pairwise(every)
            ],
            failures=[(reject.text, reject.reason) for reject in before.screened.rejects if reject.text][:12],
            drawn={"samples": before.best(10), "fine-tuned": after.best(10)},
            settings={
                **settings,
                "batch": BATCH_SIZE,
                "learning rate": LEARNING_RATE,
                "device": str(model.device),
            },
            versions=_versions(),
        )
        write(out / "report.html", demo_report(report))
        success(f"wrote {out}/fine-tuned.safetensors, {out}/samples.csv and {out}/report.html")
        seconds = time.perf_counter() - begun
        facts = _facts(report, property, seconds, out)
        if json:
            write_json(facts)
        else:
            _show(report, seconds, out)


def _trained(dataset: TextDataset, steps: int, seed: int) -> tuple[LanguageModel, NDArray[np.float64]]:
    model = LanguageModel(ModelConfig.for_vocab(dataset.vocab), seed=seed).to(accelerator())
    loader = dataset.dataloader(BATCH_SIZE, bucket=True, seed=seed, device=model.device)
    bar = TrainingBar(steps)
    with bar.running():
        losses = train(model, loader, steps=steps, lr=LEARNING_RATE, on_step=bar)
    assert bar.last is not None
    rate = bar.last.molecules / bar.last.seconds
    success(f"trained {steps:,} steps in {bar.last.seconds:.0f} s ({rate:,.0f} molecules/s), loss {bar.last.loss:.3f}")
    return model, losses


def _fine_tuned(
    model: LanguageModel,
    dataset: TextDataset,
    score: Callable[[str], float],
    known: CanonicalSet,
    samples: int,
    rounds: int,
    seed: int,
) -> list[Round]:
    with progress("{task.fields[said]}") as bar:
        task = bar.add_task("fine-tuning", total=rounds + 1, said="sampling")

        def told(one: Round) -> None:
            screened = one.screened
            said = f"mean {one.mean:.3f}, {screened.validity:.1%} valid, {screened.uniqueness:.1%} unique"
            if one.number == 0:
                success(f"sampled {screened.n:,}: {said}, {screened.novelty:.1%} novel")
            bar.update(task, advance=1, said=said)

        options = FinetuneOptions(rounds=rounds, samples=samples, seed=seed, max_length=MAX_LENGTH)
        every = finetune(model, dataset, score, options, known=known, on_round=told)
    success(f"fine-tuned in {len(every) - 1} rounds")
    return every


def _write_samples(path: Path, before: Round, after: Round, property: str) -> None:
    write_csv(
        path,
        [
            ("trained", before.texts, before.screened, before.scores),
            ("fine-tuned", after.texts, after.screened, after.scores),
        ],
        property,
    )


def _cleaning(not_read: int, clean: Cleaned, too_long: int) -> dict[str, int]:
    steps = {
        "empty or not readable": not_read,
        "not a molecule": clean.counts["parse"].removed,
        "the same molecule again": clean.counts["duplicates"].removed,
        f"more than {MAX_LENGTH - 2} tokens": too_long,
    }
    return {reason: rows for reason, rows in steps.items() if rows}


def _values(smiles: Text, property: Callable[[str], float]) -> NDArray[np.float64]:
    """The property of rows spread evenly over the data."""
    n = len(smiles)
    rows = range(n) if n <= SHOWN else (i * n // SHOWN for i in range(SHOWN))
    return np.array([property(smiles[row]) for row in rows])


def _finite(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return scores[np.isfinite(scores)]


def _lengths(one: Round, dataset: TextDataset) -> NDArray[np.int64]:
    valid = [form for form in one.screened.smiles if form is not None]
    return dataset.vocab.encode(valid, on_unknown="unk").lengths - 2


def _tokens(dataset: TextDataset) -> dict[str, int]:
    """How often each token stands in the data, the most frequent first."""
    counts = dataset.vocab.count_tokens(dataset.smiles)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _command(file: Path | None, smiles_column: str | None, settings: dict[str, Any]) -> str:
    """The command that does the same again, every setting written out."""
    words = ["mrl", "demo", *([str(file)] if file else [])]
    if smiles_column is not None:
        words += ["--smiles-column", smiles_column]
    return shlex.join([*words, *(word for name, value in settings.items() for word in (f"--{name}", str(value)))])


def _versions() -> dict[str, str]:
    packages = ("mrl", "torch", "rdkit", "numpy")
    return {name: importlib.metadata.version(name) for name in packages} | {"python": platform.python_version()}


def _facts(report: DemoReport, property: str, seconds: float, out: Path) -> dict[str, Any]:
    def rates(screening: Screening, group: str) -> dict[str, Any]:
        values = np.asarray(report.values[group])
        return {
            "sampled": screening.sampled,
            "empty": screening.empty,
            "valid": screening.valid,
            "unique": screening.unique,
            "novel": screening.novel,
            f"mean_{property}": float(values.mean()) if len(values) else None,
        }

    return {
        "source": report.source,
        "rows": report.rows,
        "molecules": report.kept,
        "tokens": report.vocabulary,
        "property": property,
        "data_mean": float(np.asarray(report.values["data"]).mean()),
        "trained": rates(report.before, "samples"),
        "fine_tuned": rates(report.after, "fine-tuned"),
        "seconds": round(seconds, 1),
        "out": str(out),
    }


def _show(report: DemoReport, seconds: float, out: Path) -> None:
    def share(part: int, whole: int) -> str:
        return f"{part / whole:.1%}" if whole else "n/a"

    def mean(group: str) -> str:
        values = np.asarray(report.values[group])
        return f"{values.mean():.3f}" if len(values) else "n/a"

    grid = Grid(title=f"{report.kept:,} molecules of {report.source}", title_justify="left")
    for column in ("", "data", "trained", "fine-tuned"):
        grid.add_column(column, justify="right" if column else "left")
    before, after = report.before, report.after
    grid.add_row("valid", "", share(before.valid, before.sampled), share(after.valid, after.sampled))
    grid.add_row("unique", "", share(before.unique, before.valid), share(after.unique, after.valid))
    grid.add_row("novel", "", share(before.novel, before.unique), share(after.novel, after.unique))
    unit = f" ({report.unit})" if report.unit else ""
    grid.add_row(f"mean {report.property_name}{unit}", mean("data"), mean("samples"), mean("fine-tuned"))
    stdout.print(grid)
    stdout.print(f"{seconds:.0f} s. Open {out}/report.html to see it all.", markup=False)
