"""Every rule of tests/contract by its name, and a command that lists what breaks them.

    python tests/contract/every_rule.py [PACKAGE ...]

prints all violations, or those of some packages (``text``, ``tests/text``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import documentation
import layering
import policy

RULES: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
    **layering.RULES,
    "incomplete docstring": documentation.incomplete_docstrings,
    "assertion on seconds": policy.assertions_on_seconds,
    "part of mrl replaced": policy.replaced_parts_of_mrl,
}


def violations(rule: str, packages: list[str] | None = None) -> list[str]:
    """Return what breaks a rule in some packages, or in all."""
    return [text for package, text in RULES[rule]() if not packages or package in packages]


if __name__ == "__main__":
    for name in RULES:
        for violation in violations(name, sys.argv[1:]):
            print(f"{name}: {violation}")
