"""The second phase: chunks of rows are cleaned, each by itself."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Example, StepCount, clean_rows, murcko_scaffold
from mrl.corpus import join_tails, open_corpus
from mrl.messages import format_value
from mrl.prepare.base import INPUT_ROW, OTHER_INPUT_ROW
from mrl.prepare.featurizing import compute_features
from mrl.prepare.job import Job, prefixed, rejects_columns, user_columns
from mrl.prepare.recipe import Recipe
from mrl.ragged import Reject, Rejects, Text, part_of

_PART_NAME = re.compile(r"[a-z0-9_]{1,40}")


def clean_chunk(job: Job, part: int, chunk: int) -> dict[str, Any]:
    """Clean some rows of a part: write those that stay, the others with reasons, and hashes of molecules.

    Returns the facts: rows that stay, rows that were left out by reason, what each step did.
    """
    path, keys_path, rejects_path = (job.path(kind, part, chunk) for kind in ("clean", "keys", "rejects"))
    others = [rejects_path, keys_path] if job.recipe.duplicates is not None else [rejects_path]
    facts = job.finished(path)
    if facts is not None and all(job.finished(other) is not None for other in others):
        return facts
    raw = job.read(job.path("raw", part))
    size = job.recipe.rows_per_chunk(raw.rows)
    span = slice(chunk * size, (chunk + 1) * size)
    columns = {name: column[span] for name, column in user_columns(raw).items()}
    rows = np.asarray(raw["row"])[span]
    smiles, tail = (raw.about["facts"][name] for name in ("smiles_column", "tail"))
    if tail is not None and job.recipe.parse and job.recipe.steps != "none":
        # A tail counts atoms in the order of the SMILES, so steps get it with the SMILES, and remove or reject it.
        columns[smiles] = join_tails(columns[smiles], columns.pop(tail))
    done = _clean(job.recipe, columns[smiles], rows)
    columns = {name: column[done.places] for name, column in columns.items()} | {smiles: done.texts}
    rows = rows[done.places]
    parts, unnamed = _split(job, columns, rows, done)
    without = _without_part(job, columns, smiles, rows, unnamed) if parts is not None else []
    vectors, failed = compute_features(columns[smiles], job.recipe.functions)
    without += [Reject(int(rows[i]), done.texts[i], "feature", why) for i, why in failed.items() if not unnamed[i]]
    columns |= vectors
    if without:
        keep = ~unnamed
        keep[list(failed)] = False
        named = np.flatnonzero(keep)
        done = done._replace(
            rejects=sorted([*done.rejects, *without]), keys=None if done.keys is None else done.keys.take(named)
        )
        columns = {name: column[named] for name, column in columns.items()}
        rows, parts = rows[named], None if parts is None else parts.take(named)
    job.write(rejects_path, rejects_columns(Rejects(done.rejects)))
    if job.recipe.duplicates is not None:
        job.write(keys_path, sorted_hashes(columns[smiles] if done.keys is None else done.keys))
    internal = {"row": rows} if parts is None else {"row": rows, "part": parts}
    reasons = dict(sorted(Rejects(done.rejects).counts().items())[:50])
    return job.write(
        path,
        {**({} if job.recipe.is_copied else prefixed(columns)), **internal},
        rows=len(rows),
        rejects=len(done.rejects),
        reasons=reasons,
        steps=done.steps,
    )


def compare_shard(job: Job, shard: int) -> dict[str, Any]:
    """Write the hashes of the molecules of a shard that is there already, its labels and its input rows."""
    base, path, keys_path = job.base, job.path("clean", shard), job.path("keys", shard)
    assert base is not None
    facts = job.finished(path)
    if facts is not None and job.finished(keys_path) is not None:
        return facts
    corpus = open_corpus(base.folder, verify="never")
    start, stop = np.cumsum([0, *(entry.rows for entry in corpus.manifest.shards)])[shard : shard + 2].tolist()
    places, keys = np.arange(stop - start), corpus.smiles[start:stop]
    if job.recipe.parse and job.recipe.duplicates is not None:
        cleaned = clean_rows(keys, "none", key=job.recipe.duplicates.by)
        places, keys = cleaned.kept, cleaned.keys
    hashes = sorted_hashes(keys)
    job.write(keys_path, {**hashes, "place": places[hashes["place"]].astype(np.int32)})
    rows = next(corpus[name][start:stop] for name in (OTHER_INPUT_ROW, INPUT_ROW) if name in corpus.columns)
    labels = {name: np.asarray(corpus[name][start:stop]) for name in job.inputs.targets}
    return job.write(
        path,
        {**prefixed(labels), "row": np.asarray(rows)},
        rows=stop - start,
        rejects=0,
        reasons={},
        steps=[],
    )


class _Done(NamedTuple):
    """What cleaning left of some rows: their places, texts, the keys of their molecules, the others, the counts."""

    places: NDArray[np.int64]
    texts: Text
    keys: Text | None
    rejects: list[Reject]
    steps: list[dict[str, Any]]


def _clean(recipe: Recipe, texts: Text, rows: NDArray[np.int64]) -> _Done:
    if not recipe.parse:
        return _Done(np.arange(len(texts)), texts, None, [], [])
    by = recipe.duplicates.by if recipe.duplicates is not None else "smiles"
    cleaned = clean_rows(texts, recipe.steps, key=by if recipe.needs_keys else None)
    rejects = [reject._replace(row=int(rows[reject.row])) for reject in cleaned.rejects]
    steps = [step_dict(stage, count, rows) for stage, count in cleaned.counts.items()]
    return _Done(cleaned.kept, cleaned.smiles, cleaned.keys, rejects, steps)


def step_dict(stage: str, count: StepCount, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Return a count for JSON, its examples with the numbers of the rows in the inputs."""
    examples = [{**example._asdict(), "row": int(rows[example.row])} for example in count.examples]
    counts = {"rows": count.rows, "changed": count.changed, "removed": count.removed, "failed": count.failed}
    return {"stage": stage, "of": count.step, **counts, "examples": examples}


