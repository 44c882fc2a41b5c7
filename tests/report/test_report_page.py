"""The page: whole, self-contained, escaped, written at once or not at all."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from mrl.chem import screen
from mrl.errors import ColumnError, RowError
from mrl.report import (
    DemoReport,
    Round,
    Screening,
    Section,
    Tile,
    columns,
    command,
    demo_report,
    figure,
    lengths,
    molecule_grid,
    page,
    paragraph,
    part,
    table,
    tiles,
    write,
)
from mrl.report.html import inline

EVIL = "<script>alert('\"x\"')</script>&amp;"

FACTS = DemoReport(
    source="drugs.csv",
    rows=1000,
    cleaning={"blank": 12, "duplicate": 88},
    kept=900,
    vocabulary=41,
    command="mrl demo drugs.csv --seed 0",
    property_name="QED",
    unit="",
    values={"data": [0.5, 0.6, 0.7], "samples": [0.55, 0.65], "fine-tuned": [0.8, 0.9]},
    lengths={"data": [20, 30, 40], "samples": [21, 22], "fine-tuned": [30, 33]},
    tokens={"C": 500, "c": 700, "[nH]": 4},
    steps=np.arange(100),
    train_loss=3 - np.arange(100) / 50,
    before=Screening(sampled=100, valid=80, unique=76, novel=57, empty=1),
    after=Screening(sampled=100, valid=90, unique=81, novel=81),
    rounds=(Round(30, 0.7, Screening(50, 40, 39, 38)), Round(30, 0.85, Screening(50, 45, 40, 40))),
    failures=(("C1CC", "ring 1 is not closed"), ("C(", "an open bracket")),
    drawn={"fine-tuned": [("CCO", 0.41)], "samples": [("c1ccccc1", 0.44), ("CC(=O)O", 0.43)]},
    settings={"seed": 0, "device": "cpu", "learning rate": 8e-3},
    versions={"mrl": "0.1.0", "torch": "2.4.0"},
)


class Reader(HTMLParser):
    """Collects what a browser would see; complains of tags that do not nest."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def without(text: str, *tags: str) -> str:
    return re.sub(rf"(?s)<({'|'.join(tags)})\b.*?</\1>", "", text)


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", without(text, "style", "svg")).split())


@pytest.fixture(scope="module")
def html() -> str:
    return demo_report(FACTS)


def test_page_is_html_and_well_formed_xml(html):
    seen = Reader(html)
    assert html.startswith("<!doctype html>")
    ElementTree.fromstring(html.replace("<!doctype html>\n", ""))
    assert seen.tags["h1"] == seen.tags["main"] == seen.tags["style"] == 1
    assert seen.tags["h2"] == 6


