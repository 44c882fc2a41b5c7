"""A parser for docstrings in numpydoc's layout: the summary, and the entries of each section."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple


class Docstring(NamedTuple):
    """A docstring in parts: the first paragraph, the text in front of the first section, the lines of each section."""

    summary: list[str]
    prose: str
    sections: dict[str, list[str]]

    def entries(self, section: str) -> list[str]:
        """Return the names of the entries of a section: for ``a, *b : int`` these are ``a`` and ``b``."""
        heads = re.compile(r"(\**[\w.]+(?:, \**[\w.]+)*)(?: : .+)?")
        lines = takewhile(lambda line: not line.startswith(">>>"), self.sections.get(section, ()))
        found = filter(None, map(heads.fullmatch, lines))
        return [name.lstrip("*") for head in found for name in head[1].split(", ")]

    @property
    def examples(self) -> str:
        """The source of all examples."""
        lines = [*self.prose.splitlines(), *(line for lines in self.sections.values() for line in lines)]
        return "\n".join(line.strip()[4:] for line in lines if re.match(r"(>>>|\.\.\.)( |$)", line.strip()))

    @property
    def quoted(self) -> set[str]:
        """The names in single backticks before the first section."""
        return set(re.findall(r"(?<!`)`(\w+)`(?!`)", self.prose))


def parse(doc: str | None) -> Docstring:
    """Divide a docstring at its section titles, each a line underlined with hyphens."""
    parts = list(_parts(inspect.cleandoc(doc or "").splitlines()))
    prose = parts[0][1]
    summary = "\n".join(prose).split("\n\n")[0].splitlines()
    return Docstring(summary, "\n".join(prose), dict(parts[1:]))


def _parts(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    titles = [i for i, line in enumerate(lines[1:]) if re.fullmatch("-{3,}", line) and lines[i].strip()]
    for title, start, end in zip(["", *(lines[i] for i in titles)], [-2, *titles], [*titles, len(lines)], strict=True):
        yield title, lines[start + 2 : end]
