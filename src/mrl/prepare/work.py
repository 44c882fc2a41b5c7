"""The calls of each phase of a preparation, and how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import groupby
from typing import Any

from mrl.corpus import Manifest
from mrl.prepare.engines import Call, Engine, run_calls
from mrl.prepare.job import Job
from mrl.prepare.phases.cleaning import clean_chunk, compare_shard
from mrl.prepare.phases.finishing import finish
from mrl.prepare.phases.planning import Chunk, bucket_bits, plan_bucket
from mrl.prepare.phases.reading import read_parts
from mrl.prepare.phases.writing import clean_and_write, write_part
from mrl.prepare.status import Status


class Work:
    """The calls of each phase, and how far they are."""

    def __init__(self, job: Job, report: Callable[[Status], object]) -> None:
        self.job = job
        self.report = report
        self.status = Status("clean")

    def run(self, phase: str, calls: Iterator[Call] | list[Call], engine: Engine, most: int) -> None:
        """Run the calls of a phase."""
        began = time.monotonic()
        self.status = Status(phase, left_out=self.status.left_out)
        self.report(self.status)
        if most == 1:
            calls = [*calls]  # read everything first, to know how many rows there are
        for facts in run_calls(engine, calls, most):
            self.status.add(facts, time.monotonic() - began)
            self.report(self.status)

    def calls_to_read(self, limit: int | None = None) -> Iterator[Call]:
        """Read the inputs, and yield the calls that clean the parts, as they are read."""
        for part in read_parts(self.job, limit=limit):
            if part.rejects:
                self.status.left_out["not read"] += part.rejects
            self.status.read += part.rows + part.rejects
            self.report(self.status)
            if self.job.recipe.is_copied:  # there is no plan to wait for, and one chunk in a part
                yield clean_and_write, (self.job, part.number)
                continue
            for chunk in range(self._chunks_of(part.rows)):
                yield clean_chunk, (self.job, part.number, chunk)
        self.status.total = self._read["rows"]
        self.report(self.status)

    def calls_to_clean(self) -> Iterator[Call]:
        """Yield the calls that clean the parts."""
        self.status.total = self._read["rows"]
        for chunk in self._chunks:
            yield clean_chunk, (self.job, *chunk)

    def calls_to_compare(self) -> Iterator[Call]:
        """Yield the calls that hash the molecules of the corpus to which rows are appended."""
        if self.job.base is not None:
            self.status.total = self.job.base.rows
            for (shard,) in self._there:
                yield compare_shard, (self.job, shard)

    def calls_to_plan(self) -> Iterator[Call]:
        """Yield the calls that find rows of the same molecule."""
        if self.job.recipe.duplicates is not None:
            bits = self._bits
            self.status.total = 1 << bits
            for bucket in range(1 << bits):
                yield plan_bucket, (self.job, bucket, bits, [*self._there, *self._chunks])

    def calls_to_write(self) -> Iterator[Call]:
        """Yield the calls that write the shards."""
        self.status.total = self._read["rows"]
        blank = self._read["blank"]
        for part, chunks in groupby(enumerate(self._chunks, len(self._there)), key=lambda numbered: numbered[1][0]):
            yield write_part, (self.job, part, [*chunks], self._buckets, blank)

    def finish(self, *, is_dry: bool = False) -> Manifest:
        """Write the manifest; of rows that would be appended only return it (`is_dry`)."""
        return finish(self.job, self._read["parts"], self._chunks, self._buckets, is_dry=is_dry)

    def _chunks_of(self, rows: int) -> int:
        return max(1, -(-rows // self.job.recipe.rows_per_chunk(rows)))

    @cached_property
    def _read(self) -> dict[str, Any]:
        return self.job.facts(self.job.path("read"))

    @cached_property
    def _chunks(self) -> list[Chunk]:
        rows = self._read["part_rows"]
        return [(part, chunk) for part, n in enumerate(rows) for chunk in range(self._chunks_of(n))]

    @cached_property
    def _there(self) -> list[Chunk]:
        """The shards that are there already, in the place of chunks, if rows are compared with theirs."""
        base = self.job.base
        return [] if base is None or self.job.recipe.duplicates is None else [(k,) for k in range(base.shards)]

    @cached_property
    def _bits(self) -> int:
        chunks = [*self._there, *self._chunks]
        return bucket_bits(sum(self.job.facts(self.job.path("clean", *chunk))["rows"] for chunk in chunks))

    @property
    def _buckets(self) -> int:
        return 0 if self.job.recipe.duplicates is None else 1 << self._bits