def test_page_needs_nothing_from_outside(html):
    seen = Reader(html)
    assert not set(seen.tags) & {"script", "link", "img", "iframe", "object", "base", "form", "use", "image"}
    assert set(re.findall(r"https?://[^\"'\s<]*", html)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in html
    assert "url(" not in html
    for tag, attributes in seen.attributes:
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#"), tag
    assert "default-src 'none'" in html


def test_ids_are_unique_and_links_lead_somewhere(html):
    seen = Reader(html)
    ids = [attributes["id"] for _, attributes in seen.attributes if "id" in attributes]
    assert len(ids) == len(set(ids)) == 12
    links = {attributes["href"].removeprefix("#") for tag, attributes in seen.attributes if tag == "a"}
    named = {attributes["aria-labelledby"] for tag, attributes in seen.attributes if tag == "section"}
    assert links | named == set(ids)


def test_page_is_accessible(html):
    seen = Reader(html)
    drawings = [attributes for tag, attributes in seen.attributes if tag == "svg"]
    assert len(drawings) == 5 + 3  # figures and molecules
    assert all(one.get("role") == "img" and one.get("aria-label") for one in drawings)
    assert all(one.get("scope") in {"col", "row"} for tag, one in seen.attributes if tag == "th")
    for body in re.findall(r"(?s)<table>.*?</table>", html):
        assert '<th scope="col"' in body
    assert ("html", {"lang": "en"}) in seen.attributes


def test_first_screen_has_the_key_numbers(html):
    top = words(html[: html.index("<nav")])
    assert "900 molecules of drugs.csv" in top
    for fact in ("0.60 → 0.85", "data 0.60", "80.0 % → 90.0 %", "95.0 % → 90.0 %", "75.0 % → 100 %", "of 100 sampled"):
        assert fact in top


def test_story_is_told_in_order(html):
    text = words(html[html.index("</nav>") :])
    marks = [
        "read 1,000",
        "−88",
        "kept for training 900",
        "41 tokens",
        "76 (95.0 %)",
        "Round by round",
        "ring 1 is not closed",
    ]
    marks += ["mrl demo drugs.csv --seed 0", "learning rate 0.008", "torch 2.4.0"]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "19 texts are no molecules. 1 more were empty." in text


def test_same_facts_same_bytes(html):
    assert demo_report(replace(FACTS, title=FACTS.title)) == html
    assert demo_report(replace(FACTS, rows=1001)) != html


def test_every_color_of_a_drawing_is_defined_for_light_and_dark(html):
    style = html[html.index("<style>") : html.index("</style>")]
    light, dark = style.split("prefers-color-scheme: dark", 1)
    for name in set(re.findall(r"var\(--(\w+)", html)):
        assert f"--{name}:" in light, name
        assert f"--{name}:" in dark, name


def test_colors_of_text_can_be_read():
    """Contrast of at least 4.5 to the paper, light and dark (WCAG 2.2, 1.4.3)."""
    style = page("", "", [])
    light, dark = style.split("prefers-color-scheme: dark", 1)

    def luminance(color: str) -> float:
        values = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return float(
            np.dot(
                [0.2126, 0.7152, 0.0722], [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
            )
        )

    for text in (light, dark):
        colors = dict(re.findall(r"--(\w+): (#\w{6})", text))
        assert len(colors) == 18
        for name in colors.keys() - {"paper", "raised", "rule"}:
            one, other = sorted([luminance(colors[name]), luminance(colors["paper"])])
            assert (other + 0.05) / (one + 0.05) >= 4.5, name


def test_hostile_text_is_only_text():
    facts = replace(
        FACTS,
        source=EVIL,
        title=EVIL,
        command=EVIL,
        property_name=EVIL,
        unit=EVIL,
        cleaning={EVIL: 1},
        values={EVIL: [1.0], "data": [2.0]},
        lengths={EVIL: [1]},
        tokens={EVIL: 3, "]]>": 2},
        failures=((EVIL, EVIL), ("C\x00\x1b[31m\ud800\u202e", "<b>")),
        drawn={EVIL: [(EVIL, 1.0)]},
        settings={EVIL: EVIL},
        versions={EVIL: EVIL},
    )
    text = demo_report(facts)
    seen = Reader(text)
    assert set(seen.tags) == set(Reader(demo_report(FACTS)).tags) | {"text"}
    assert "<script" not in text
    assert "C␀␛[31m\ufffd\ufffd" in text
    ElementTree.fromstring(text.replace("<!doctype html>\n", ""))
    text.encode()


def test_a_run_without_results_still_makes_a_page():
    none = Screening(0, 0, 0, 0)
    empty = DemoReport("x.csv", 0, {}, 0, 4, "mrl demo", "QED", "", {}, {}, {}, [], [], none, none)
    text = words(demo_report(empty))
    assert "– → –" in text
    assert "No molecule was drawn." in text


def test_size_is_modest():
    drawn = {
        group: [("CC(=O)Nc1ccc(cc1)S(=O)(=O)N2CCN(CC2)c3ccccc3F", 0.9)] * 20 for group in ("samples", "fine-tuned")
    }
    rng = np.random.default_rng(0)
    facts = replace(
        FACTS,
        drawn=drawn,
        steps=np.arange(20_000),
        train_loss=rng.normal(1, 0.1, 20_000),
        values={group: rng.normal(size=5000) for group in ("data", "samples", "fine-tuned")},
    )
    assert len(demo_report(facts).encode()) < 1_000_000


def test_screening_counts_what_screen_found():
    found = Screening.of(screen(["CCO", "OCC", "C", "C(", ""], known=["C"]))
    assert found == Screening(sampled=5, valid=3, unique=2, novel=1, empty=1)
    assert {type(value) for value in vars(found).values()} == {int}


def test_sections_make_other_reports_too():
    body = columns(figure(lengths({"data": [1, 2]}), "a <figure>", "a caption"), paragraph("words & more"))
    text = page("T", "S", [Section("One", body + part("small", command("ls <x>"))), Section("One", "")], kicker="k")
    assert Reader(text).tags["figure"] == 1
    assert "a &lt;figure&gt;" in text
    assert words(text).endswith(
        "One a <figure> a caption words & more small ls <x> One".replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("& ", "&amp; ")
    )


def test_table_writes_values_as_a_reader_wants_them():
    text = table([("a", 12345, 0.5, None, "x<y"), ("b", np.int64(-3), np.float32(0.25), True, "1.2.3")], list("vwxyz"))
    assert re.findall(r"<t([dh])\b[^>]*>([^<]*)<", text)[5:] == [
        ("h", "a"), ("d", "12,345"), ("d", "0.50"), ("d", "–"), ("d", "x&lt;y"),
        ("h", "b"), ("d", "−3"), ("d", "0.25"), ("d", "True"), ("d", "1.2.3"),
    ]  # fmt: skip
    assert re.findall(r'<td class="number">([^<]*)<', text) == ["12,345", "0.50", "−3", "0.25"]


def test_table_of_nothing_says_so_and_ragged_rows_are_refused():
    assert '<td colspan="2">nothing</td>' in table([], ["a", "b"])
    with pytest.raises(RowError, match=r"row 1 has 1 values, the header 2") as caught:
        table([(1, 2), (3,)], ["a", "b"])
    assert caught.value.row == 1


def test_tiles_show_before_only_where_there_was_one():
    text = tiles([Tile("a", "1"), Tile("b", "2", before="1", note="n")])
    assert text.count("→") == text.count("before") == 1
    assert Reader(text).tags["dt"] == 2


def test_molecules_are_drawn_with_their_text_and_the_pages_colors():
    text = molecule_grid(["CCN", "c1ccsc1"], ["amine", "ring"], label="two")
    seen = Reader(text)
    assert seen.tags["svg"] == seen.tags["li"] == 2
    assert "structure of c1ccsc1" in text
    assert {"ink", "N", "S"} <= set(re.findall(r"var\(--(\w+),", text))
    assert molecule_grid([], []).count("<li>") == 0


def test_text_that_is_no_molecule_gets_a_cell_and_keeps_its_spelling():
    text = molecule_grid(["C(#FF0000"], ["?"])
    assert "C(#FF0000</code>" in text
    assert ">C(#FF0000</text>" in text


def test_molecules_without_captions_are_refused():
    with pytest.raises(ColumnError, match="1 captions for 2 molecules"):
        molecule_grid(["C", "CC"], ["a"])


def test_inline_strips_what_a_file_has_and_a_page_has_not():
    file = (
        "<?xml version='1.0'?>\n<!-- by x -->\n<svg version='1.1'\n xmlns='http://www.w3.org/2000/svg'"
        " xmlns:x='x' xml:space='preserve'\nwidth='20px' height='9' viewBox='0 0 2 1'>\n<!-- --><g/></svg>\n"
    )
    assert inline(file, 'a "b"') == '<svg role="img" aria-label="a &quot;b&quot;" viewBox=\'0 0 2 1\'>\n<g/></svg>'


def test_write_replaces_the_file_at_once(tmp_path):
    path = tmp_path / "new" / "report.html"
    write(path, "öne\n")
    write(path, "two\r\n")
    assert path.read_bytes() == b"two\r\n"
    assert os.listdir(path.parent) == ["report.html"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "report.html"
    write(path, "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="disk full"):
        write(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]
