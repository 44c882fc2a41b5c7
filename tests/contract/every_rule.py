"""Every rule that may have known offenders, by its name: a function that returns pairs of a package and a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import documentation
import layering
import policy


def _of_layering(rule: str) -> Iterable[tuple[str, str]]:
    return ((module.package, text) for module, text in layering.RULES[rule]())


EVERY_RULE: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {
    **{rule: partial(_of_layering, rule) for rule in layering.RULES},
    "incomplete docstring": documentation.incomplete_docstrings,
    "assertion on seconds": policy.assertions_on_seconds,
    "part of mrl replaced": policy.replaced_parts_of_mrl,
}
