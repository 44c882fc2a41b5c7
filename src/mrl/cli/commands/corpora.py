"""``mrl prepare``, ``mrl verify`` and ``mrl export``: corpora, rows on disk."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from typer import Exit

from mrl.chem import Duplicates
from mrl.cli.console import DATA, INTERRUPTED, USAGE, note, print_json, print_text, stop, success
from mrl.cli.molecules import chosen_steps
from mrl.cli.options import EngineKind, ExportOptions, Notation, PrepareOptions, VerifyOptions
from mrl.cli.tables import reading_options
from mrl.corpus import Manifest, open_corpus
from mrl.errors import VocabError
from mrl.messages import did_you_mean, format_count
from mrl.prepare import Inputs, RayEngine, Recipe, SplitRule, prepare_corpus, prepare_phase
from mrl.text import Vocab


def prepare(options: PrepareOptions) -> None:
    """Prepare a corpus, or one phase of it, and show what became of the rows."""
    inputs, recipe = _inputs(options), _recipe(options)
    began = time.monotonic()
    try:
        manifest = _prepare(options, inputs, recipe)
    except KeyboardInterrupt:
        if not options.dry_run:
            note("  what is finished is kept: the same command goes on from there")
        stop("interrupted", INTERRUPTED)
    if manifest is None:
        success(f"finished the phase {options.phase}, share {options.shard}, in {time.monotonic() - began:.1f} s")
        return
    _report(manifest, options, time.monotonic() - began)
    if options.json:
        print_json({"path": None if options.dry_run else str(options.out), **_facts(manifest, options)})
    if not manifest.rows:
        stop("no row is left; choose the column of the molecules with --smiles-column, or leave out some steps", DATA)


def _prepare(options: PrepareOptions, inputs: Inputs, recipe: Recipe) -> Manifest | None:
    if options.phase is not None:
        return prepare_phase(inputs, options.out, recipe, options.phase.value, shard=options.share, progress=True)
    return prepare_corpus(
        inputs,
        options.out,
        **vars(recipe),
        workers=options.workers,
        engine=RayEngine(options.address) if options.engine is EngineKind.RAY else None,
        dry_run=options.dry_run,
        append=options.append,
        progress=True,
    )


def _inputs(options: PrepareOptions) -> Inputs:
    notation = options.notation or (Notation.TEXT if options.no_parse else Notation.SMILES)
    return Inputs(
        [str(file) for file in options.files],
        smiles=options.smiles_column,
        targets=tuple(options.target_columns or ()),
        id=options.id_column,
        weight=options.weight_column,
        split=options.split_column,
        others=options.others,
        format=None if options.format is None else options.format.value,
        options=reading_options(options, notation, on_label=options.on_label, sequences=True),
    )


def _recipe(options: PrepareOptions) -> Recipe:
    given: Literal["random", "scaffold"] | None = options.split  # type: ignore[assignment]
    try:
        return Recipe(
            chosen_steps(options.preset, options.step) if options.preset or options.step else "none",
            not options.no_parse,
            None if options.duplicates is None else Duplicates(options.duplicates.value),
            None if given is None else SplitRule(given, options.fractions),
            _vocab(options.vocab),
            options.rows_per_part,
            options.seed,
            options.features or (),
            options.merges,
        )
    except ValueError as error:
        stop(str(error), USAGE)


def _vocab(name: str) -> Vocab | Literal["learn"] | None:
    if name == "learn":
        return "learn"
    if name == "none":
        return None
    if not Path(name).exists():
        meant = did_you_mean(name, ["learn", "none"])
        stop(f"--vocab is {name!r}{meant}; expected the file of a vocabulary, learn or none", USAGE)
    try:
        return Vocab.load(name)
    except VocabError as error:
        stop(str(error), DATA)


def _report(manifest: Manifest, options: PrepareOptions, seconds: float) -> None:
    done = _done(manifest, options)
    read = done["read"]["rows"]
    success(f"read {format_count(read, 'row')} of {', '.join(file['name'] for file in done['prepared']['inputs'])}")
    for name, rows in done["read"]["notes"].items():
        note(f"  {name}: {format_count(rows, 'row')}")
    for step in done["steps"]:
        if step["changed"]:
            one = next(example for example in step["examples"] if example["after"])
            changed = format_count(step["changed"], "row")
            note(f"  {step['stage']}: {changed} changed, e.g. {one['before']} -> {one['after']}")
        if step["removed"]:
            one = next(example for example in step["examples"] if not example["after"])
            removed = format_count(step["removed"], "row")
            note(f"  {step['stage']}: {removed} left out, e.g. row {one['row']}: {one['reason']}")
    stages = {step["stage"] for step in done["steps"]}
    for stage, rows in done["rejects"].items():
        if stage not in stages:
            note(f"  {stage}: {format_count(rows, 'row')} left out")
    if done["unknown_tokens"]:
        note(f"  tokens that the vocabulary lacks: {done['unknown_tokens']:,}; mrl vocab learn makes one that has them")
    if "merges" in done:
        note(f"  vocabulary: {done['merges']:,} of {options.merges:,} tokens of several pieces learned")
    parts = ", ".join(f"{name} {rows:,}" for name, rows in manifest.splits.items())
    kept = f"{format_count(manifest.rows, 'row')} of {read:,}{f' ({parts})' if parts else ''}"
    if options.append and options.dry_run:
        success(f"would append {done['rows']:,} of {read:,} rows to {options.out}; nothing is written")
    elif options.append:
        whole = f"{format_count(manifest.rows, 'row')}{f' ({parts})' if parts else ''}"
        success(f"appended {done['rows']:,} of {read:,} rows to {options.out} in {seconds:.1f} s; it has {whole}")
    elif options.dry_run:
        success(f"would keep {kept}; nothing is written")
    else:
        success(f"wrote {kept} to {options.out} in {seconds:.1f} s; mrl.open_corpus({str(options.out)!r}) opens them")


def _done(manifest: Manifest, options: PrepareOptions) -> Mapping[str, Any]:
    """Return what was done to these files."""
    return [entry for entry in manifest.history if "read" in entry][-1 if options.append else 0]


def _facts(manifest: Manifest, options: PrepareOptions) -> dict[str, Any]:
    done = _done(manifest, options)
    names = ("steps", "duplicates", "rejects", "unknown_tokens", "versions", "job")
    return {
        "rows": done["read"]["rows"],
        "written": manifest.rows,
        "splits": manifest.splits,
        "columns": dict(manifest.columns),
        "shards": len(manifest.shards),
        **{name: done[name] for name in (*names, "merges") if name in done},
    }


def verify(options: VerifyOptions) -> None:
    """Verify a corpus."""
    corpus = open_corpus(options.folder, verify="never")
    problems = corpus.verify(progress=True)
    size = sum(file.bytes for file in corpus.manifest.files)
    if options.json:
        print_json({"path": str(options.folder), "rows": len(corpus), "bytes": size, "problems": problems})
    else:
        for problem in problems:
            print_text(problem)
        if problems:
            note(f"  delete {options.folder} and prepare it again from its inputs, or copy it again")
        if not problems:
            files = format_count(len(corpus.manifest.files) + 1, "file")
            print_text(f"Every byte is as it was written: {format_count(len(corpus), 'row')}, {files}, {size:,} bytes.")
    if problems:
        raise Exit(DATA)


def export(options: ExportOptions) -> None:
    """Export a corpus."""
    corpus = open_corpus(options.folder)
    if options.split is not None:
        if options.split not in corpus.splits:
            known = ", ".join(corpus.splits) or "none"
            stop(f"--split is {options.split!r}{did_you_mean(options.split, corpus.splits)}; it has {known}", USAGE)
        corpus = corpus.splits[options.split]
    try:
        corpus.export(options.out, progress=True)
    except ValueError as error:
        stop(str(error), USAGE)
    success(f"wrote {format_count(len(corpus), 'row')} to {options.out}")
    if options.json:
        print_json({"path": str(options.out), "rows": len(corpus)})
