"""The rules for tests: they use public behaviour, and do not depend on the speed of the machine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
CLOCKS = {"time", "monotonic", "perf_counter", "process_time", "time_ns", "monotonic_ns", "perf_counter_ns"}
REPLACING = {"setattr", "delattr", "setitem", "delitem"}


def files() -> Iterator[tuple[str, Path, ast.Module]]:
    """Yield the folder, the path and the syntax tree of each file of tests."""
    for path in sorted(TESTS.rglob("*.py")):
        folder = path.relative_to(TESTS.parent).parts[:2] if path.parent != TESTS else ("tests",)
        yield "/".join(folder), path, ast.parse(path.read_text(encoding="utf-8"))


def assertions_on_seconds() -> Iterator[tuple[str, str]]:
    """Yield each ``assert`` on a time: read in it, or assigned to a name in the same file."""
    for folder, path, tree in files():
        names: set[str] = set()
        while (grown := names | names_of_times(tree, names)) != names:
            names = grown
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert) and reads_a_clock(node.test, names):
                yield folder, f"{path.relative_to(TESTS.parent)}:{node.lineno}: {ast.unparse(node)}"


def names_of_times(tree: ast.AST, known: set[str]) -> set[str]:
    """Return the variables that a time is assigned or appended to, and the functions that return one."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None and reads_a_clock(node.value, known):
                found |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
        elif isinstance(node, ast.FunctionDef):
            returned = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
            if any(reads_a_clock(value, known) for value in returned):
                found.add(node.name)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".append"):
            found |= {ast.unparse(node.func)[:-7] for one in node.args if reads_a_clock(one, known)}
    return found


def reads_a_clock(node: ast.AST, names: set[str]) -> bool:
    """Return whether an expression calls a clock of `time`, or uses one of the names."""
    return any(
        (isinstance(part, ast.Name) and part.id in names)
        or (isinstance(part, ast.Attribute) and part.attr in CLOCKS and ast.unparse(part.value) == "time")
        for part in ast.walk(node)
    )


def replaced_parts_of_mrl() -> Iterator[tuple[str, str]]:
    """Yield each ``monkeypatch`` of something in mrl, or of a private name anywhere."""
    for folder, path, tree in files():
        ours = names_of_our_modules(tree)
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            if node.func.attr not in REPLACING or ast.unparse(node.func.value) != "monkeypatch":
                continue
            parts = [part.value for part in node.args[:2] if isinstance(part, ast.Constant)]
            private = any(str(part).rpartition(".")[2].startswith("_") for part in parts)
            in_mrl = str(parts[0]).startswith("mrl.") if isinstance(node.args[0], ast.Constant) else False
            root = next((part.id for part in ast.walk(node.args[0]) if isinstance(part, ast.Name)), "")
            if private or in_mrl or root in ours:
                yield folder, f"{path.relative_to(TESTS.parent)}:{node.lineno}: {ast.unparse(node)}"


def names_of_our_modules(tree: ast.AST) -> set[str]:
    """Return the names in a file that refer to mrl, its modules, or something in them."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "mrl":
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias for alias in node.names if alias.name.partition(".")[0] == "mrl"]
            found |= {alias.asname or alias.name.partition(".")[0] for alias in names}
        elif isinstance(node, ast.Assign) and "import_module('mrl." in ast.unparse(node.value):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found
