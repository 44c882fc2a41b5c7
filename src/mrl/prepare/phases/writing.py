"""The fourth phase: parts and the plan make shards, one for each part of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.corpus import Shard, ShardEntry, StoredFile, kind_of, write_entry
from mrl.errors import FileFormatError
from mrl.prepare.base import INPUT_ROW, OTHER_INPUT_ROW
from mrl.prepare.job import Job, concat, user_columns
from mrl.prepare.phases.cleaning import clean_chunk
from mrl.prepare.phases.planning import Chunk
from mrl.ragged import PART_NAMES, Text
from mrl.text import UNK, SmilesVocab, TextSample, Vocab


def clean_and_write(job: Job, part: int) -> dict[str, Any]:
    """Clean a part, and write its shards before the other parts are known; return the facts of the cleaning.

    Columns that are blank in the part are left out. Others may not be blank in other parts: then it is written again.
    """
    facts = clean_chunk(job, part, 0)
    write_part(job, part, [(part, (part, 0))], 0, job.facts(job.path("raw", part))["blank"])
    return facts


def write_part(
    job: Job, part: int, chunks: Sequence[tuple[int, Chunk]], buckets: int, blank: Sequence[str]
) -> dict[str, Any]:
    """Write the rows of a part that stay as shards, and those that were left out with reasons.

    `chunks` are those of the part, with their numbers in the plan, which has so many `buckets`; columns that are
    `blank` in all rows are left out.
    """
    path, sample_path = job.path("left_out", part), job.path("sample", part)
    facts = job.finished(path)
    if (
        facts is not None
        and facts.get("blank") == list(blank)
        and (not job.recipe.merges or job.finished(sample_path) is not None)
        and all(_is_there(job, ShardEntry(*entry)) for entry in facts["entries"])
    ):
        return facts
    raw = job.read(job.path("raw", part))
    smiles = raw.about["facts"]["smiles_column"]
    plan = [(job.read(job.path("plan", bucket)), job.read(job.path("labels", bucket))) for bucket in range(buckets)]
    left_out: list[dict[str, Any]] = [dict(job.read(job.path("unread", part)))]
    pieces: list[dict[str, Any]] = []
    names: list[str] = []
    for number, chunk in chunks:
        clean = job.read(job.path("clean", *chunk))
        rejects = job.read(job.path("rejects", *chunk))
        left_out.append({**rejects, "line": _lines(raw, np.asarray(rejects["row"]))})
        rows = np.asarray(clean["row"])
        if job.recipe.is_copied:
            columns = user_columns(raw)
            if len(rows) < raw.rows:
                places = np.searchsorted(np.asarray(raw["row"]), rows)
                columns = {name: values[places] for name, values in columns.items()}
        else:
            columns = user_columns(clean)
        columns = {name: values for name, values in columns.items() if name not in blank}
        columns[INPUT_ROW if INPUT_ROW not in columns else OTHER_INPUT_ROW] = rows
        keep = np.ones(clean.rows, bool)
        for dropped, labels in plan:
            columns |= _relabelled(job, columns, labels, number)
            repeats, firsts, reasons = _dropped(dropped, number)
            keep[repeats] = False
            left_out.append(_repeats(job, raw, rows[repeats], firsts, reasons))
        pieces.append(_selected(columns, keep))
        names += clean["part"][keep].tolist() if "part" in clean else [""] * int(keep.sum())
    columns = {name: concat([piece[name] for piece in pieces]) for name in pieces[0]}
    first = 0
    if job.base is not None:
        columns, first = job.base.completed(columns, job.recipe.vocab), job.base.number
    entries: list[ShardEntry] = []
    tokens, unknown, sample = Counter[str](), 0, TextSample()
    splits = np.array(names, object)
    for split in in_order(set(names)):
        chosen = _selected(columns, splits == split)
        entries.append(write_entry(job.out, first + part, chosen, split=split, about={"job": job.digest}))
        if job.recipe.vocab == "learn" and split in ("", "train"):
            tokens.update(SmilesVocab().count_tokens(chosen[smiles]))
            if job.recipe.merges:
                sample.add(chosen[smiles])
        elif isinstance(job.recipe.vocab, Vocab):
            unknown += int((job.recipe.vocab.encode(chosen[smiles], on_unknown="unk").values == UNK).sum())
    if job.recipe.merges:
        texts = sample.sorted_by_hash()
        counts = np.array([count for _, count in texts], np.int64)
        job.write(sample_path, {"text": Text.of([text for text, _ in texts]), "count": counts})
    rejected = {name: concat([piece[name] for piece in left_out]) for name in left_out[0]}
    order = np.argsort(rejected["row"], kind="stable")
    return job.write(
        path,
        {name: values[order] for name, values in rejected.items()},
        entries=entries,
        columns=[[name, kind_of(values)] for name, values in columns.items()],
        rows=len(names),
        rejects=len(order),
        stages=dict(Counter(rejected["stage"].tolist())),
        tokens=dict(tokens),
        unknown=unknown,
        blank=list(blank),
    )


def _selected(columns: Mapping[str, Any], keep: NDArray[np.bool_]) -> dict[str, Any]:
    """Return some rows of columns; all of them without a copy."""
    if keep.all():
        return dict(columns)
    rows = np.flatnonzero(keep)
    return {name: values[rows] for name, values in columns.items()}


def _repeats(job: Job, raw: Shard, rows: NDArray[np.int64], firsts: list[int], reasons: list[str]) -> dict[str, Any]:
    """Return rows that are left out for the molecule of another row as the columns of rejects."""
    smiles = raw.about["facts"]["smiles_column"]
    stays = ", which keeps its labels" if job.inputs.targets else ""
    start = job.start_row
    found = zip(firsts, reasons, strict=True)
    return {
        "row": rows,
        "text": raw[f"c:{smiles}"][np.searchsorted(np.asarray(raw["row"]), rows)],
        "stage": Text.of(["conflicts" if reason else "duplicates" for reason in reasons]),
        "reason": Text.of(
            [reason or f"the molecule of row {first}{stays if first < start else ''}" for first, reason in found]
        ),
        "line": _lines(raw, rows),
    }


def _lines(raw: Shard, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lines in which rows of a part begin; 0 where there are none."""
    if "line" not in raw:
        return np.zeros(len(rows), np.int64)
    lines: NDArray[np.int64] = np.asarray(raw["line"])[np.searchsorted(np.asarray(raw["row"]), rows)]
    return lines


