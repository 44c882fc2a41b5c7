"""`show`, `properties` and their pictures: any data, the right rows, well-formed, and never an exception for a text."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mrl
from mrl.chem import evaluate, leaks
from mrl.data import BaseDataset, NumberColumn, Task, TextColumn
from mrl.errors import ColumnError
from mrl.ragged import Rejects
from mrl.report import Drawing, Picture, properties, show

SVG = "{http://www.w3.org/2000/svg}"
SMILES = ["CCO", "c1ccccc1", "CC(=O)O", "CCN", "CCCl", "CC#N"]
EVIL = "<script>alert('\"x\"')</script>&amp;]]>"


def words(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def vocab() -> mrl.SmilesVocab:
    return mrl.SmilesVocab()


def labels(picture: Picture) -> list[str]:
    return [cell.label for cell in picture.cells]


DATA: dict[str, Callable[[], Any]] = {
    "one": lambda: "CCO",
    "list": lambda: SMILES,
    "array": lambda: np.array(SMILES),
    "generator": lambda: (text for text in SMILES),
    "text": lambda: mrl.Text.of(SMILES),
    "molecules": lambda: [mrl.to_mol(text) for text in SMILES],
    "table": lambda: mrl.Table({"smiles": mrl.Text.of(SMILES), "y": np.arange(6.0)}, targets=("y",)),
    "texts": lambda: mrl.TextDataset(SMILES, vocab()),
    "prediction": lambda: mrl.TextPredictionDataset(SMILES, np.arange(18.0).reshape(6, 3), vocab()),
    "vectors": lambda: mrl.VectorDataset(SMILES, len),
    "reconstruction": lambda: mrl.VecReconDataset(SMILES, vocab(), len),
    "vector prediction": lambda: mrl.VecPredictionDataset(SMILES, range(6), len),
    "pairs": lambda: mrl.PairDataset(SMILES, SMILES[::-1], vocab()),
    "conditions": lambda: mrl.ConditionalDataset(SMILES, range(6), vocab()),
    "prompts": lambda: mrl.ConditionalDataset(SMILES, ["C"] * 6, vocab()),
    "masked": lambda: mrl.MaskedDataset(SMILES, vocab()),
    "packed": lambda: mrl.PackedDataset(SMILES, vocab(), 12),
    "view": lambda: mrl.TextDataset(SMILES, vocab()).view([4, 1]),
    "rejects": lambda: mrl.screen(["C(", "", "CO(C)C"]).rejects,
    "nothing": list,
    "no rows": lambda: mrl.TextDataset([], vocab()),
    "no blocks": lambda: mrl.PackedDataset([], vocab(), 12),
}
TABLES: dict[str, Callable[[], Any]] = {
    "cleaned": lambda: mrl.clean(["CCO", "OCC", "C(", EVIL], "none", duplicates="first"),
    "metrics": lambda: evaluate(SMILES, SMILES),
    "leaks": lambda: leaks(SMILES, SMILES),
}


@pytest.mark.parametrize("name", DATA)
def test_any_data_is_drawn_the_same_each_time(name: str) -> None:
    picture = show(DATA[name]())
    assert picture.svg == show(DATA[name]()).svg
    root = ElementTree.fromstring(picture.svg)
    assert root.tag == f"{SVG}svg"
    assert not re.search(r"var\(|(?<![-\w])id=|class=|<script|href", picture.svg)
    assert picture._repr_svg_() == picture.svg
    ElementTree.fromstring(picture._repr_html_())
    assert repr(picture).startswith(f"Picture({picture.title})")


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_shown_as_they_show_themselves(name: str, tmp_path: Path) -> None:
    data = TABLES[name]()
    picture = show(data)
    assert data._repr_html_() in picture._repr_html_()
    assert picture._repr_svg_() is None
    ElementTree.fromstring(f"<div>{picture._repr_html_()}</div>")
    picture.save(tmp_path / "table.html")
    assert data._repr_html_() in (tmp_path / "table.html").read_text()
    with pytest.raises(ValueError, match=r"save it as \.html"):
        picture.save(tmp_path / "table.svg")
    assert not (tmp_path / "table.svg").exists()


def test_cleaned_counts_every_step_with_examples() -> None:
    cleaned = mrl.clean(["OCC", "CCO", "C(", EVIL], "none", duplicates="first")
    html = cleaned._repr_html_()
    assert "1 of 4 rows kept" in html
    for stage, count in cleaned.counts.items():
        row = next(row for row in ElementTree.fromstring(f"<div>{html}</div>").iter("tr") if row[0].text == stage)
        assert [cell.text for cell in row[1:4]] == [str(count.rows), str(count.changed), str(count.removed)]
    assert "row 2: <code>C(</code> (syntax" in html
    assert "<script" not in html


def test_rows_labels_and_numbers() -> None:
    ds = mrl.TextPredictionDataset(SMILES, [[0.5, None], [1, 2], *[[3, 4]] * 4], vocab())
    ds.add_column("name", list("abcdef"))
    assert labels(show(ds, 2)) == ["row 0: CCO; y_vals 0.50 –; name a", "row 1: c1ccccc1; y_vals 1 2; name b"]
    assert labels(show(ds, 1, labels=["name"])) == ["row 0: CCO; name a"]
    assert labels(show(ds, 1, labels=[])) == ["row 0: CCO"]
    assert labels(show(ds.view([4, 1]), labels="name")) == [
        "row 0 (row 4 of the input): CCCl; name e",
        "row 1: c1ccccc1; name b",
    ]
    with pytest.raises(ColumnError, match="no column 'z' to label the rows with; there is 'y_vals', 'name'"):
        show(ds, labels=["z"])


def test_captions_are_written_below_the_rows_that_are_drawn() -> None:
    picture = show(SMILES, 2, captions=[f"number {i} & <b>" for i in range(6)])
    assert labels(picture) == ["row 0: CCO; number 0 & <b>", "row 1: c1ccccc1; number 1 & <b>"]
    assert {"number 0 & <b>", "number 1 & <b>"} <= set(words(picture.svg))
    with pytest.raises(ColumnError, match="1 caption for 6 molecules: give one for each"):
        show(SMILES, captions=["a"])


def test_the_value_stays_where_a_name_is_too_long() -> None:
    table = mrl.Table({"smiles": mrl.Text.of(["C"]), "measured log solubility in mols per litre": np.array([-0.77])})
    (line,) = [word for word in words(show(table).svg) if word.startswith("measured")]
    assert line.endswith("… −0.77")
    assert len(line) <= 32


def test_which_rows_are_drawn() -> None:
    data = ["C" * n for n in range(1, 41)]
    assert labels(show(data)) == [f"row {n}: {data[n]}" for n in range(12)]
    drawn = labels(show(data, 5, seed=1))
    assert drawn == labels(show(data, 5, seed=1))
    assert drawn != labels(show(data, 5, seed=2))
    assert len(drawn) == 5
    assert labels(show(data, 99, seed=1)) == labels(show(data, 99))
    assert show(data).title == "12 of 40 molecules"
    assert show(data, 5, seed=1).note == "drawn at random with seed 1"
    assert show(data, 40, seed=1).note == ""
    assert (show(data[:1]).title, show([]).title) == ("1 molecule", "0 molecules")


def test_pairs_stand_side_by_side_and_blocks_in_rows_of_three() -> None:
    pairs = show(mrl.PairDataset(["CCO"], ["CC=O"], vocab()))
    assert labels(pairs) == ["row 0: CCO → CC=O"]
    assert pairs.title == "1 pair of PairDataset"
    assert pairs.svg.count("<title>") == 2
    blocks = show(mrl.PackedDataset(["C"] * 8, vocab(), 24))
    assert labels(blocks) == ["block 0: C C C C C C C C"]
    assert blocks.svg.count("<title>") == 6
    assert "8 texts, of which 6 are drawn" in words(blocks.svg)


def test_the_texts_of_a_user_defined_task_are_drawn() -> None:
    task = Task({"reactants": TextColumn(), "products": TextColumn(), "yields": NumberColumn()})
    columns = {"reactants": ["CCO"], "products": ["CC=O"], "yields": [0.5]}
    assert labels(show(BaseDataset.from_task(task, columns))) == ["row 0: CCO → CC=O; yields 0.50"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("C(", "syntax: cannot be read near"),
        ("", "empty: no atoms"),
        ("GLLDTFKNLALNAAKSAGVSVLNSLSCKLSKTC", "syntax: cannot be read near"),
        ("[C][C][O]", "SELFIES"),
        ("C" * 1000, "1,000 atoms: too many to draw"),
        (EVIL, "syntax: cannot be read near"),
        ("C\x00\ud800C", "character"),
        ("CC−C", "character: '−' (U+2212) at 3 of"),
    ],
)
def test_an_invalid_molecule_is_a_text_with_a_note(text: str, note: str) -> None:
    picture = show([text])
    shown = words(picture.svg)
    assert any(word.startswith(note) for word in shown)
    assert "<title>" not in picture.svg
    assert "<script" not in picture.svg + picture._repr_html_()


def test_molecules_of_rdkit_are_named_by_their_smiles() -> None:
    assert labels(show([mrl.to_mol("OCC")])) == ["row 0: CCO"]
    assert "n 1" in words(properties([mrl.to_mol("OCC")], ["logp"]).svg)


def test_a_missing_text_and_hydrogen_are_what_they_are() -> None:
    pandas = pytest.importorskip("pandas")
    for missing in (None, float("nan"), np.nan, pandas.NA):
        assert "(empty)" in words(show(["C", missing]).svg)
    assert labels(show(pandas.Series(["C", "CC"], index=[7, 7]))) == ["row 0: C", "row 1: CC"]
    assert show(["[H][H]"]).svg.count("<title>") == 1


@pytest.mark.parametrize(
    ("made", "grammar"),
    [
        (mrl.AminoAcidVocab, "a protein"),
        (mrl.NucleotideVocab, "a nucleic acid"),
        (lambda: mrl.KmerVocab(1), "a sequence"),
    ],
)
def test_a_sequence_that_is_a_smiles_too_is_not_drawn(made: Callable[[], Any], grammar: str) -> None:
    picture = show(mrl.TextDataset(["CCCC"], made()))
    assert {"CCCC", grammar} <= set(words(picture.svg))
    assert "<title>" not in picture.svg


def test_rows_without_a_vector_say_so() -> None:
    ds = mrl.VectorDataset(["CCO", "C(", "CC"], lambda text: mrl.chem.ECFP4(text), on_error="mask")
    assert labels(show(ds)) == ["row 0: CCO", "row 1: C(; no vector", "row 2: CC"]


def test_rejects_show_text_stage_and_reason() -> None:
    rejects = Rejects([(7, "CCO", "duplicates", "the same as row 2"), (9, EVIL, "parse", "syntax")])
    picture = show(rejects)
    assert labels(picture) == ["row 7: duplicates: CCO; the same as row 2", f"row 9: parse: {EVIL}; syntax"]
    assert picture.svg.count("<title>") == 1  # the one that is a molecule
    assert {"row 7: duplicates", "the same as row 2", "syntax"} <= set(words(picture.svg))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "3 .int. is not a molecule; show takes a dataset"),
        ([["CCO"]], "list. is not a molecule"),
        ({"smiles": ["C"]}, "a dict has several columns"),
    ],
)
def test_data_without_molecules_raises(data: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        show(data)


def test_the_message_for_a_frame_names_one_column() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"smiles": ["CCO"]})
    with pytest.raises(TypeError, match=r"a DataFrame has several columns; give the one .* table\['smiles'\]"):
        show(frame)
    assert labels(show(frame["smiles"])) == ["row 0: CCO"]


@pytest.mark.parametrize(("n", "columns"), [(-1, None), (3, 0)])
def test_invalid_numbers_raise(n: int, columns: int | None) -> None:
    with pytest.raises(ValueError, match="expected 0 rows or more, and 1 column or more"):
        show(SMILES, n, columns)


def test_columns_bound_the_grid() -> None:
    assert 'width="972"' not in show(SMILES, columns=2).svg
    narrow, wide = (
        int(ElementTree.fromstring(show(SMILES, columns=columns).svg).get("width", "0")) for columns in (2, 6)
    )
    assert narrow == 2 * (220 + 16) + 16
    assert wide == 6 * (220 + 16) + 16


def test_files_are_whole_and_of_their_kind(tmp_path: Path) -> None:
    picture = show(SMILES)
    picture.save(tmp_path / "a.svg")
    picture.save(tmp_path / "new" / "a.html")
    assert (tmp_path / "a.svg").read_text() == picture.svg
    page = (tmp_path / "new" / "a.html").read_text()
    ElementTree.fromstring(page.replace("<!doctype html>\n", ""))
    assert "6 molecules" in page
    assert "var(--C) !important" in page
    assert "default-src 'none'" in page
    with pytest.raises(ValueError, match=r"ends with '.pdf'; expected .html, .svg or .png"):
        picture.save(tmp_path / "a.pdf")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.svg"
    show("C").save(path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="disk full"):
        show("CC").save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.svg"]


def test_a_picture_is_a_value() -> None:
    picture = show(SMILES)
    assert pickle.loads(pickle.dumps(picture)).svg == picture.svg
    with pytest.raises(AttributeError):
        picture.title = "other"  # type: ignore[misc]


def test_cells_do_not_overlap() -> None:
    picture = Picture("t", cells=tuple(Drawing("", 100, 40 + i, str(i)) for i in range(5)), columns=2)
    places = [tuple(map(int, place)) for place in re.findall(r"translate\((\d+) (\d+)\)", picture.svg)]
    assert len(set(places)) == 5
    for (x, y), cell in zip(places, picture.cells, strict=True):
        for other in places:
            if other != (x, y):
                assert other[0] >= x + cell.width or other[1] >= y + cell.height or other[0] < x or other[1] < y


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(), max_size=5))
def test_no_text_is_an_exception(texts: list[str]) -> None:
    picture = show(texts)
    ElementTree.fromstring(picture.svg)
    ElementTree.fromstring(picture._repr_html_())
    assert len(picture.cells) == len(texts)


def test_properties_compare_sets() -> None:
    table = mrl.Table({"smiles": mrl.Text.of(SMILES)})
    ds = mrl.TextDataset(SMILES[:3], vocab())
    picture = properties({"train": table, "valid": ds, "generated": ["CCO", "C(", ""]}, ["logp", "molwt"])
    assert len(picture.cells) == 2
    assert "Properties of train, valid, generated" in picture.title
    shown = words(picture.svg)
    assert {"train", "valid", "generated", "n 6", "n 3", "n 1 + 2 n/a", "logP", "weight (g/mol)"} <= set(shown)
    mean = np.mean([mrl.chem.PROPERTIES["logp"](text) for text in SMILES])
    assert f"train: 6 values, mean {mean:.2f}" in picture.cells[0].label
    assert (
        picture.svg == properties({"train": table, "valid": ds, "generated": ["CCO", "C(", ""]}, ["logp", "molwt"]).svg
    )
    ElementTree.fromstring(picture._repr_html_())


def test_properties_of_many_rows_are_of_some_and_say_so() -> None:
    data = ["C" * n for n in range(1, 31)]
    picture = properties(data, "heavy_atoms", n=10)
    assert picture.note == "computed of 10 of 30 molecules of data, drawn at random with seed 0"
    assert "n 10" in words(picture.svg)
    assert properties(data, "heavy_atoms", n=10, seed=1).svg != picture.svg


def test_properties_of_pairs_blocks_and_nothing() -> None:
    pairs = properties(mrl.PairDataset(["CCO"], ["CC=O"], vocab()), ["logp"])
    assert {"data source", "data target"} <= set(words(pairs.svg))
    assert "n 6" in words(properties(mrl.PackedDataset(SMILES, vocab(), 12), ["logp"]).svg)
    assert "no values" in words(properties({"none": []}, ["logp"]).svg)
    with pytest.raises(ValueError, match="'lgp' is not a descriptor"):
        properties(SMILES, ["lgp"])


def test_a_number_with_the_digits_of_its_rounding_error_leaves_room_for_its_name() -> None:
    columns = {"smiles": mrl.Text.of(["CCO", "CC"]), "Molecular Weight": ["457.4320000000001", "0.1234567"]}
    picture = show(mrl.Table({**columns, "id": ["12345678901234", "1.2345678.9"]}))
    assert labels(picture) == [
        "row 0: CCO; Molecular Weight 457.432; id 12345678901234",
        "row 1: CC; Molecular Weight 0.123457; id 1.2345678.9",
    ]


@pytest.mark.parametrize(("data", "columns"), [(SMILES, 4), (SMILES[:1], 1)])
def test_the_cells_of_a_page_are_a_grid_of_at_most_the_columns_asked_for(data: list[str], columns: int) -> None:
    assert f"/{columns})" in show(data).html.partition(">")[0]
