"""Every page that mrl writes, in a real browser: Chromium, without a window.

Needs the Chromium of the distribution (`apt-get install chromium`); the tests of the site need `make site`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = ROOT / "build" / "site"
SITE_PAGES = [
    "index",
    "start",
    "concepts",
    "comparison",
    "clean",
    "formats",
    "tokenizing",
    "toolboxes",
    "architecture",
    "reference/index",
    "reference/data",
    "reference/chem",
]
WIDTHS = (1280, 400)
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>&amp;\"'"
MOLECULES = ["CCO", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "C" * 80] * 8

# What each command writes; {file} is a table of molecules with hostile names.
COMMANDS = {
    "demo": ("mrl-demo/report.html", ["demo", "{file}", "--steps", "20", "--samples", "20", "--rounds", "1"]),
    "report": ("report.html", ["report", "{file}", "-o", "report.html"]),
    "fit": (
        "model/report.html",
        [
            "fit",
            "{file}",
            "--target",
            "y",
            "-o",
            "model",
            "--split",
            "random",
            "--folds",
            "2",
            "--members",
            "1",
            "--epochs",
            "2",
        ],
    ),
    "show": ("show.html", ["show", "{file}", "-o", "show.html"]),
    "improve": (
        "found/report.html",
        ["improve", "mrl-demo", "--score", "score.toml", "--budget", "40", "--known", "{file}", "-o", "found"],
    ),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
    )
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of molecules and all pages."""
    made = tmp_path_factory.mktemp("pages")
    name = HOSTILE.replace('"', '""')
    rows = [
        f'{smiles},"{name} {i}",{i % 7},{i % 3},{"train" if i % 4 else "test"}'
        for i, smiles in enumerate([*MOLECULES, "C1CC", "CC−", ""])
    ]
    header = f'smiles,name,y,"{name}",set'
    part = f'name = {json.dumps(HOSTILE)}\nfunction = "qed"\ntransform = {{ kind = "identity" }}\n'
    (made / "score.toml").write_text(f"[[component]]\n{part}")
    (made / "molecules.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    return made


def made_page(folder: Path, name: str) -> Path:
    """The page of a command, which runs once."""
    path, arguments = COMMANDS[name]
    if name == "improve":
        made_page(folder, "demo")  # which has the model
    if not (folder / path).exists():
        filled = [word.format(file="molecules.csv") for word in arguments]
        result = subprocess.run(
            [sys.executable, "-m", "mrl", *filled], cwd=folder, capture_output=True, text=True, timeout=300
        )
        assert (folder / path).exists(), result.stderr
    return folder / path


def site_page(name: str) -> Path:
    if not SITE.exists():
        pytest.skip("the site is not built: make site")
    return SITE / f"{name}.html"


def require_a_good_page(browser: Any, path: Path, width: int, scheme: str) -> None:
    """Check what a person would notice: errors, sideways scrolling, pictures without words, links to nowhere."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: problems.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
    )
    page.goto(path.as_uri())
    assert problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.hacked") is None
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_that_a_command_writes(browser: Any, folder: Path, name: str, width: int, scheme: str) -> None:
    require_a_good_page(browser, made_page(folder, name), width, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SITE_PAGES)
def test_a_page_of_the_site(browser: Any, name: str, width: int, scheme: str) -> None:
    require_a_good_page(browser, site_page(name), width, scheme)


@pytest.mark.parametrize("name", COMMANDS)
def test_pictures_have_words_and_links_have_targets(browser: Any, folder: Path, name: str) -> None:
    page = browser.new_page()
    page.goto(made_page(folder, name).as_uri())
    wordless = """[...document.querySelectorAll("img, svg")].filter(picture => {
        if (picture.closest("[aria-hidden=true], [role=img] *")) return false;
        const title = picture.querySelector && picture.querySelector(":scope > title");
        return !(picture.alt || picture.getAttribute("aria-label") || picture.getAttribute("aria-labelledby") || title);
    }).map(picture => picture.outerHTML.slice(0, 200))"""
    assert page.evaluate(wordless) == []
    dead = """[...document.querySelectorAll("a[href^='#']")].map(link => link.getAttribute("href"))
        .filter(target => target.length > 1 && !document.getElementById(target.slice(1)))"""
    assert page.evaluate(dead) == []
    page.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_dark_and_light_have_backgrounds_of_their_own(browser: Any, folder: Path, name: str) -> None:
    colors = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(made_page(folder, name).as_uri())
        colors.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert colors[0] != colors[1]


# As many as fit in a phone, a small window and a screen.
@pytest.mark.parametrize(("width", "columns"), [(400, 2), (600, 3), (1280, 4)])
def test_the_drawings_of_show_fill_the_width(browser: Any, folder: Path, width: int, columns: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(made_page(folder, "show").as_uri())
    boxes = page.evaluate("[...document.querySelectorAll('.gallery svg')].map(x => x.getBoundingClientRect().toJSON())")
    first_row = [box for box in boxes if box["top"] == boxes[0]["top"]]
    assert len(first_row) == columns
    assert sum(box["width"] for box in first_row) > 0.8 * min(width, 1088)
    page.close()


class Links(HTMLParser):
    """The ids of a page, and where its links and pictures lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids, self.targets = {""}, set()  # type: set[str], set[str]
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids.add(values.get("id") or "")
        self.targets.add(values.get("href") or values.get("src") or "")


def test_every_link_of_the_site_reaches_its_place() -> None:
    site_page("index")
    pages = {path: Links(path) for path in SITE.rglob("*.html")}
    dead = []
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc or not target:
                continue
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            found = pages[place].ids if place in pages else {""} if place.is_file() and SITE in place.parents else set()
            if unquote(parts.fragment) not in found:
                dead.append(f"{path.relative_to(SITE)}: {target}")
    assert dead == []