def step_count(entry: dict[str, Any]) -> StepCount:
    """Return the count that `step_dict` described."""
    examples = tuple(Example(**example) for example in entry["examples"])
    return StepCount(entry["of"], entry["rows"], entry["changed"], entry["removed"], entry["failed"], examples)


def _split(
    job: Job, columns: dict[str, Any], rows: NDArray[np.int64], done: _Done
) -> tuple[Text | None, NDArray[np.bool_]]:
    """Return the name of the part of each row, and which rows belong to none; None without a split."""
    rule, named = job.recipe.split, job.inputs.split
    if rule is None and named is None:
        return None, np.zeros(len(rows), bool)
    if rule is None:
        parts = [part_of(value) or value.strip().lower() for value in columns[str(named)]]
        return Text.of(parts, "split"), np.array([_PART_NAME.fullmatch(part) is None for part in parts], bool)
    if rule.by == "scaffold":
        keys = Text.of([murcko_scaffold(text) for text in done.texts])
        is_ringless = keys.lengths == 0
    else:
        keys = done.texts if done.keys is None else done.keys
        is_ringless = np.zeros(len(keys), bool)
    salt = f"{rule.by} {job.recipe.seed}".encode()
    numbers = np.frombuffer(_hashes(keys, 8, salt), ">u8").astype(np.float64) / 2.0**64
    # Molecules without a ring are one group, the largest one, which a scaffold split gives to train.
    codes = np.where(is_ringless, 0, np.searchsorted(np.cumsum(rule.sizes)[:-1], numbers, side="right"))
    return Text.of([rule.names[code] for code in codes.tolist()]), np.zeros(len(rows), bool)


def _without_part(
    job: Job, columns: dict[str, Any], smiles: str, rows: NDArray[np.int64], unnamed: NDArray[np.bool_]
) -> list[Reject]:
    name = str(job.inputs.split)
    found = ((place, columns[name][place]) for place in np.flatnonzero(unnamed).tolist())
    return [
        Reject(int(rows[place]), columns[smiles][place], "split", f"no part: {name} is {format_value(value, most=40)}")
        for place, value in found
    ]


def _hashes(texts: Text, size: int, salt: bytes = b"") -> bytes:
    """Return `size` bytes for each text."""
    raw, ends = texts.flat.tobytes(), (texts.offsets - texts.offsets[0]).tolist()
    return b"".join(hashlib.blake2b(raw[a:b], digest_size=size, key=salt).digest() for a, b in pairwise(ends))


def sorted_hashes(keys: Text) -> dict[str, Any]:
    """Return 128 bits of each key in ascending order, and the places of the keys."""
    pairs = np.frombuffer(_hashes(keys, 16), ">u8").reshape(-1, 2).astype(np.uint64)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return {"high": pairs[order, 0], "low": pairs[order, 1], "place": order.astype(np.int32)}
