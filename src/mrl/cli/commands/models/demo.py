"""``mrl demo``: from a file of molecules to a language model, its samples, fine-tuning, and a report."""

from __future__ import annotations

import importlib.metadata
import math
import platform
import shlex
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.chem import PROPERTIES, CanonicalSet, title_and_unit
from mrl.cli.commands.models.sample import write_csv
from mrl.cli.commands.models.train import BATCH_SIZE, Molecules, load_molecules, save_model, train_model
from mrl.cli.console import USAGE, print_grid, print_json, print_text, progress, stop, success
from mrl.cli.options import DemoOptions
from mrl.cli.tables import require_folder
from mrl.data import TextDataset
from mrl.files import write_atomic
from mrl.formatting import format_number, format_percent
from mrl.lm import FinetuneOptions, LanguageModel, Round, finetune, one_thread
from mrl.messages import did_you_mean, format_count
from mrl.ragged import Text
from mrl.report import DemoReport

MAX_LENGTH = 128
LEARNING_RATE = 1.2e-2
SHOWN = 2000  # molecules of the data whose property is computed: enough for a distribution, two seconds of RDKit


def run(options: DemoOptions) -> None:
    """Do all of it; nothing is written before the molecules were read, cleaned and learned."""
    if options.property not in PROPERTIES:
        suggestion = did_you_mean(options.property, PROPERTIES)
        stop(
            f"--property is {options.property!r}{suggestion}; choose one of {', '.join(sorted(PROPERTIES))}",
            USAGE,
        )
    start = time.perf_counter()
    out = options.out
    require_folder(out)
    with one_thread():
        molecules = load_molecules(options.file, options.smiles_column, MAX_LENGTH)
        dataset = molecules.dataset
        model, losses, _ = train_model(dataset, options.steps, LEARNING_RATE, options.seed)
        save_model(model, dataset.vocab, out)
        known = CanonicalSet(molecules.cleaned.smiles)  # canonical already
        rounds = _finetune(model, dataset, known, options)
    model.save(out / "fine-tuned.safetensors")
    first, last = rounds[0], rounds[-1]
    samples = [("trained", first.texts, first.screened, first.scores)]
    samples.append(("fine-tuned", last.texts, last.screened, last.scores))
    write_csv(out / "samples.csv", samples, options.property)
    report = _report(options, molecules, losses, rounds, str(model.device))
    write_atomic(out / "report.html", report.html)
    success(f"wrote {out}/fine-tuned.safetensors, {out}/samples.csv and {out}/report.html")
    seconds = time.perf_counter() - start
    if options.json:
        print_json(_facts(report, options) | {"seconds": round(seconds, 1), "out": str(out)})
    else:
        _show(report)
        print_text(f"{seconds:.0f} s. Open {out}/report.html in a browser.")


def _finetune(model: LanguageModel, dataset: TextDataset, known: CanonicalSet, options: DemoOptions) -> list[Round]:
    with progress("{task.fields[state]}") as bar:
        task = bar.add_task("fine-tuning", total=options.rounds + 1, state="sampling")

        def show(one: Round) -> None:
            screened = one.screened
            state = f"mean {one.mean:.3f}, {screened.validity:.1%} valid, {screened.uniqueness:.1%} unique"
            if one.number == 0:
                success(f"sampled {screened.n:,}: {state}, {screened.novelty:.1%} novel")
            bar.update(task, advance=1, state=state, refresh=True)

        climb = FinetuneOptions(
            rounds=options.rounds, samples=options.samples, seed=options.seed, max_length=MAX_LENGTH
        )
        rounds = finetune(model, dataset, PROPERTIES[options.property], climb, known=known, on_round=show)
    success(f"fine-tuned in {format_count(len(rounds) - 1, 'round')}")
    return rounds


def _report(
    options: DemoOptions, molecules: Molecules, losses: NDArray[np.float64], rounds: list[Round], device: str
) -> DemoReport:
    table, cleaned, dataset = molecules
    first, last = rounds[0], rounds[-1]
    name, unit = title_and_unit(options.property)
    settings = {name: getattr(options, name) for name in ("property", "seed", "steps", "samples", "rounds")}
    removed = {
        "empty or not readable": len(table.rejects),
        "not a molecule": cleaned.counts["parse"].removed,
        "the same molecule again": cleaned.counts["duplicates"].removed,
        f"more than {MAX_LENGTH - 2} tokens": len(dataset.rejects),
    }
    tokens = dataset.vocab.count_tokens(dataset.smiles)
    return DemoReport(
        source="the bundled sample" if options.file is None else options.file.name,
        rows=len(table) + len(table.rejects),
        cleaning={reason: rows for reason, rows in removed.items() if rows},
        kept=len(dataset),
        vocabulary=len(dataset.vocab),
        command=_command(options, settings),
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
        settings={**settings, "batch": BATCH_SIZE, "learning rate": LEARNING_RATE, "device": device},
        versions={name: importlib.metadata.version(name) for name in ("mrl", "torch", "rdkit", "numpy")}
        | {"python": platform.python_version()},
    )


def _command(options: DemoOptions, settings: dict[str, Any]) -> str:
    """Return the command that does the same again, every setting written out."""
    words = ["mrl", "demo", *([str(options.file)] if options.file else [])]
    if options.smiles_column is not None:
        words += ["--smiles-column", options.smiles_column]
    return shlex.join([*words, *(word for name, value in settings.items() for word in (f"--{name}", str(value)))])


def _property_values(smiles: Text, property: Callable[[str], float]) -> NDArray[np.float64]:
    """Return the property of rows that are spread evenly over the data."""
    n = len(smiles)
    rows = range(n) if n <= SHOWN else (i * n // SHOWN for i in range(SHOWN))
    return np.array([property(smiles[row]) for row in rows])


def _lengths(one: Round, dataset: TextDataset) -> NDArray[np.int64]:
    valid = [smiles for smiles in one.screened.smiles if smiles is not None]
    return dataset.vocab.encode(valid, on_unknown="unk").lengths - 2


def _data_mean(report: DemoReport) -> float:
    return float(np.asarray(report.values).mean())


def _facts(report: DemoReport, options: DemoOptions) -> dict[str, Any]:
    def counts(one: Round) -> dict[str, Any]:
        return {
            "sampled": one.screened.n,
            "empty": one.screened.empty,
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
        "data_mean": _data_mean(report),
        "trained": counts(report.rounds[0]),
        "fine_tuned": counts(report.rounds[-1]),
    }


def _show(report: DemoReport) -> None:
    both = report.rounds[0], report.rounds[-1]
    screened = [one.screened for one in both]
    unit = f" ({report.unit})" if report.unit else ""
    rows = [
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
