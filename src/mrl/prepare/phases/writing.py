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
from mrl.prepare.job import Job, concat, rejects_columns, rejects_of, user_columns
from mrl.prepare.phases.cleaning import clean_chunk
from mrl.prepare.phases.planning import Chunk
from mrl.ragged import PART_NAMES, Reject, Rejects, Text
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
    unread = rejects_of(job.read(job.path("unread", part)))
    rejects: list[Reject] = []
    pieces: list[dict[str, Any]] = []
    names: list[str] = []
    for number, chunk in chunks:
        clean = job.read(job.path("clean", *chunk))
        rejects += rejects_of(job.read(job.path("rejects", *chunk)))
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
            texts = raw[f"c:{smiles}"][np.searchsorted(np.asarray(raw["row"]), rows[repeats])].tolist()
            for row, text, first, reason in zip(rows[repeats].tolist(), texts, firsts, reasons, strict=True):
                stage = "conflicts" if reason else "duplicates"
                stays = ", which keeps its labels" if job.inputs.targets and first < job.start_row else ""
                rejects.append(Reject(row, text, stage, reason or f"the molecule of row {first}{stays}"))
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
    return job.write(
        path,
        rejects_columns(Rejects(sorted([*unread, *rejects]), lines=unread.lines | _lines_of(rejects, raw))),
        entries=entries,
        columns=[[name, kind_of(values)] for name, values in columns.items()],
        rows=len(names),
        rejects=len(unread) + len(rejects),
        stages=dict(Counter(reject.stage for reject in [*unread, *rejects])),
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


def _lines_of(rejects: list[Reject], raw: Shard) -> dict[int, int]:
    """Return the lines in which rows of a part begin, where they have any."""
    if "line" not in raw:
        return {}
    rows = np.array([reject.row for reject in rejects], np.int64)
    lines = np.asarray(raw["line"])[np.searchsorted(np.asarray(raw["row"]), rows)]
    return {row: line for row, line in zip(rows.tolist(), lines.tolist(), strict=True) if line}


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
