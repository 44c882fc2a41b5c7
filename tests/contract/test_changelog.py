"""The changelog: every entry once, below a subject."""

from __future__ import annotations

import re
from pathlib import Path

CHANGELOG = (Path(__file__).resolve().parent.parent.parent / "CHANGELOG.md").read_text(encoding="utf-8")
PART = re.compile(r"^### (?:Added|Changed|Fixed)\n(.*?)(?=^### |^## |\Z)", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^- .*\n(?:  .*\n)*", re.MULTILINE)


def test_no_entry_stands_twice() -> None:
    for part in PART.findall(CHANGELOG):
        entries = ENTRY.findall(part)
        assert len(entries) > 20
        assert sorted(entries) == sorted(set(entries))


def test_every_entry_has_a_subject() -> None:
    for part in PART.findall(CHANGELOG):
        assert part.startswith("\n#### ")
        subjects = re.findall(r"^#### (.*)", part, re.MULTILINE)
        assert subjects == list(dict.fromkeys(subjects))
