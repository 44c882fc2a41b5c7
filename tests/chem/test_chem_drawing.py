"""draw_molecule: SVG elements that a page can contain several times."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from rdkit.Chem.Draw import rdMolDraw2D

from mrl.chem import ATOM_COLORS, draw_molecule
from mrl.errors import MoleculeError

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CCO", "[Na+].[Cl-]", "[10*:1]CC[2H]", "N->[Pt]", "F/C=C/F", "C" * 300]


def colors(svg: str) -> set[str]:
    return set(re.findall("#[0-9A-Fa-f]{6}", svg))


@pytest.mark.parametrize("smiles", SMILES)
def test_it_is_xml_and_may_occur_several_times_in_a_page(smiles: str, capfd: pytest.CaptureFixture[str]) -> None:
    svg = draw_molecule(smiles)
    assert draw_molecule(Chem.MolFromSmiles(smiles)) == svg
    assert not re.search(r"<\?xml|<!DOCTYPE|<svg|<style|<script|\b(id|class|href)\s*=", svg)
    page = ElementTree.fromstring(f"<svg>{svg}{svg}</svg>")
    assert len(page) >= 2
    assert {element.tag for element in page} == {"path"}
    assert capfd.readouterr() == ("", "")


def test_the_colours_are_those_of_the_elements() -> None:
    assert colors(draw_molecule("CC")) == {ATOM_COLORS["C"]}
    for symbol, color in ATOM_COLORS.items():
        assert colors(draw_molecule(f"C[{symbol}]")) == {ATOM_COLORS["C"], color}  # some are radicals
    for other in ("[2H]C", "*C", "CB", "C[Se]C", "C[Si]", "[Fe]"):
        assert colors(draw_molecule(other)) == {ATOM_COLORS["C"]}


def test_the_drawing_fits_its_size() -> None:
    for size in ((40, 40), (220, 160), (500, 80)):
        body = draw_molecule("CC(=O)Oc1ccccc1C(=O)O", size)
        points = re.findall(r"(-?[\d.]+)[ ,](-?[\d.]+)", " ".join(re.findall(r" d='([^']*)'", body)))
        for x, y in points:
            assert 0 <= float(x) <= size[0]
            assert 0 <= float(y) <= size[1]


def test_a_molecule_is_drawn_in_two_dimensions_and_left_unchanged() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    before = mol.ToBinary()
    assert draw_molecule(mol)
    assert mol.ToBinary() == before
    assert mol.GetConformer().Is3D()


@pytest.mark.parametrize("text", ["C1CC(", "", "CCO <b>", "C(C)(C)(C)(C)C"])
def test_an_invalid_molecule_is_an_error(text: str) -> None:
    with pytest.raises(MoleculeError, match="is not a molecule") as caught:
        draw_molecule(text)
    assert caught.value.text == text


def test_a_molecule_that_rdkit_cannot_draw_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("no coordinates")

    monkeypatch.setattr(rdMolDraw2D, "MolDraw2DSVG", fail)
    with pytest.raises(MoleculeError, match=r"^<Mol>: drawing: RDKit cannot draw it, no coordinates$") as caught:
        draw_molecule(Chem.MolFromSmiles("OCC"))
    assert (caught.value.text, caught.value.reason) == ("CCO", "drawing: RDKit cannot draw it, no coordinates")


def test_a_drawing_of_a_few_pixels_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^size=\(220, 5\): expected a width and a height of 40 pixels or more$"):
        draw_molecule("C", (220, 5))
