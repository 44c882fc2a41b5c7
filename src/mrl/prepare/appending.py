"""Rows of files that are cleaned as those of a corpus were, and written after them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mrl.corpus import Corpus, Manifest, open_corpus
from mrl.errors import CorpusError
from mrl.prepare.base import APPENDING, Base
from mrl.prepare.engines import READ_AHEAD, Engine, start_processes
from mrl.prepare.job import JOB, WORK, Job, differing, with_saved_input
from mrl.prepare.locking import claimed
from mrl.prepare.phases.finishing import remove_appended
from mrl.prepare.recipe import Inputs, Recipe
from mrl.prepare.status import Status
from mrl.prepare.work import Work

# How files are read may differ, as long as they have the same columns, and how many rows a shard has.
_FREE = ("smiles", "format", "options", "rows_per_part")


def append_rows(
    inputs: Inputs,
    recipe: Recipe,
    out: Path,
    running: tuple[Engine, int],
    report: Callable[[Status], object],
    *,
    limit: int | None = None,
    work: Path | None = None,
) -> Manifest:
    """Write the rows of files after those of a corpus, which stay as they are, or none of them; return its manifest.

    With a folder for the `work`, return the manifest that the corpus would have, with `limit` input rows, and write
    nothing into it.
    """
    is_dry, work = work is not None, work or out / APPENDING
    engine, most = running
    start_processes(engine)
    open_corpus(out)  # before anything is written
    inside = sorted(path.name for path in work.iterdir()) if work.is_dir() else []
    if (inside and not (work / WORK / JOB).exists() and inside != [WORK]) or (work.exists() and not work.is_dir()):
        raise CorpusError(f"{work} is not work of mrl prepare --append: rename it", path=str(work))
    with claimed(inputs, work):
        corpus = open_corpus(out)
        _require_same(corpus, inputs, recipe)
        vocab = None if corpus.manifest.vocab is None else corpus.vocab
        job = Job.start(with_saved_input(inputs, work), replace(recipe, vocab=vocab, merges=0), work, Base.of(corpus))
        if job.identity in {entry.get("job") for entry in corpus.manifest.history[1:]}:
            if is_dry:
                raise CorpusError(
                    f"{out} has the rows of these files already: appending them changes nothing", path=str(out)
                )
            remove_appended(out, corpus.manifest)
            return corpus.manifest
        todo = Work(job, report)
        if recipe.duplicates is not None:
            todo.run("compare", todo.calls_to_compare(), engine, most)
        todo.run("clean", todo.calls_to_read(limit), engine, READ_AHEAD if most > 1 else 1)
        todo.run("plan", todo.calls_to_plan(), engine, most)
        todo.run("write", todo.calls_to_write(), engine, most)
        return todo.finish(is_dry=is_dry)


def _require_same(corpus: Corpus, inputs: Inputs, recipe: Recipe) -> None:
    """Raise a CorpusError unless a corpus was prepared with a recipe, and rows can be appended by it."""
    path = corpus.path
    first = corpus.manifest.history[0] if corpus.manifest.history else {}
    if "recipe" not in first:
        raise CorpusError(
            f"{path} was not prepared from files: write the rows of a table after its rows, Corpus.append",
            path=str(path),
        )
    settings = {**recipe.to_dict(), **inputs.to_dict()}
    fixed = {name: value for name, value in settings.items() if name not in _FREE}
    differs = differing({**first["recipe"], **first["prepared"]["columns"]}, fixed)
    if differs:
        raise CorpusError(
            f"{path} was prepared with other settings ({'; '.join(differs)}): append with those, or prepare all files "
            "in another folder",
            path=str(path),
        )
    rule = recipe.duplicates
    if rule is not None and rule.labels != "first" and inputs.targets:
        raise CorpusError(
            f"{path} merges labels of a molecule (duplicates {rule.labels}), so new rows could change those of rows "
            "that are there: prepare all files in another folder",
            path=str(path),
        )
