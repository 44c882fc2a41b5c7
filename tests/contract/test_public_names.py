"""The public names: listed once in ``mrl/__init__.pyi``, defined in the package that the list says."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import modules, public_names

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
    tree = ast.parse((ROOT / "docs" / "reference.py").read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    pages = next(ast.literal_eval(node.value) for node in assigned if ast.unparse(node.targets[0]) == "PACKAGES")
    assert {*pages} == {*PACKAGES, "errors"} - {"cli", "kernels"}  # called by mrl itself
