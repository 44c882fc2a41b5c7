"""The third phase: rows of the same molecule are found, bucket by bucket of their hashes, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Duplicates, merge_labels
from mrl.prepare.job import Job
from mrl.ragged import Text

Chunk = tuple[int, ...]  # part and chunk; or a shard that is there already, after which rows are appended
ROWS_PER_BUCKET, MOST_BUCKETS = 2_000_000, 1024
_EXAMPLES = 3


def bucket_bits(rows: int) -> int:
    """Return how many leading bits of a hash name its bucket, for so many rows."""
    return min(max(rows // ROWS_PER_BUCKET, 0).bit_length(), MOST_BUCKETS.bit_length() - 1)


def _shards(chunks: Sequence[Chunk]) -> int:
    """Return how many of the chunks, the first ones, are shards that are there already."""
    return sum(len(chunk) == 1 for chunk in chunks)


class _Found(NamedTuple):
    """The hashes of a bucket in the order of their rows: chunks and places of the rows, and which hash is the same."""

    chunk: NDArray[np.int32]
    place: NDArray[np.int32]
    group: NDArray[np.int64]


def plan_bucket(job: Job, bucket: int, bits: int, chunks: Sequence[Chunk]) -> dict[str, Any]:
    """Find the rows of one bucket that repeat another: the first input row of a molecule stays.

    Writes which rows are left out, of which molecule; and the labels of rows whose labels were merged.
    """
    rule = job.recipe.duplicates
    assert rule is not None
    path, labels_path = job.path("plan", bucket), job.path("labels", bucket)
    facts = job.finished(path)
    if facts is not None and job.finished(labels_path) is not None:
        return facts
    found = _rows_of(job, bucket, bits, chunks)
    # The rows of a group lie together, the first input row in front.
    is_first = np.ones(len(found.group), bool)
    is_first[1:] = found.group[1:] != found.group[:-1]
    leader = np.maximum.accumulate(np.where(is_first, np.arange(len(is_first)), 0))
    # Rows that are there already stay, in front of all others.
    repeats = np.flatnonzero(~is_first & (found.chunk >= _shards(chunks)))
    is_member = np.zeros(len(found.group), bool)
    is_member[leader[repeats]] = is_member[repeats] = True
    rows = _input_rows(job, chunks, found, np.flatnonzero(is_member))
    dropped, conflicts, merged = repeats, np.zeros(0, np.int64), _no_labels()
    reasons: dict[int, str] = {}  # of rows in conflict
    examples: list[list[Any]] = []
    targets = job.inputs.targets
    if targets and len(repeats):
        merged, reasons, examples = _merge(job, rule, chunks, found, leader, repeats, rows)
        dropped = np.array(sorted(reasons), np.int64)
        conflicts = np.array([place for place, reason in reasons.items() if reason], np.int64)
    order = np.lexsort((found.place[dropped], found.chunk[dropped]))
    dropped = dropped[order]
    job.write(labels_path, merged)
    return job.write(
        path,
        {
            "chunk": found.chunk[dropped],
            "place": found.place[dropped],
            "first": rows[leader[dropped]],
            "reason": Text.of([reasons.get(place, "") for place in dropped.tolist()]),
        },
        duplicates=len(dropped) - len(conflicts),
        conflicts=len(conflicts),
        merged=len(merged["place"]),
        examples=examples,
    )


def _rows_of(job: Job, bucket: int, bits: int, chunks: Sequence[Chunk]) -> _Found:
    """Return the rows whose hashes begin with the bits of a bucket, sorted by hash, then by input row."""
    high, low, chunk, place = [], [], [], []
    for number, names in enumerate(chunks):
        keys = job.read(job.path("keys", *names))
        values = np.asarray(keys["high"])
        first, stop = 0, len(values)
        if bits:
            bound = np.uint64(bucket << (64 - bits))
            first = int(np.searchsorted(values, bound))
            if bucket + 1 < 1 << bits:
                stop = int(np.searchsorted(values, np.uint64((bucket + 1) << (64 - bits))))
        high.append(values[first:stop])
        low.append(np.asarray(keys["low"])[first:stop])
        place.append(np.asarray(keys["place"])[first:stop])
        chunk.append(np.full(stop - first, number, np.int32))
    joined = [np.concatenate(parts) for parts in (high, low, chunk, place)]
    order = np.lexsort(joined[::-1])
    highs, lows, chunks_of, places = (column[order] for column in joined)
    same = np.zeros(len(order), bool)
    same[1:] = (highs[1:] == highs[:-1]) & (lows[1:] == lows[:-1])
    return _Found(chunks_of, places, np.cumsum(~same))


def _input_rows(job: Job, chunks: Sequence[Chunk], found: _Found, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers in the inputs of some of the rows, by their places among all."""
    rows = np.zeros(len(found.group), np.int64)
    for number in np.unique(found.chunk[places]).tolist():
        here = places[found.chunk[places] == number]
        rows[here] = np.asarray(job.read(job.path("clean", *chunks[number]))["row"])[found.place[here]]
    return rows


def _labels_of(job: Job, chunks: Sequence[Chunk], found: _Found, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the labels of some of the rows, (rows, T)."""
    values = np.zeros((len(places), len(job.inputs.targets)))
    for number in np.unique(found.chunk[places]).tolist():
        here = np.flatnonzero(found.chunk[places] == number)
        clean = job.read(job.path("clean", *chunks[number]))
        for column, name in enumerate(job.inputs.targets):
            values[here, column] = np.asarray(clean[f"c:{name}"])[found.place[places[here]]]
    return values


def _merge(
    job: Job,
    rule: Duplicates,
    chunks: Sequence[Chunk],
    found: _Found,
    leader: NDArray[np.int64],
    repeats: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> tuple[dict[str, Any], dict[int, str], list[list[Any]]]:
    """Return new labels of first rows, the rows to be left out with a reason if they are in conflict, and examples."""
    firsts = np.unique(leader[repeats])
    members = np.union1d(firsts, repeats)
    labels = _labels_of(job, chunks, found, members)
    bounds = np.append(np.searchsorted(members, firsts), len(members))
    reasons: dict[int, str] = {}
    examples: list[list[Any]] = []
    kept: list[int] = []
    merged: list[NDArray[np.float64]] = []
    for k, first in enumerate(firsts.tolist()):
        span = slice(bounds[k], bounds[k + 1])
        values, conflict = merge_labels(labels[span], rule)
        if conflict is not None:
            text = f"labels {conflict[1]} of {job.inputs.targets[conflict[0]]}"
            new = "" if rule.labels == "drop" else f"{values[conflict[0]]:.10g}"
            examples.append([int(rows[first]), text, new])
            if rule.labels == "drop":
                reasons |= dict.fromkeys(members[span].tolist(), f"conflict: {text}")
                continue
        reasons |= dict.fromkeys(members[span].tolist()[1:], "")
        is_there = found.chunk[first] < _shards(chunks)
        if not is_there and not np.array_equal(values, labels[bounds[k]], equal_nan=True):
            kept.append(first)
            merged.append(values)
    places = np.array(kept, np.int64)
    order = np.lexsort((found.place[places], found.chunk[places]))
    stacked = np.array(merged, np.float64).reshape(len(kept), labels.shape[1])[order]
    new_labels = {"chunk": found.chunk[places[order]], "place": found.place[places[order]], "labels": stacked}
    return new_labels, reasons, sorted(examples)[:_EXAMPLES]


def _no_labels() -> dict[str, Any]:
    return {"chunk": np.zeros(0, np.int32), "place": np.zeros(0, np.int32), "labels": np.zeros((0, 1))}
