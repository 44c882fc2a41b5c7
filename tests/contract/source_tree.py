"""The source of mrl as data: its modules, and what each of them imports, wherever in the file the import stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import mrl

SOURCE = Path(mrl.__path__[0])


class Import(NamedTuple):
    """One imported module or name: `module` is what the statement names, `name` what it takes from it, if anything."""

    line: int
    module: str
    name: str | None
    top_level: bool

    def __str__(self) -> str:
        return f"import {self.module}" if self.name is None else f"from {self.module} import {self.name}"


class Module(NamedTuple):
    """One file of the package, by its dotted name."""

    name: str
    path: Path

    @property
    def package(self) -> str:
        """The folder or file directly in mrl that it belongs to; empty for ``mrl/__init__.py``."""
        return self.name.partition(".")[2].partition(".")[0]

    @property
    def is_root(self) -> bool:
        return self.path.name == "__init__.py"

    def __str__(self) -> str:
        return str(self.path.relative_to(SOURCE.parent))


@cache
def modules() -> dict[str, Module]:
    """Every module of mrl, by dotted name; a package goes by the name of its folder."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path)
    return found


@cache
def tree(module: Module) -> ast.Module:
    return ast.parse(module.path.read_text(encoding="utf-8"), str(module.path))


@cache
def imports(module: Module) -> list[Import]:
    """Every import of a module: in functions and under ``TYPE_CHECKING`` too."""
    return list(_imports(tree(module), top_level=True))


def _imports(node: ast.AST, top_level: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(child.lineno, alias.name, None, top_level) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: relative import"
            yield from (Import(child.lineno, child.module or "", alias.name, top_level) for alias in child.names)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _is_type_checking(child)
            yield from _imports(child, top_level and not inside)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


@cache
def public_names(module: str) -> frozenset[str]:
    """What ``__all__`` of a module says, read from its source."""
    for node in tree(modules()[module]).body if module in modules() else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


def target(one: Import) -> str:
    """The module that an import takes something from: ``from mrl.text import file`` takes ``mrl.text.file`` whole.

    A public name that is also the name of a module is the public name.
    """
    inner = f"{one.module}.{one.name}"
    return inner if inner in modules() and one.name not in public_names(one.module) else one.module
