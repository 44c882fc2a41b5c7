"""The public names: listed once in ``mrl/__init__.pyi``, defined in the package that the list says."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import imports, modules, public_names

import mrl

ROOT = Path(__file__).resolve().parent.parent.parent
STUB = Path(mrl.__path__[0], "__init__.pyi")
PACKAGES = sorted({module.package for module in modules().values() if module.is_root} - {""})


def listed() -> dict[str, str]:
    """The names of the stub and their homes, read by Python's own parser."""
    return {
        alias.asname or "": node.module or ""
        for node in ast.parse(STUB.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_stub_lists_every_name_of_the_top_level() -> None:
    found, names = listed(), vars(mrl)["__all__"]
    assert {name for name, home in found.items() if home != "mrl"} | {"__version__"} == {*names}
    assert len(set(names)) == len(names)
    assert {*found, "__version__"} == set(dir(mrl))
    assert {name for name, home in found.items() if home == "mrl"} == {*PACKAGES, "errors"}


def test_every_name_of_the_top_level_is_public_in_its_home() -> None:
    for name, home in listed().items():
        if home == "mrl":
            assert getattr(mrl, name) is importlib.import_module(f"mrl.{name}")
        else:
            assert name in public_names(home)
            assert getattr(mrl, name) is getattr(importlib.import_module(home), name)
    assert mrl.__version__


@pytest.mark.parametrize("package", PACKAGES)
def test_all_of_a_package_is_complete_and_has_no_private_name(package: str) -> None:
    module = importlib.import_module(f"mrl.{package}")
    assert module.__all__
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert not name.startswith("_")
        assert hasattr(module, name)


@pytest.mark.slow
def test_every_subpackage_is_an_attribute_in_a_new_process() -> None:
    code = f"import mrl; assert all(getattr(mrl, name).__name__ == f'mrl.{{name}}' for name in {PACKAGES})"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Textdataset", "TextDataset"), ("textdataset", "TextDataset"), ("TextDatset", "TextDataset"), ("Chem", "chem")],
)
def test_a_misspelt_name_suggests_the_right_one(name: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=rf"^module 'mrl' has no attribute '{name}' \(did you mean '{meant}'\?\)$"):
        getattr(mrl, name)


def test_a_name_like_no_other_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'mrl' has no attribute 'zzzzzzz'$"):
        mrl.zzzzzzz  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(mrl, "_repr_html_")


def test_every_module_is_imported_by_walking() -> None:
    for module in pkgutil.walk_packages(mrl.__path__, "mrl."):
        if module.name != "mrl.__main__":
            importlib.import_module(module.name)


def test_the_site_has_a_page_for_every_package_that_users_import() -> None:
    tree = ast.parse((ROOT / "docs" / "jobs.py").read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    pages = next(ast.literal_eval(node.value) for node in assigned if ast.unparse(node.targets[0]) == "PACKAGES")
    assert {*pages} == {*PACKAGES, "errors"} - {"cli", "kernels"}  # called by mrl itself


GUIDES = [*(path for path in (ROOT / "docs").glob("*.md") if path.name != "architecture.md"), ROOT / "CONTRIBUTING.md"]
NOT_FOR_USERS = {"cli", "kernels"}  # the site has no page for them


def words_of_code(text: str) -> set[str]:
    """The names in the code of a document: in its blocks and in backticks, not in prose."""
    fenced = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    paragraphs = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).split("\n\n")
    quoted = [code for paragraph in paragraphs for code in re.findall(r"`([^`]+)`", paragraph)]
    return set(re.findall(r"[A-Za-z_]\w*", "\n".join(fenced + quoted)))


def shared_names() -> set[tuple[str, str]]:
    """The package and name of each entry in the table of names that packages share."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## Names that packages share")[2].partition("\n## ")[0]
    found, package = set(), ""
    for line in section.splitlines():
        cells = [re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and cells[1]:
            package = cells[0][0] if cells[0] else package
            found |= {(package, name) for name in cells[1]}
    return found


def test_every_public_name_stands_in_a_guide_or_is_shared_by_packages() -> None:
    in_guides = set().union(*(words_of_code(path.read_text(encoding="utf-8")) for path in GUIDES))
    public = {(package, name) for package in {*PACKAGES} - NOT_FOR_USERS for name in public_names(f"mrl.{package}")}
    public |= {
        ("errors", name) for name, value in vars(mrl.errors).items() if isinstance(value, type) and name[0] != "_"
    }
    shared = shared_names()
    missing = sorted(f"mrl.{package}.{name}" for package, name in public - shared if name not in in_guides)
    assert not missing, f"in no guide (CONTRIBUTING.md, `make layers`): {', '.join(missing)}"
    assert sorted(shared - public) == []


def test_shared_names_are_imported_by_another_package() -> None:
    used = {
        (str(one.module).removeprefix("mrl."), one.name)
        for module in modules().values()
        for one in imports(module)
        if one.name is not None and one.module != f"mrl.{module.package}"
    }
    assert sorted(shared_names() - used) == []
