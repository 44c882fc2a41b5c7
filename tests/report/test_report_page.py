"""The page: whole, self-contained, escaped, written at once or not at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from mrl.chem import ATOM_COLORS, Screened, screen
from mrl.errors import ColumnError, RowError
from mrl.lm import FinetuneRound
from mrl.ragged import Rejects
from mrl.report import (
    DemoReport,
    Section,
    Tile,
    code,
    columns,
    command,
    distributions,
    figure,
    molecule_grid,
    page,
    paragraph,
    table,
    tiles,
)
from mrl.report.drawing import COLORS

EVIL = "<script>alert('\"x\"')</script>&amp;"
NAN = float("nan")


def screened(n: int, valid: int, unique: int, novel: int, empty: int = 0) -> Screened:
    """A result of `screen` with these counts: the first rows are the valid ones, and so on."""
    rows = np.arange(n)
    reasons = ["empty: no atoms"] * empty + ["ring closure: unclosed ring"] * (n - valid - empty)
    rejects = [(valid + i, "" if i < empty else "C1CC", "parse", reason) for i, reason in enumerate(reasons)]
    smiles = tuple("C" * (1 + i % max(unique, 1)) if i < valid else None for i in range(n))
    return Screened(smiles, rows < valid, rows < unique, rows < novel, Rejects(rejects), known=900)


def made_round(number: int, counts: tuple[int, ...], means: Sequence[float], trained_on: int) -> FinetuneRound:
    """A round whose scores are `means`, repeated over the valid rows."""
    found = screened(*counts)
    scores = np.where(found.valid, np.resize(means, found.n), NAN)
    return FinetuneRound(number, ("C",) * found.n, found, scores, trained_on)


ROUNDS = (
    made_round(0, (100, 80, 76, 57, 1), [0.55, 0.65], 30),
    made_round(1, (50, 40, 39, 38), [0.7], 30),
    made_round(2, (100, 90, 81, 81), [0.8, 0.9], 0),
)

FACTS = DemoReport(
    source="drugs.csv",
    rows=1000,
    cleaning={"blank": 12, "duplicate": 88},
    kept=900,
    vocabulary=41,
    command="mrl demo drugs.csv --seed 0",
    property_name="QED",
    unit="",
    values=[0.5, 0.6, 0.7],
    lengths={"data": [20, 30, 40], "samples": [21, 22], "fine-tuned": [30, 33]},
    tokens={"C": 500, "c": 700, "[nH]": 4},
    train_loss=3 - np.arange(100) / 50,
    rounds=ROUNDS,
    settings={"seed": 0, "device": "cpu", "learning rate": 8e-3},
    versions={"mrl": "0.1.0", "torch": "2.4.0"},
)


class Reader(HTMLParser):
    """Collects the elements of a page and checks that they nest."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def without(text: str, *tags: str) -> str:
    return re.sub(rf"(?s)<({'|'.join(tags)})\b.*?</\1>", "", text)


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", without(text, "style", "svg")).split())


@pytest.fixture(scope="module")
def html() -> str:
    return FACTS.html


def test_page_is_html_and_well_formed_xml(html: str) -> None:
    seen = Reader(html)
    assert html.startswith("<!doctype html>")
    ElementTree.fromstring(html.replace("<!doctype html>\n", ""))
    assert seen.tags["h1"] == seen.tags["main"] == seen.tags["style"] == 1
    assert seen.tags["h2"] == 6


def test_page_needs_nothing_from_outside(html: str) -> None:
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


def test_ids_are_unique_and_links_lead_somewhere(html: str) -> None:
    seen = Reader(html)
    ids = [attributes["id"] for _, attributes in seen.attributes if "id" in attributes]
    assert len(ids) == len(set(ids)) == 12
    links = {(attributes["href"] or "").removeprefix("#") for tag, attributes in seen.attributes if tag == "a"}
    named = {attributes["aria-labelledby"] for tag, attributes in seen.attributes if tag == "section"}
    assert links | named == set(ids)


