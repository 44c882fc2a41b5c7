"""draw: one SVG that a page can hold several times."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from rdkit.Chem.Draw import rdMolDraw2D

from mrl.chem import draw
from mrl.errors import ColumnError

SVG = "{http://www.w3.org/2000/svg}"
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CCO", "[Na+].[Cl-]", "[10*:1]CC[2H]", "N->[Pt]", "F/C=C/F"]
BAD = ["C1CC(", "", "  ", "CCO <b>&'\"", None, float("nan"), "CC\x00\ud800", "N" * 500 + "Q", Chem.Mol(), b"C"]


def cells(svg: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(svg).findall(f"{SVG}g")


@pytest.mark.parametrize("molecules", [SMILES, BAD, SMILES + BAD, [Chem.MolFromSmiles(x) for x in SMILES], ["C" * 300]])
def test_it_is_xml_with_a_cell_and_a_tooltip_each(molecules: list[Any], capfd: pytest.CaptureFixture[str]) -> None:
    svg = draw(molecules)
    assert len(cells(svg)) == len(molecules)
    assert [len(cell.findall(f"{SVG}title")) for cell in cells(svg)] == [1] * len(molecules)
    assert capfd.readouterr() == ("", "")


def test_it_can_stand_in_a_page_more_than_once() -> None:
    svg = draw(SMILES + BAD, legends=["a & b"] * len(SMILES + BAD))
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert not re.search(r"<\?xml|<!DOCTYPE|<style|<script|\b(id|class|href)\s*=", svg)
    assert len(ElementTree.fromstring(f"<div>{svg}{svg}</div>")) == 2


def test_good_cells_hold_a_drawing_and_bad_ones_their_text_and_reason() -> None:
    good, bad, empty = cells(draw(["CCO", "C(C)(C)(C)(C)C", ""]))
    assert len(good.findall(f"{SVG}path")) >= 2
    assert good.find(f"{SVG}title").text == "CCO"
    assert good.find(f"{SVG}rect").get("stroke-dasharray") is None
    assert bad.findall(f"{SVG}path") == []
    assert bad.find(f"{SVG}rect").get("stroke-dasharray")
    assert "".join(bad.itertext()).startswith("C(C)(C)(C)(C)C (valence: Explicit valence")
    assert [line.text for line in bad.findall(f"{SVG}text")][:2] == ["C(C)(C)(C)(C)C", "valence: Explicit valence for"]
    assert [line.text for line in empty.findall(f"{SVG}text")] == ["(empty)", "empty: no atoms"]


def test_the_grid() -> None:
    root = ElementTree.fromstring(draw(["C"] * 5, columns=2, size=(100, 80)))
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("216", "264", "0 0 216 264")
    corners = [cell.get("transform") for cell in root]
    assert corners == ["translate(4 4)", "translate(112 4)", "translate(4 92)", "translate(112 92)", "translate(4 180)"]
    assert ElementTree.fromstring(draw(["C"] * 2, columns=9)).get("width") == "456"


def test_legends_are_escaped_and_cut() -> None:
    first, second = cells(draw(["C", "N"], legends=["QED < 0.5 & small", "x" * 200]))
    assert first.findall(f"{SVG}text")[-1].text == "QED < 0.5 & small"
    cut = second.findall(f"{SVG}text")[-1].text
    assert cut.endswith("x…")
    assert len(cut) < 40


def test_a_molecule_is_drawn_flat_and_left_alone() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    before = mol.ToBinary()
    assert draw([mol])
    assert mol.ToBinary() == before
    assert mol.GetConformer().Is3D()


def test_what_rdkit_cannot_draw_is_a_cell_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError

    monkeypatch.setattr(rdMolDraw2D, "MolDraw2DSVG", fail)
    (cell,) = cells(draw([Chem.MolFromSmiles("OCC")]))
    assert cell.find(f"{SVG}title").text == "CCO (drawing: RDKit cannot draw it)"


def test_the_same_molecules_give_the_same_text() -> None:
    assert draw(SMILES) == draw(iter(SMILES))


def test_nothing_to_draw_is_an_empty_picture() -> None:
    assert cells(draw([])) == []


def test_wrong_arguments() -> None:
    with pytest.raises(ColumnError, match=r"^1 legends for 2 molecules: give one each$"):
        draw(["C", "N"], legends=["a"])
    with pytest.raises(ColumnError, match=r"^column 'molecules' is a single string"):
        draw("CCO")
    with pytest.raises(ValueError, match=r"^columns=0, size=\(220, 160\): expected 1 column or more, and 40 pixels"):
        draw(["C"], columns=0)
    with pytest.raises(ValueError, match=r"size=\(220, 5\)"):
        draw(["C"], size=(220, 5))
