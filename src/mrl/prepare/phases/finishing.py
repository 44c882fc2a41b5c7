"""The last step: rejects, vocabulary and manifest, and the work is removed."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mrl.chem import StepCount
from mrl.corpus import Manifest, Shard, ShardEntry, StoredFile, open_corpus, write_rejects, write_stamps, write_vocab
from mrl.errors import CorpusError
from mrl.files import stamp_of
from mrl.prepare.base import APPENDING, Base
from mrl.prepare.featurizing import feature_entry
from mrl.prepare.job import WORK, Job, versions
from mrl.prepare.phases.cleaning import step_count
from mrl.prepare.phases.planning import Chunk
from mrl.prepare.phases.writing import in_order
from mrl.text import SmilesVocab, TextSample, Vocab


def finish(job: Job, parts: int, chunks: list[Chunk], buckets: int, *, is_dry: bool = False) -> Manifest:
    """Write rejects, vocabulary and, at the end, the manifest; remove the work.

    Of rows that would be appended to a corpus, return its manifest and write nothing into it (`is_dry`).
    """
    read = job.facts(job.path("read"))
    written = [job.facts(job.path("left_out", part)) for part in range(parts)]
    kept, left_out = (sum(facts[name] for facts in written) for name in ("rows", "rejects"))
    if kept + left_out != read["rows"]:
        raise CorpusError(
            f"{read['rows']:,} rows were read, but {kept:,} are kept and {left_out:,} left out: this is a fault of "
            "mrl; please report it",
            path=str(job.out),
        )
    rejects = (job.read(job.path("left_out", part)) for part in range(parts))
    entries = [_entry(entry) for facts in written for entry in facts["entries"]]
    shards = tuple(
        entry for split in in_order({entry.split for entry in entries}) for entry in entries if entry.split == split
    )
    history = _history(job, read, written, chunks, buckets)
    if job.base is not None:
        return _extended(job, job.base, shards, rejects, history, is_dry=is_dry)
    vocab = _vocab(job, written)
    manifest = Manifest(
        dict(written[0]["columns"]),
        read["smiles_column"],
        tuple(read["targets"]),
        shards,
        write_rejects(rejects, job.out),
        None if vocab is None else write_vocab(vocab, job.out),
        "" if vocab is None else vocab.fingerprint(),
        (history | _merges(job, vocab),),
        features={name: feature_entry(function) for name, function in job.recipe.functions.items()},
    )
    write_stamps(job.out, {file.name: stamp_of(job.out / file.name) for file in manifest.files})
    manifest.save(job.out)
    shutil.rmtree(job.out / WORK, ignore_errors=True)
    return manifest


def _extended(
    job: Job,
    base: Base,
    shards: tuple[ShardEntry, ...],
    rejects: Iterator[Shard],
    history: dict[str, Any],
    *,
    is_dry: bool,
) -> Manifest:
    """Move shards to those of a corpus, and save the manifest that lists them: until then it has the rows it had."""
    corpus = open_corpus(base.folder, verify="never")
    old = corpus.manifest
    for file in (file for entry in shards for file in entry.files if not is_dry):
        if (job.out / file.name).exists():  # not moved by a run that was killed
            os.replace(job.out / file.name, base.folder / file.name)
    name = f"rejects-{len(old.history)}.parquet"
    manifest = replace(
        old,
        shards=(*old.shards, *shards),
        rejects=write_rejects(chain(corpus.reject_blocks(), rejects), job.out if is_dry else base.folder, name),
        history=(*old.history, {"appended": history["rows"], **history, "job": job.identity}),
    )
    if not is_dry:
        manifest.save(base.folder)
        remove_appended(base.folder, manifest)
    return manifest


def remove_appended(folder: Path, manifest: Manifest) -> None:
    """Remove what is left of rows that were appended: the work, and rejects that are in another file now."""
    listed = {file.name for file in manifest.files}
    for path in folder.iterdir():
        if re.fullmatch(r"rejects(-\d+)?\.parquet", path.name) and path.name not in listed:
            path.unlink()
    shutil.rmtree(folder / APPENDING, ignore_errors=True)


def _entry(entry: list[Any]) -> ShardEntry:
    split, rows, files = entry
    return ShardEntry(split, rows, tuple(StoredFile(name, n, digest, tuple(has)) for name, n, digest, has in files))


def _vocab(job: Job, written: list[dict[str, Any]]) -> Vocab | None:
    if job.recipe.vocab != "learn":
        return job.recipe.vocab if isinstance(job.recipe.vocab, Vocab) else None
    counts = sum((Counter(facts["tokens"]) for facts in written), Counter[str]())
    vocab = SmilesVocab()
    vocab.update_from_counts(counts, min_count=2)
    if job.recipe.merges:
        vocab.learn_merges(_sample(job, len(written)), job.recipe.merges, min_count=2)
    return vocab


def _merges(job: Job, vocab: Vocab | None) -> dict[str, Any]:
    """Return how many tokens of several pieces were learned, if they were requested."""
    if vocab is None or not job.recipe.merges:
        return {}
    return {"merges": 0 if vocab.merging_from is None else len(vocab) - vocab.merging_from}


def _sample(job: Job, parts: int) -> TextSample:
    """Return the sample of train: that of all parts is the same however they were divided."""
    sample = TextSample()
    for part in range(parts):
        shard = job.read(job.path("sample", part))
        for text, count in zip(shard["text"], np.asarray(shard["count"]).tolist(), strict=True):
            if not sample.count(text, count):
                break  # so are all that follow, whose hashes are larger
    return sample


def _history(
    job: Job, read: dict[str, Any], written: list[dict[str, Any]], chunks: list[Chunk], buckets: int
) -> dict[str, Any]:
    """Return what was done, for the manifest."""
    settings = job.recipe.to_dict()
    rejects = sum((Counter(facts["stages"]) for facts in written), Counter[str]())
    return {
        "prepared": {"inputs": [dict(file) for file in job.files], "columns": job.inputs.to_dict()},
        "job": job.digest,
        "versions": versions(),
        "recipe": settings,
        "read": {"rows": read["rows"], "notes": read["notes"]},
        "steps": [{"stage": stage, **count.to_dict()} for stage, count in _steps(job, chunks).items()],
        "duplicates": _duplicates(job, buckets),
        "rows": sum(facts["rows"] for facts in written),
        "rejects": dict(sorted(rejects.items())),
        "unknown_tokens": sum(facts["unknown"] for facts in written),
    }


def _steps(job: Job, chunks: list[Chunk]) -> dict[str, StepCount]:
    totals: dict[str, StepCount] = {}
    for names in chunks:
        for entry in job.facts(job.path("clean", *names))["steps"]:
            stage, count = entry["stage"], step_count(entry)
            totals[stage] = totals[stage] + count if stage in totals else count
    return totals


def _duplicates(job: Job, buckets: int) -> dict[str, Any] | None:
    if job.recipe.duplicates is None:
        return None
    facts = [job.facts(job.path("plan", bucket)) for bucket in range(buckets)]
    totals = {name: sum(each[name] for each in facts) for name in ("duplicates", "conflicts", "merged")}
    examples = sorted(example for each in facts for example in each["examples"])[:3]
    return {**totals, "examples": [dict(zip(("row", "before", "after"), example, strict=True)) for example in examples]}
