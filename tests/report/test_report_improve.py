"""The report of a search: what is written about molecules that were known, and where the others came from."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mrl import __version__
from mrl.report import ImproveReport

SMILES = ["CCO", "CCN", "CCC"]


def report(known: Any, **facts: Any) -> ImproveReport:
    sources, scores = ["start", "model", "offspring"], [0.4, 0.7, float("nan")]
    components = [("qed", "maximise", 1.0)]
    reasons = ["", "", "time-out"]
    return ImproveReport(
        "score.toml", SMILES, sources, scores, reasons, known, 10, 0.6, components, "mrl improve model", **facts
    )


def text_of(part: str, page: str) -> str:
    section = re.search(rf"(?s)<h2[^>]*>{part}</h2>(.*?)</section>", page)
    assert section is not None
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<svg.*?</svg>", "", section[1])).split())


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, "The highest scores 0.70 CCN 0.40 CCO score SMILES call proposed by 0.70 CCN 2 model 0.40 CCO 1 start"),
        (
            [False, False, True],
            "None of the best 2 was known before. "
            "The highest scores 0.70 CCN 0.40 CCO score SMILES call proposed by 0.70 CCN 2 model 0.40 CCO 1 start",
        ),
        (
            [True, False, False],
            "1 of the best 2 was known before. The highest scores 0.70 CCN 0.40 known CCO "
            "score SMILES call proposed by known 0.70 CCN 2 model 0.40 CCO 1 start known",
        ),
    ],
)
def test_known_molecules_are_counted_and_marked(known: list[bool] | None, expected: str) -> None:
    assert text_of("Best molecules", report(known).html) == expected


def test_versions_are_listed_without_being_given() -> None:
    assert text_of("Repeat it", report(None).html).partition(" Versions package version ")[2].split()[:2] == [
        "mrl",
        __version__,
    ]
    assert text_of("Repeat it", report(None, versions={"mrl": "9.9"}).html).endswith("Versions package version mrl 9.9")