def test_page_is_accessible(html: str) -> None:
    seen = Reader(html)
    drawings = [attributes for tag, attributes in seen.attributes if tag == "svg"]
    assert len(drawings) == 5 + 2 * 10  # figures and molecules
    assert all(one.get("role") == "img" and one.get("aria-label") for one in drawings)
    assert all(one.get("scope") in {"col", "row"} for tag, one in seen.attributes if tag == "th")
    for body in re.findall(r"(?s)<table>.*?</table>", html):
        assert '<th scope="col"' in body
    assert ("html", {"lang": "en"}) in seen.attributes


def test_first_screen_has_the_key_numbers(html: str) -> None:
    top = words(html[: html.index("<nav")])
    assert "900 molecules of drugs.csv" in top
    for fact in ("0.60 → 0.85", "data 0.60", "80.0 % → 90.0 %", "95.0 % → 90.0 %", "75.0 % → 100 %", "of 100 sampled"):
        assert fact in top


def test_sections_are_in_the_order_of_the_work(html: str) -> None:
    text = words(html[html.index("</nav>") :])
    marks = [
        "read 1,000",
        "−88",
        "kept for training 900",
        "41 tokens",
        "76 (95.0 %)",
        "Round by round",
        "unclosed ring",
    ]
    marks += ["mrl demo drugs.csv --seed 0", "learning rate 0.008", "torch 2.4.0"]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "Samples of the trained model that are invalid: 19; that are empty: 1." in text


def test_same_facts_same_bytes(html: str) -> None:
    assert replace(FACTS, title=FACTS.title).html == html
    assert replace(FACTS, rows=1001).html != html


def test_every_color_of_a_drawing_is_mapped_to_a_variable_for_light_and_dark(html: str) -> None:
    style = html[html.index("<style>") : html.index("</style>")]
    light, dark = style.split("prefers-color-scheme: dark", 1)
    colors = {name: color.lower() for name, color in {**COLORS, **ATOM_COLORS}.items()}
    for name, color in colors.items():
        assert f"--{name}: {color};" in light.lower().replace(f"--{name.lower()}:", f"--{name}:")
        assert f"--{name}:" in dark
        for what in ("fill", "stroke"):
            rule = f'[{what}="{color}" i], [style*="{what}:{color}" i] {{ {what}: var(--{name}) !important; }}'
            assert rule.lower() in style.lower()
    root = ElementTree.fromstring(html.replace("<!doctype html>\n", ""))
    attributes = " ".join(value for element in root.iter() for value in element.attrib.values())
    assert {color.lower() for color in re.findall(r"#[0-9A-Fa-f]{6}\b", attributes)} <= set(colors.values())


