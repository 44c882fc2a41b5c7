"""The rules for the structure of mrl: each one a function that yields what breaks it, and in which module."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator

from source_tree import Import, Module, imports, modules, public_names, target

# From the bottom up. A module imports only from the lines below its own; packages on one line do not import each other.
LAYERS = [
    {"errors", "messages"},
    {"files", "formatting", "processes", "progress"},
    {"ragged"},
    {"kernels"},
    {"text"},
    {"chem"},
    {"corpus"},
    {"features"},
    {"data", "nn"},
    {"dataloaders", "torch_core", "imports", "torch_imports"},
    {"prepare"},
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

# Where each dependency may be imported. In packages of LAZY it is optional, and imported inside functions only.
DEPENDENCIES = {
    "numpy": {*LEVEL} - LAYERS[0] - LAYERS[1],
    "torch": {"data", "nn", "torch_imports", "lm", "qsar"},
    "safetensors": {"lm", "qsar"},
    "sklearn": {"qsar"},
    "rdkit": {"chem"},
    "numba": {"kernels"},
    "pyarrow": {"ragged", "corpus", "features"},
    "pandas": {"imports"},
    "transformers": {"text"},
    "tokenizers": {"text"},
    "typer": {"cli"},
    "typing_extensions": {"data"},
    "rich": {"cli", "progress"},
}
LAZY = {("pyarrow", "ragged"), ("transformers", "text"), ("tokenizers", "text"), ("rich", "progress")}

MOST_LINES = 450
MOST_MODULES = 13  # in one folder, its __init__.py not counted


def of_mrl(module: Module) -> Iterator[tuple[Import, str, str]]:
    """The imports of other packages of mrl: the import, its target, the other package (empty for ``mrl`` itself)."""
    for one in imports(module):
        if one.module.partition(".")[0] == "mrl":
            other = target(one).partition(".")[2].partition(".")[0]
            if other != module.package:
                yield one, target(one), other


def upward_imports() -> Iterator[tuple[Module, str]]:
    """A module imports from its own package and from those below only."""
    for module in modules().values():
        if module.package not in LEVEL:
            yield module, f"{module}: {module.package} is in no layer"
            continue
        for one, _, other in of_mrl(module):
            pair = (module.package, other)
            if not other:
                fine = one.name == "__version__"
            else:
                fine = (LEVEL[other] < LEVEL[module.package] and pair not in FORBIDDEN) or pair in ALLOWED_NEIGHBOURS
            if not fine:
                yield module, f"{module}:{one.line}: {one}"


def imports_past_a_root() -> Iterator[tuple[Module, str]]:
    """What one package takes from another is in ``__all__`` of the other's root."""
    for module in modules().values():
        for one, found, other in of_mrl(module):
            root = f"mrl.{other}"
            if other and (found != root or (one.module == root and one.name and one.name not in public_names(root))):
                yield module, f"{module}:{one.line}: {one}"


def import_circles() -> Iterator[tuple[Module, str]]:
    """No module imports itself through others; each circle is reported once, with a shortest path around it."""
    graph = {
        name: {target(one): one.line for one in imports(module) if target(one) in modules() and target(one) != name}
        for name, module in modules().items()
    }
    for component in strongly_connected(graph):
        start = min(component)
        path = shortest_circle(graph, start, component)
        steps = [f"{modules()[a]}:{graph[a][b]} imports {b}" for a, b in itertools.pairwise(path)]
        title = f"{len(component)} modules import each other in a circle ({', '.join(sorted(component))}):"
        yield modules()[start], "\n    ".join([title, *steps])


def circles_of_folders() -> Iterator[tuple[Module, str]]:
    """The folders inside a package form no circle either, apart from what they share with the package around them."""
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
        yield modules()[start], " -> ".join(shortest_circle(graph, start, component))


def folder(module: Module) -> str:
    """The dotted name of the folder that a module is in."""
    return module.name if module.is_root else module.name.rpartition(".")[0]


def strongly_connected(graph: dict[str, dict[str, int]]) -> list[set[str]]:
    """The sets of nodes that reach each other, of two nodes or more (Tarjan's algorithm)."""
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
    """A shortest path from `start` back to it."""
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


def dependencies_away_from_home() -> Iterator[tuple[Module, str]]:
    """Each dependency is imported in its home only; one that is optional there, in functions only."""
    for module in modules().values():
        for one in imports(module):
            dependency = one.module.partition(".")[0]
            if dependency == "mrl" or dependency in sys.stdlib_module_names:
                continue
            if module.package not in DEPENDENCIES.get(dependency, ()):
                yield module, f"{module}:{one.line}: {one}"
            elif one.top_level and (dependency, module.package) in LAZY:
                yield module, f"{module}:{one.line}: {one}: import it in the function that needs it"


def private_module_names() -> Iterator[tuple[Module, str]]:
    """``__all__`` of a root says what is public, not an underscore in a file's name."""
    for name, module in modules().items():
        if any(part.startswith("_") and not part.startswith("__") for part in name.split(".")):
            yield module, str(module)


def long_modules() -> Iterator[tuple[Module, str]]:
    """A module past 400 lines wants to be two."""
    for module in modules().values():
        lines = len(module.path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            yield module, f"{module} has {lines} lines, more than {MOST_LINES}"


def full_folders() -> Iterator[tuple[Module, str]]:
    """A package of more than a dozen modules is divided."""
    for module in modules().values():
        if module.is_root and module.package:
            inside = [path for path in module.path.parent.glob("*.py") if path.name != "__init__.py"]
            if len(inside) > MOST_MODULES:
                yield module, f"{module.path.parent.name} has {len(inside)} modules, more than {MOST_MODULES}"


RULES: dict[str, Callable[[], Iterator[tuple[Module, str]]]] = {
    "upward import": upward_imports,
    "import past a package root": imports_past_a_root,
    "import circle": import_circles,
    "circle of folders": circles_of_folders,
    "dependency away from home": dependencies_away_from_home,
    "underscore in a module name": private_module_names,
    "long module": long_modules,
    "full folder": full_folders,
}
