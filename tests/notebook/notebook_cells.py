"""The cells of the notebook's text, and a module built from those that define something.

As a script (``python notebook_cells.py NOTEBOOK all|contract``) it runs the notebook in the working directory, cell
after cell, and prints how many asserts passed.
"""

from __future__ import annotations

import ast
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

SKIPPED = ("nbdev", "notebook2script")


class Cell(NamedTuple):
    """One cell: whether it defines part of the module (``# export``), and its code."""

    exported: bool
    code: str


def cells(notebook: Path) -> list[Cell]:
    """Return every cell of the text. Its code is the longest prefix of its lines that Python accepts."""
    parts = notebook.read_text(encoding="utf-8").split("In [None]:\n")[1:]
    return [Cell(part.lstrip().startswith("# export"), _code(part)) for part in parts]


def _code(part: str) -> str:
    lines = [
        line for line in part.splitlines() if not line.startswith("%") and not any(word in line for word in SKIPPED)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notebook's patterns are not raw strings
        while lines:
            try:
                ast.parse("\n".join(lines))
            except SyntaxError:
                lines.pop()
            else:
                break
    return "\n".join(lines)


def module(notebook: Path) -> ModuleType:
    """Return a module built from the notebook's exported cells."""
    built = ModuleType("notebook")
    built.source = "\n".join(cell.code for cell in cells(notebook) if cell.exported)  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(built.source, built.__dict__)
    return built


class _Counting(ast.NodeTransformer):
    """Insert a line after each assert that counts it."""

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        return [node, *ast.parse("_passed.append(None)").body]


def main(notebook: Path, which: str) -> None:
    """Run all cells, or those that are not exported, and print the number of asserts that passed."""
    namespace: dict[str, Any] = {"__name__": "__main__", "_passed": []}
    warnings.simplefilter("ignore")
    if which == "contract":
        exec("from mrl.dataloaders import *", namespace)
    for cell in cells(notebook):
        if which == "all" or not cell.exported:
            tree = ast.fix_missing_locations(_Counting().visit(ast.parse(cell.code)))
            exec(compile(tree, "notebook", "exec"), namespace)
    print(len(namespace["_passed"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