def test_colors_of_text_can_be_read() -> None:
    """Contrast of at least 4.5 to the paper, light and dark (WCAG 2.2, 1.4.3)."""
    style = page("", "")
    light, dark = style.split("prefers-color-scheme: dark", 1)

    def luminance(color: str) -> float:
        values = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return float(
            np.dot(
                [0.2126, 0.7152, 0.0722], [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
            )
        )

    for text in (light, dark):
        colors = dict(re.findall(r"--([-\w]+): (#\w{6})", text))
        assert len(colors) == 20
        for name in colors.keys() - {"paper", "raised", "rule"}:
            one, other = sorted([luminance(colors[name]), luminance(colors["paper"])])
            assert (other + 0.05) / (one + 0.05) >= 4.5, name


def test_hostile_text_is_only_text() -> None:
    texts = (EVIL, "C\x00\x1b[31m\ud800\u202e")
    first = FinetuneRound(0, texts, screen(texts), np.full(2, NAN), 0)
    facts = replace(
        FACTS,
        source=EVIL,
        title=EVIL,
        command=EVIL,
        property_name=EVIL,
        unit=EVIL,
        cleaning={EVIL: 1},
        lengths={EVIL: [1]},
        tokens={EVIL: 3, "]]>": 2},
        rounds=[first, *ROUNDS[1:]],
        settings={EVIL: EVIL},
        versions={EVIL: EVIL},
    )
    text = facts.html + molecule_grid([EVIL], [EVIL], title=EVIL)
    assert set(Reader(facts.html).tags) <= set(Reader(FACTS.html).tags)
    assert "<script" not in text
    assert "C␀␛[31m\ufffd\ufffd" in text
    ElementTree.fromstring(facts.html.replace("<!doctype html>\n", ""))
    ElementTree.fromstring(f"<div>{molecule_grid([EVIL], [EVIL], title=EVIL)}</div>")
    text.encode()


def test_a_run_without_results_still_makes_a_page() -> None:
    nothing = FinetuneRound(0, (), screen([]), np.empty(0), 0)
    text = words(DemoReport("x.csv", 0, {}, 0, 4, "mrl demo", "QED", "", [], {}, {}, [], [nothing]).html)
    assert "– → –" in text
    assert "In 0 rounds" in text
    assert "No sample is a molecule." in text
    with pytest.raises(ValueError, match=r"rounds is empty; expected the rounds that mrl\.lm\.finetune returned"):
        replace(FACTS, rounds=[])


def test_counts_of_one_are_in_the_singular() -> None:
    text = words(replace(FACTS, kept=1, vocabulary=1, rounds=ROUNDS[:2]).html)
    assert "from 1 molecule of drugs.csv" in text
    assert "In 1 round it was fine-tuned" in text
    assert "The vocabulary has 1 token." in text


def test_size_is_modest() -> None:
    rng = np.random.default_rng(0)
    texts = tuple(f"CC(=O)Nc1ccc(cc1)S(=O)(=O)N2CCN(CC2)c3ccccc3F.{'C' * i}" for i in range(1, 21))
    large = FinetuneRound(0, texts, screen(texts), rng.normal(size=20), 0)
    facts = replace(
        FACTS,
        rounds=[large, replace(large, number=1)],
        train_loss=rng.normal(1, 0.1, 20_000),
        values=rng.normal(size=5000),
    )
    assert len(facts.html.encode()) < 700_000


def test_sections_make_other_reports_too() -> None:
    body = columns(figure(distributions("n", {"data": [1, 2]}), "a <figure>", "a caption"), paragraph("words & more"))
    text = page("T", "S", [Section("One", body + command("ls <x>")), Section("One", "")], kicker="k")
    assert Reader(text).tags["figure"] == 1
    assert "a &lt;figure&gt;" in text
    assert words(text).endswith(
        "One a <figure> a caption words & more ls <x> One".replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("& ", "&amp; ")
    )


def test_a_table_aligns_numbers_and_sets_code() -> None:
    text = table([(code("C<b>"), 12345, None)], ["SMILES", "n", "note"])
    assert '<th scope="row"><code>C&lt;b&gt;</code></th>' in text
    assert re.findall(r'<td class="number">([^<]*)<', text) == ["12,345"]
    with pytest.raises(RowError, match=r"row 1 has 1 value, expected 2"):
        table([(1, 2), (3,)], ["a", "b"])


def test_tiles_show_before_only_where_there_was_one() -> None:
    text = tiles([Tile("a", "1"), Tile("b", "2", before="1", note="n")])
    assert text.count("→") == text.count("before") == 1
    assert Reader(text).tags["dt"] == 2


def test_molecules_are_drawn_with_their_text_and_the_pages_colors() -> None:
    text = molecule_grid(["CCN", "c1ccsc1"], ["amine", "ring"], title="two & more")
    seen = Reader(text)
    assert seen.tags["svg"] == seen.tags["li"] == 2
    assert seen.tags["h3"] == 1
    assert "structure of c1ccsc1" in text
    assert {ATOM_COLORS[symbol] for symbol in "CNS"} == set(re.findall(r"#\w{6}", text))
    assert molecule_grid([], []).count("<li>") == 0
    assert "<h3>" not in molecule_grid([], [])


def test_an_invalid_molecule_gets_a_cell_and_keeps_its_spelling() -> None:
    text = molecule_grid(["C(#FF0000"], ["?"])
    assert "C(#FF0000</code>" in text
    assert ">C(#FF0000</text>" in text


def test_as_many_captions_as_molecules_are_required() -> None:
    with pytest.raises(ColumnError, match="1 caption for 2 molecules: give one each"):
        molecule_grid(["C", "CC"], ["a"])
