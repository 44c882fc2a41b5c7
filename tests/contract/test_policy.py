"""Rules for the tests themselves."""

from __future__ import annotations

import ast

import policy


def test_no_test_asserts_on_seconds() -> None:
    """A machine may be slow; ratios of speed are measured in benchmarks/."""
    assert [text for _, text in policy.assertions_on_seconds()] == []


def test_no_test_replaces_a_part_of_mrl() -> None:
    """A test that replaces a private function pins how something is done, not what is done."""
    assert [text for _, text in policy.replaced_parts_of_mrl()] == []


def test_times_are_followed_through_names() -> None:
    tree = ast.parse("def took():\n    return time.monotonic() - 1\nresults.append(took())\nbest = min(results)\na = 1")
    names: set[str] = set()
    while (grown := names | policy.names_of_times(tree, names)) != names:
        names = grown
    assert names == {"took", "results", "best"}
