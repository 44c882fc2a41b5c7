"""The house: each room imports only from the rooms below it, and each heavy dependency has one home."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import mrl

SOURCE = Path(mrl.__file__).parent

# From the ground up; rooms of one line never import each other.
FLOORS = [
    {"errors", "files", "messages"},
    {"formatting"},
    {"ragged"},
    {"kernels"},
    {"text", "chem", "corpus"},
    {"features"},
    {"data"},
    {"nn"},
    {"imports", "torch_imports", "torch_core", "dataloaders"},
    {"prepare"},
    {"report", "lm"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
NEIGHBOURS_ALLOWED = {("dataloaders", "imports"), ("dataloaders", "torch_imports"), ("dataloaders", "torch_core")}
FORBIDDEN = {("data", "chem"), ("data", "corpus")}

HOMES = {
    "torch": {"data", "lm", "nn", "torch_imports"},
    "safetensors": {"lm"},
    "rdkit": {"chem"},
    "numba": {"kernels"},
    "pyarrow": {"corpus"},
    "pandas": {"imports"},
    "matplotlib": {"report"},
    "transformers": {"text"},
    "tokenizers": {"text"},
    "typer": {"cli"},
    "rich": {"cli"},
}
LIGHT = {"numpy"}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> list[tuple[int, str]]:
    """Every module that a file imports anywhere in it, as (line, dotted name)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "mrl" else [node.module]
            found += [(node.lineno, name or "") for name in names]
    return found


FILES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py" or path.parent != SOURCE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    assert room in LEVEL, f"{room} is on no floor"
    for line, name in imports_of(path):
        if not name.startswith("mrl."):
            continue
        other = name.split(".")[1]
        if other in (room, "__version__"):
            continue
        where = f"{path.relative_to(SOURCE)}:{line} imports {name}"
        assert (room, other) not in FORBIDDEN, where
        assert LEVEL[other] < LEVEL[room] or (room, other) in NEIGHBOURS_ALLOWED, where


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_private_files_stay_in_their_room(path: Path) -> None:
    for line, name in imports_of(path):
        parts = name.split(".")
        private = [part for part in parts if part.startswith("_") and not part.startswith("__")]
        if parts[0] == "mrl" and private:
            assert parts[1] == room_of(path), f"{path.relative_to(SOURCE)}:{line} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_heavy_dependencies_have_one_home(path: Path) -> None:
    room = room_of(path)
    for line, name in imports_of(path):
        package = name.split(".")[0]
        where = f"{path.relative_to(SOURCE)}:{line} imports {name}"
        if package in HOMES:
            assert room in HOMES[package], where
        else:
            assert package in {"mrl", *LIGHT} or package in sys.stdlib_module_names, where


def test_python_private_parser_is_imported_in_one_file() -> None:
    users = {
        path.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and node.module == "re" and any(a.name[0] == "_" for a in node.names))
        or (isinstance(node, ast.Import) and any(a.name.startswith("re._") for a in node.names))
    }
    assert len(users) <= 1, users


def test_no_function_is_called_like_a_room() -> None:
    rooms = {room_of(path) for path in FILES}
    for name in mrl.__all__:
        assert name not in rooms
