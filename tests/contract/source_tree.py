"""The source of mrl as data: its modules, and the imports of each, wherever in the file they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import mrl

SOURCE = Path(mrl.__path__[0])


class Import(NamedTuple):
    """An imported module, or a name that is imported from it."""

    line: int
    module: str
    name: str | None
    top_level: bool

    def __str__(self) -> str:
        return f"import {self.module}" if self.name is None else f"from {self.module} import {self.name}"


class Module(NamedTuple):
    """One file of mrl; `name` is its dotted name."""

    name: str
    path: Path

    @property
    def package(self) -> str:
        """The package or module directly in mrl that it belongs to; empty for ``mrl/__init__.py``."""
        return self.name.partition(".")[2].partition(".")[0]

    @property
    def is_root(self) -> bool:
        return self.path.name == "__init__.py"

    def __str__(self) -> str:
        return str(self.path.relative_to(SOURCE.parent))


@cache
def modules() -> dict[str, Module]:
    """Return every module of mrl by its dotted name; ``__init__.py`` has that of its folder."""
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
    """Return every import of a module: also those in functions, under ``TYPE_CHECKING``, and by ``import_module``."""
    dynamic = [] if module.name == "mrl" else list(_dynamic_imports(tree(module)))  # mrl itself imports on demand
    return [*_imports(tree(module), top_level=True), *dynamic]


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


def _dynamic_imports(root: ast.AST) -> Iterator[Import]:
    """Yield all modules of mrl whose names begin as the argument of an ``import_module`` does."""
    for node in ast.walk(root):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            begin = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            prefix = begin.value if isinstance(begin, ast.Constant) else None
            if isinstance(prefix, str) and prefix.startswith("mrl"):
                yield from (Import(node.lineno, name, None, False) for name in modules() if name.startswith(prefix))


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


@cache
def public_names(module: str) -> frozenset[str]:
    """Return the names in ``__all__`` of a module, read from its source."""
    for node in tree(modules()[module]).body if module in modules() else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


def target(one: Import) -> str:
    """Return the module that an import leads to: ``from mrl.text import io`` leads to ``mrl.text.io``.

    A name in ``__all__`` of its package is a name, even if a module is called the same.
    """
    inner = f"{one.module}.{one.name}"
    return inner if inner in modules() and one.name not in public_names(one.module) else one.module
