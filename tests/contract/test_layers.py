"""The structure of mrl: what may import what, and how large a module and a folder may be."""

from __future__ import annotations

import ast

import layering
import pytest
from source_tree import SOURCE, imports, modules, target, tree

import mrl


@pytest.mark.parametrize("rule", layering.RULES)
def test_structure(rule: str) -> None:
    violations = [text for _, text in layering.RULES[rule]()]
    assert not violations, "\n".join(violations)


def test_circles_are_found_wherever_the_import_stands() -> None:
    graph = {"a": {"b": 1}, "b": {"c": 1, "d": 2}, "c": {}, "d": {"a": 1, "c": 2}, "e": {"a": 1}}
    (component,) = layering.strongly_connected(graph)
    assert component == {"a", "b", "d"}
    assert layering.shortest_circle(graph, "a", component) == ["a", "b", "d", "a"]
    app = imports(modules()["mrl.cli.app"])
    assert "mrl.cli.commands.models.train" in {target(one) for one in app if not one.top_level}  # by import_module
    progress = imports(modules()["mrl.progress"])
    assert ("rich", False) in {(one.module.partition(".")[0], one.top_level) for one in progress}


def test_python_private_parser_is_imported_in_one_module() -> None:
    users = {
        str(module)
        for module in modules().values()
        for node in ast.walk(tree(module))
        if (isinstance(node, ast.ImportFrom) and node.module == "re" and any(a.name[0] == "_" for a in node.names))
        or (isinstance(node, ast.Import) and any(a.name.startswith("re._") for a in node.names))
    }
    assert len(users) <= 1, users


def test_no_public_name_is_also_a_package() -> None:
    packages = {module.package for module in modules().values()}
    assert not packages & {*vars(mrl)["__all__"]}


def test_the_drawing_in_the_documentation_shows_these_layers() -> None:
    page = SOURCE.parent.parent / "docs" / "architecture.md"
    drawing = page.read_text(encoding="utf-8").partition("## Layers")[2].split("```")[1]
    drawn = [set(line.split("  ")[0].split()) for line in drawing.strip().splitlines()]
    existing = {module.package for module in modules().values()} - {"__main__"}
    assert drawn == [layer & existing for layer in reversed(layering.LAYERS) if layer & existing]
