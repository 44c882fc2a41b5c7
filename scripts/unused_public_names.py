"""List the public names that nothing uses: no other package of mrl, no document, no example, no benchmark.

    python scripts/unused_public_names.py [PACKAGE ...]

A name is used where Python code imports it or takes it as an attribute of its package (``mrl.chem.ECFP4``,
``chem.ECFP4``), and where a document names it in backticks. Tests do not count, nor does the package of the name, nor
the stub of the top level. Exits with 1 if there are such names.
"""

from __future__ import annotations

import ast
import doctest
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "mrl"
EXEMPT = {"cli", "dataloaders", "torch_core", "imports", "torch_imports"}  # an entry point; the notebook's names


def public_names() -> dict[str, list[str]]:
    """``__all__`` of each package, read from its source."""
    found = {}
    for path in sorted([*SOURCE.glob("*/__init__.py"), *SOURCE.glob("[a-z]*.py")]):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                package = path.parent.name if path.name == "__init__.py" else path.stem
                found[package] = ast.literal_eval(node.value)
    return found


def used_in_code(code: str) -> Iterator[tuple[str, str]]:
    """The names that code takes from a package of mrl; the package is empty for names of ``mrl`` itself."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and re.match(r"mrl(\.|$)", node.module or ""):
            yield from ((str(node.module).removeprefix("mrl").lstrip("."), alias.name) for alias in node.names)
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).rpartition(".")[2]
            yield "" if owner == "mrl" else owner, node.attr


def used_in_document(text: str) -> Iterator[tuple[str, str]]:
    """The names in the examples of a document, and any words in backticks."""
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        examples = doctest.DocTestParser().get_examples(block)
        yield from used_in_code("".join(example.source for example in examples) or block)
    for quoted in re.findall(r"`([^`\n]+)`", text):
        yield from (("*", word) for word in re.findall(r"\w+", quoted))


def users() -> Iterator[tuple[str, str, str]]:
    """Who uses something (a package, or "outside"), of which package, and its name."""
    for path in sorted(SOURCE.rglob("*.py")):
        user = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        yield from ((user, *use) for use in used_in_code(path.read_text(encoding="utf-8")))
    for path in sorted([*(ROOT / "examples").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]):
        yield from (("outside", *use) for use in used_in_code(path.read_text(encoding="utf-8")))
    for path in sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]):
        yield from (("outside", *use) for use in used_in_document(path.read_text(encoding="utf-8")))


def unused() -> dict[str, list[str]]:
    """The names of each package that nothing outside it uses."""
    used: dict[str, set[tuple[str, str]]] = {}
    for user, package, name in users():
        used.setdefault(name, set()).add((user, package))
    return {
        package: [
            name
            for name in names
            if not any(user != package and of in (package, "", "*") for user, of in used.get(name, ()))
        ]
        for package, names in public_names().items()
        if package not in EXEMPT
    }


def main(packages: list[str]) -> int:
    """Print the unused names of the packages, or of all."""
    found = {package: names for package, names in unused().items() if names and (not packages or package in packages)}
    for package, names in found.items():
        print(f"{package}: {', '.join(sorted(names))}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
