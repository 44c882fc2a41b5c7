"""``mrl improve``: molecules with a high score, from a model and a file that describes the score."""

from __future__ import annotations

import csv
import math
import shlex
from pathlib import Path

from mrl.chem import CanonicalSet, canon_smile
from mrl.cli.commands.models.train import MODEL, VOCAB, load_model
from mrl.cli.console import DATA, USAGE, note, print_grid, print_json, progress, stop, success
from mrl.cli.molecules import read_molecules
from mrl.cli.options import ImproveOptions, Notation
from mrl.cli.tables import notation_of, require_folder
from mrl.files import atomic, write_atomic
from mrl.lm import one_thread
from mrl.loop import STATE_FILE, Round, Run, Score, improve, load_score, save_score
from mrl.loop import ImproveOptions as Settings
from mrl.messages import format_count
from mrl.report import ImproveReport

REPORT, MOLECULES, SCORE = "report.html", "molecules.csv", "score.toml"


def run(options: ImproveOptions) -> None:
    """Search, show the course, write the molecules and the report; a search that was interrupted goes on."""
    score = load_score(options.score)
    if options.out.resolve() == _folder_of(options.model).resolve():
        stop(f"{options.out} is the folder of the model, which would be replaced; choose another one with -o", USAGE)
    require_folder(options.out)
    if options.force:
        (options.out / STATE_FILE).unlink(missing_ok=True)
    model, vocab = load_model(options.model)
    if notation_of(vocab) not in (Notation.SMILES, None):
        stop(
            f"{options.model} writes {notation_of(vocab)}, but a search needs a model of SMILES",
            USAGE,
        )
    known = None if options.known is None else CanonicalSet.of(read_molecules(options.known, options))
    start = [] if options.start is None else read_molecules(options.start, options).tolist()
    options.out.resolve().mkdir(parents=True, exist_ok=True)
    save_score(score, options.out / SCORE)
    settings = Settings(batch=options.batch, scaffold_limit=options.scaffold_limit)
    with one_thread(), progress("best {task.fields[best]:.3f}", "mean of 10 {task.fields[top]:.3f}") as bar:
        task = bar.add_task("scoring", total=options.budget, best=math.nan, top=math.nan)

        def show(one: Round) -> None:
            bar.update(task, completed=one.calls, best=one.best, top=one.top)

        found = improve(
            model,
            score,
            vocab=vocab,
            budget=options.budget,
            seed=options.seed,
            start=start,
            out=options.out,
            options=settings,
            on_round=show,
        )
    marks = None if known is None else [canon_smile(call.smiles) in known for call in found.history]
    _write(found, marks, options.out / MOLECULES)
    model.save(options.out / MODEL)
    vocab.save(options.out / VOCAB)
    write_atomic(options.out / REPORT, _page(found, marks, score, options, settings).html)
    success(f"scored {format_count(found.calls, 'molecule')}, {found.history.failed:,} of them without a result")
    if found.calls < found.budget:
        note(
            f"  ended before its budget of {found.budget:,}: the ten best stayed the same, or nothing new was proposed"
        )
    success(f"wrote {options.out / MOLECULES}, {options.out / REPORT} and the model that learned")
    best = found.best(10)
    if not best:
        stop(f"no molecule has a score; the reasons are in {options.out / MOLECULES}", DATA)
    if options.json:
        print_json(
            {
                "calls": found.calls,
                "budget": found.budget,
                "failed": found.history.failed,
                "auc": found.auc,
                "best": [{"smiles": call.smiles, "score": call.score, "source": call.source} for call in best],
                "molecules": str(options.out / MOLECULES),
                "report": str(options.out / REPORT),
            }
        )
    else:
        rows = [(f"{call.score:.3f}", call.smiles, call.source) for call in best]
        print_grid(rows, ("score", "SMILES", "proposed by"), numbers=(0,))


def _folder_of(model: Path) -> Path:
    return model.parent if model.suffix else model


def _write(found: Run, marks: list[bool] | None, path: Path) -> None:
    """Write every call, the highest score first, those without a score at the end."""
    history = found.history
    order = history.ranking().tolist()
    order += [row for row, call in enumerate(history) if math.isnan(call.score)]
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["smiles", "score", "call", "round", "source", "known", "reason"])
        for row in order:
            call = history[row]
            value = "" if math.isnan(call.score) else repr(call.score)
            mark = "" if marks is None else int(marks[row])
            writer.writerow([call.smiles, value, row + 1, call.round, call.source, mark, call.reason])


def _page(
    found: Run, marks: list[bool] | None, score: Score, options: ImproveOptions, settings: Settings
) -> ImproveReport:
    history = found.history
    return ImproveReport(
        options.score.name,
        [call.smiles for call in history],
        [call.source for call in history],
        history.scores,
        [call.reason for call in history],
        marks,
        found.budget,
        found.auc,
        [(part.name, part.direction, part.weight) for part in score.components],
        _command(options),
        vars(settings) | {"seed": options.seed, "rounds": len(found.rounds)},
    )


def _command(options: ImproveOptions) -> str:
    """Return the command that makes the same search."""
    parts = ["mrl", "improve", str(options.model), "--score", str(options.score), "--budget", str(options.budget)]
    parts += ["--seed", str(options.seed), "--batch", str(options.batch), "-o", str(options.out)]
    for name in ("start", "known", "scaffold_limit"):
        if (value := getattr(options, name)) is not None:
            parts += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join([*parts, *options.reading_words])
