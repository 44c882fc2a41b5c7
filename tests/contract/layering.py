"""The rules for the structure of mrl: functions that yield violations, as the package and a text."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator

from source_tree import Import, Module, imports, modules, public_names, target

# From the bottom up. A module imports only from the lines below its own; packages on one line do not import each other.
LAYERS = [
    {"arguments", "errors", "messages"},
    {"files", "formatting", "processes", "progress"},
    {"ragged"},
    {"kernels"},
    {"text"},
    {"chem"},
    {"corpus"},
    {"features"},
    {"data", "nn"},
    {"dataloaders", "torch_core", "imports", "torch_imports"},
    {"prepare", "summary"},
    {"lm", "qsar"},
    {"report", "loop"},
    {"cli", "__main__"},
]
LEVEL = {package: level for level, layer in enumerate(LAYERS) for package in layer}
LEVEL[""] = 1  # mrl/__init__.py, whose public names are resolved when they are used
ALLOWED_NEIGHBOURS = {
    ("dataloaders", "torch_core"),
    ("dataloaders", "imports"),
    ("dataloaders", "torch_imports"),
    ("__main__", "cli"),
}
FORBIDDEN = {("data", "chem"), ("data", "corpus")}  # columns and functions are passed in

# Where each dependency may be imported. Packages of LAZY import it only inside functions: it is optional or slow there.
DEPENDENCIES = {
    "numpy": {*LEVEL} - LAYERS[0] - LAYERS[1],
    "torch": {"data", "nn", "torch_imports", "lm", "qsar", "loop"},
    "safetensors": {"nn", "lm"},
    "sklearn": {"qsar"},
    "rdkit": {"chem"},
    "numba": {"kernels"},
    "pyarrow": {"ragged", "corpus", "features"},
    "pandas": {"imports"},
    "transformers": {"text"},
    "tokenizers": {"text"},
    "typer": {"cli"},
    "typing_extensions": {"data"},
    "fsspec": {"corpus"},
    "python_calamine": {"corpus"},
    "rich": {"cli", "progress"},
    "ray": {"prepare"},
}
LAZY = {
    ("pyarrow", "ragged"),
    ("transformers", "text"),
    ("tokenizers", "text"),
    ("rich", "progress"),
    ("fsspec", "corpus"),
    ("ray", "prepare"),
    ("python_calamine", "corpus"),
}

MOST_LINES = 450
MOST_MODULES = 13  # in one folder, its __init__.py not counted


def of_mrl(module: Module) -> Iterator[tuple[Import, str, str]]:
    """Yield the imports from other packages of mrl: the import, its target, the package (empty for ``mrl`` itself)."""
    for one in imports(module):
        if one.module.partition(".")[0] == "mrl":
            other = target(one).partition(".")[2].partition(".")[0]
            if other != module.package:
                yield one, target(one), other


def upward_imports() -> Iterator[tuple[str, str]]:
    """A module imports only from its own package and from those below it."""
    for module in modules().values():
        if module.package not in LEVEL:
            yield module.package, f"{module}: {module.package} is in no layer"
            continue
        for one, _, other in of_mrl(module):
            pair = (module.package, other)
            if not other:
                fine = one.name == "__version__"
            else:
                fine = (LEVEL[other] < LEVEL[module.package] and pair not in FORBIDDEN) or pair in ALLOWED_NEIGHBOURS
            if not fine:
                yield module.package, f"{module}:{one.line}: {one}"


def imports_past_a_root() -> Iterator[tuple[str, str]]:
    """A package imports only names in ``__all__`` of the root of another one."""
    for module in modules().values():
        for one, found, other in of_mrl(module):
            root = f"mrl.{other}"
            if other and (found != root or (one.module == root and one.name and one.name not in public_names(root))):
                yield module.package, f"{module}:{one.line}: {one}"


def import_circles() -> Iterator[tuple[str, str]]:
    """No module imports itself by way of others; a circle is reported with a shortest path around it."""
    graph = {
        name: {target(one): one.line for one in imports(module) if target(one) in modules() and target(one) != name}
        for name, module in modules().items()
    }
    for component in strongly_connected(graph):
        start = min(component)
        path = shortest_circle(graph, start, component)
        steps = [f"{modules()[a]}:{graph[a][b]} imports {b}" for a, b in itertools.pairwise(path)]
        title = f"{len(component)} modules import each other in a circle ({', '.join(sorted(component))}):"
        yield modules()[start].package, "\n    ".join([title, *steps])


def circles_of_folders() -> Iterator[tuple[str, str]]:
    """No folder in a package imports itself by way of others, except from the folders around it."""
    graph: dict[str, dict[str, int]] = {}
    for module in modules().values():
        here = folder(module)
        graph.setdefault(here, {})
        for one in imports(module):
            if target(one) in modules():
                there = folder(modules()[target(one)])
                if not f"{here}.".startswith(f"{there}.") and not f"{there}.".startswith(f"{here}."):
                    graph[here].setdefault(there, one.line)
    for component in strongly_connected(graph):
        start = min(component)
        yield modules()[start].package, " -> ".join(shortest_circle(graph, start, component))


def folder(module: Module) -> str:
    """Return the dotted name of the folder of a module."""
    return module.name if module.is_root else module.name.rpartition(".")[0]


def strongly_connected(graph: dict[str, dict[str, int]]) -> list[set[str]]:
    """Return the sets of two or more nodes that reach each other (Tarjan's algorithm)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in graph[node]:
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            component = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(component)

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


def shortest_circle(graph: dict[str, dict[str, int]], start: str, within: set[str]) -> list[str]:
    """Return a shortest path from `start` to itself."""
    paths = [[start]]
    seen = {start}
    for path in paths:
        for other in sorted(within & graph[path[-1]].keys()):
            if other == start:
                return [*path, start]
            if other not in seen:
                seen.add(other)
                paths.append([*path, other])
    raise AssertionError("not a component")


def dependencies_away_from_home() -> Iterator[tuple[str, str]]:
    """Each dependency is imported only in its homes, and in some of them only inside functions."""
    for module in modules().values():
        for one in imports(module):
            dependency = one.module.partition(".")[0]
            if dependency == "mrl" or dependency in sys.stdlib_module_names:
                continue
            if module.package not in DEPENDENCIES.get(dependency, ()):
                yield module.package, f"{module}:{one.line}: {one}"
            elif one.top_level and (dependency, module.package) in LAZY:
                yield module.package, f"{module}:{one.line}: {one}: import it in the function that needs it"


def private_module_names() -> Iterator[tuple[str, str]]:
    """Modules have no leading underscore: ``__all__`` of the root says what is public."""
    for name, module in modules().items():
        if any(part.startswith("_") and not part.startswith("__") for part in name.split(".")):
            yield module.package, str(module)


def long_modules() -> Iterator[tuple[str, str]]:
    """A longer module is divided."""
    for module in modules().values():
        lines = len(module.path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            yield module.package, f"{module} has {lines} lines, more than {MOST_LINES}"


def full_folders() -> Iterator[tuple[str, str]]:
    """A folder of more modules is divided."""
    for module in modules().values():
        if module.is_root and module.package:
            inside = [path for path in module.path.parent.glob("*.py") if path.name != "__init__.py"]
            if len(inside) > MOST_MODULES:
                yield module.package, f"{module.path.parent.name} has {len(inside)} modules, more than {MOST_MODULES}"


RULES: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
    "upward import": upward_imports,
    "import past a package root": imports_past_a_root,
    "import circle": import_circles,
    "circle of folders": circles_of_folders,
    "dependency away from home": dependencies_away_from_home,
    "underscore in a module name": private_module_names,
    "long module": long_modules,
    "full folder": full_folders,
}
