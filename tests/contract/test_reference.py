"""The index of the reference by job: every public name serves one job, which says so by a prefix that is used."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
SPEC = importlib.util.spec_from_file_location("jobs", DOCS / "jobs.py")
assert SPEC is not None
assert SPEC.loader is not None
jobs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(jobs)


@pytest.mark.parametrize(
    ("package", "name", "title"),
    [
        ("data", "split", "Split without leaks"),
        ("chem", "cluster_groups", "Split without leaks"),
        ("chem", "tanimoto", "Judge what a generator writes"),
        ("text", "KmerVocab", "Work with peptides, proteins, DNA, SELFIES"),
        ("text", "PAD", "Choose, learn and save a vocabulary"),
        ("loop", "TASKS", "Search for molecules with a high score"),
    ],
)
def test_a_name_serves_its_job(package: str, name: str, title: str) -> None:
    assert jobs.job_of(importlib.import_module(f"mrl.{package}"), name).title == title


def test_every_public_name_serves_a_job_and_every_prefix_a_name() -> None:
    used, count = set(), 0
    for package in (importlib.import_module(f"mrl.{name}") for name in jobs.PACKAGES):
        for name in jobs.public_names(package):
            job = jobs.job_of(package, name)
            full = f"{jobs.defining_module(package, name)}.{name}".removeprefix("mrl.")
            used |= {(job, prefix) for prefix in job.modules.split() if f"{full}.".startswith(f"{prefix}.")}
            count += 1
    assert count > 400
    assert {(job, prefix) for job in jobs.JOBS for prefix in job.modules.split()} == used


def test_every_job_has_a_guide() -> None:
    assert [job.title for job in jobs.JOBS if not (DOCS / f"{job.guide}.md").exists()] == []