def in_order(splits: set[str]) -> list[str]:
    """Return the parts of a split in the order in which a corpus has them: train, valid, test, others by name."""
    known = [name for name in PART_NAMES if name in splits]
    return known + sorted(splits - set(known))


def _is_there(job: Job, entry: ShardEntry) -> bool:
    file = StoredFile(*entry.files[0])
    try:
        shard = Shard(job.out / file.name)
    except (FileFormatError, OSError):
        return False
    return shard.digest == file.digest


def _span(shard: Shard, number: int) -> tuple[int, int]:
    """Return the rows of a file of the plan that are about a chunk."""
    first, stop = np.searchsorted(np.asarray(shard["chunk"]), [number, number + 1]).tolist()
    return first, stop


def _dropped(dropped: Shard, number: int) -> tuple[NDArray[np.int32], list[int], list[str]]:
    """Return the places of rows of a chunk that are left out, the rows that stay in their stead, and reasons."""
    first, stop = _span(dropped, number)
    places, firsts = (np.asarray(dropped[name])[first:stop] for name in ("place", "first"))
    return places, firsts.tolist(), dropped["reason"][first:stop].tolist()


def _relabelled(job: Job, columns: dict[str, Any], labels: Shard, number: int) -> dict[str, NDArray[Any]]:
    """Return the columns of labels in which some rows have new ones."""
    first, stop = _span(labels, number)
    if first == stop:
        return {}
    places, new = np.asarray(labels["place"])[first:stop], np.asarray(labels["labels"])[first:stop]
    changed = {}
    for k, name in enumerate(job.inputs.targets):
        changed[name] = np.array(columns[name], copy=True)
        changed[name][places] = new[:, k]
    return changed
