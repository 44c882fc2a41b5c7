"""How objects look in a notebook, and pictures as PNG."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from mrl.chem import clean, draw_png, evaluate, screen
from mrl.corpus import Table, TableColumn
from mrl.lm import LanguageModel, ModelConfig
from mrl.qsar import FitOptions, fit
from mrl.ragged import Rejects, Text
from mrl.report import properties, show
from mrl.summary import summarize
from mrl.text import SmilesVocab

EVIL = "<script>alert(1)</script>"


def size_of_png(data: bytes) -> tuple[int, int]:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_a_table_shows_its_first_rows_and_columns() -> None:
    columns: dict[str, TableColumn] = {EVIL: Text.of([EVIL] * 9), "smiles": Text.of(["C" * 80] * 9)}
    columns |= {f"c{i}": Text.of(["x"] * 9) for i in range(20)}
    html = Table(columns, Rejects([(9, "", "read", "empty")]))._repr_html_()
    assert "9 rows" in html
    assert "14 more columns; 1 rejected" in html
    assert "and 4 more rows" in html
    assert html.index(">smiles</th>") < html.index("&lt;/script&gt;</th>")
    assert "<script" not in html
    assert f"{'C' * 59}…" in html


def test_models_show_what_they_are_and_what_they_learned_from() -> None:
    model = LanguageModel(ModelConfig.for_vocab(SmilesVocab(), hidden=8), seed=0)
    model.about["trained_on"] = {"file": EVIL, "molecules": 3}
    html = model._repr_html_()
    assert "hidden" in html
    assert "molecules 3" in html
    assert "<script" not in html
    options = FitOptions(folds=2, members=1, epochs=1)
    fitted = fit(["C" * n + "O" for n in range(1, 13)], {EVIL: range(12)}, split="random", options=options)
    html = fitted._repr_html_()
    assert "rmse" in html
    assert "regression" in html
    assert "<script" not in html


@pytest.mark.parametrize(
    "shown",
    [
        clean(["CCO", "C("]),
        evaluate(["CCO", "CC"]),
        screen(["CCO", EVIL]),
        Rejects([(0, EVIL, "parse", EVIL)]),
        Table({"smiles": Text.of([]), "y": np.zeros(0)}),
        summarize(["CCO", EVIL]),
    ],
)
def test_results_are_tables_without_markup_from_outside(shown: object) -> None:
    html = getattr(shown, "_repr_html_")()  # noqa: B009 - an attribute that only notebooks look for
    assert "<table" in html
    assert "<script" not in html


def test_a_png_of_molecules_has_their_grid() -> None:
    assert size_of_png(draw_png(["CCO"] * 5, ["a"] * 5, columns=3, size=(100, 90))) == (600, 360)
    with pytest.raises(ValueError, match="0 molecules, 0 captions, columns=4: expected one or more"):
        draw_png([], [])


def test_show_as_png(tmp_path: Path) -> None:
    table = Table({"smiles": Text.of(["CCO", "C(", "c1ccccc1", "C" * 300]), "name": Text.of(["a\x00", EVIL, "é", ""])})
    picture = show(table)
    assert size_of_png(picture.png) == (4 * 440, 380)
    picture.save(tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes() == picture.png
    captions = [caption for _, caption in picture.molecules]
    assert captions[1].endswith("C(\nsyntax")


def test_a_png_never_draws_another_molecule() -> None:
    assert show(["[C][C][O]", "C("]).molecules == (
        ("", "row 0\n[C][C][O]\nSELFIES"),
        ("", "row 1\nC(\nsyntax"),
    )


def test_pictures_without_molecules_are_no_png(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a table, which cannot be a PNG; save it as"):
        show(clean(["CCO"])).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="has no molecules, which cannot be a PNG"):
        properties(["CCO"], ["logp"]).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"expected \.html, \.svg or \.png"):
        show(["CCO"]).save(tmp_path / "a.gif")


def test_the_caption_of_what_cannot_be_drawn_is_in_the_png() -> None:
    assert draw_png(["C("], ["row 5"]) != draw_png(["C("], [" "])
