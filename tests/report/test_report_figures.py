"""The figures: what they say, what they survive, and that they are the same bytes each time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import DatasetError
from mrl.formatting import printable
from mrl.report import lengths, loss, property_distribution, rounds, token_frequencies
from mrl.report.canvas import PALETTE, canvas
from mrl.report.scales import column, limits, ticks

NAN = float("nan")
SVG = "{http://www.w3.org/2000/svg}"

FIGURES = {
    "lengths": lambda: lengths({"data": [20, 30, 31, 44], "samples": [22, 23]}),
    "property": lambda: property_distribution(
        "QED", "", {"data": [0.5, 0.7], "samples": [0.8], "fine-tuned": [0.9, NAN]}
    ),
    "tokens": lambda: token_frequencies(["C", "N", "[13C@@H]"], [1200, 80, 1]),
    "loss": lambda: loss(np.arange(500), 3 * np.exp(-np.arange(500) / 90), np.where(np.arange(500) % 50, NAN, 1.0)),
    "rounds": lambda: rounds(
        "QED", [0.7, 0.8, 0.85], {"valid": [0.94, 0.95, 0.93], "unique": [1, 1, 0.9]}, reference=0.69
    ),
}

EDGES = {
    "no groups": lambda: lengths({}),
    "empty groups": lambda: lengths({"data": [], "samples": []}),
    "one of them empty": lambda: lengths({"data": [], "samples": [4, 5]}),
    "all equal": lambda: lengths({"data": [5] * 9}),
    "all equal, not whole": lambda: property_distribution("p", "", {"data": [0.3] * 9}),
    "equal up to rounding": lambda: property_distribution("p", "", {"data": [0.1 + 0.2, 0.3]}),
    "one value": lambda: property_distribution("p", "", {"data": [-7.25]}),
    "nothing finite": lambda: property_distribution("p", "", {"data": [NAN, np.inf, -np.inf]}),
    "enormous": lambda: property_distribution("p", "", {"data": [1e300, -1e300, 1.0]}),
    "tiny": lambda: property_distribution("p", "", {"data": [1e-300, 3e-300]}),
    "booleans": lambda: property_distribution("p", "", {"data": np.array([True, False])}),
    "many groups": lambda: lengths({f"group {i}": [i] for i in range(9)}),
    "no tokens": lambda: token_frequencies([], []),
    "no token occurs": lambda: token_frequencies(["C"], [0]),
    "one token once": lambda: token_frequencies(["C"], [1]),
    "no loss": lambda: loss([], []),
    "one step": lambda: loss([3], [1.2]),
    "no finite loss": lambda: loss([1, 2], [NAN, np.inf]),
    "only validation": lambda: loss([1, 2], [NAN, NAN], [1.0, 2.0]),
    "a long training": lambda: loss(np.arange(50_000), np.linspace(3, 1, 50_000)),
    "no rounds": lambda: rounds("p", [], {}),
    "one round": lambda: rounds("p", [0.5], {"valid": [1.0]}),
    "rounds without values": lambda: rounds("p", [NAN, NAN], {"valid": [NAN, NAN]}, reference=0.5),
    "nothing known": lambda: rounds("p", [NAN], {"valid": [0.5]}),
}


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", [*FIGURES, *EDGES])
def test_one_clean_described_element_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = (FIGURES | EDGES)[name]()
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label")
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "g", "path", "text"}
    assert not any(set(element.attrib) & {"id", "clip-path", "class", "href"} for element in root.iter())
    assert svg.count("http") == 1  # the name space
    assert "DejaVu" not in svg  # nor any font that the reader may not have
    assert "nan" not in re.findall(r' d="([^"]*)"', svg)
    assert "inf" not in svg.replace("info", "")
    assert len(svg) < 80_000


@pytest.mark.parametrize("name", FIGURES)
def test_every_color_is_one_that_the_page_can_change(name):
    svg = FIGURES[name]()
    used = dict(re.findall(r"var\(--(\w+),(#\w{6})\)", svg))
    assert used.items() <= PALETTE.items()
    assert len(used) >= 3
    assert not re.search(r"#\w{6}", re.sub(r"var\([^)]*\)", "", svg))


@pytest.mark.parametrize("name", FIGURES)
def test_same_input_same_bytes_whatever_the_settings_of_matplotlib(name):
    plain = FIGURES[name]()
    with matplotlib.rc_context({"axes.grid": False, "font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        before = dict(matplotlib.rcParams)
        assert FIGURES[name]() == plain
        assert dict(matplotlib.rcParams) == before


def test_pyplot_stays_out_and_another_process_draws_the_same():
    code = (
        "import sys; from mrl.report import lengths; "
        "svg = lengths({'data': [20, 30, 31, 44], 'samples': [22, 23]}); "
        "assert 'matplotlib.pyplot' not in sys.modules; sys.stdout.write(svg)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=os.environ | {"PYTHONHASHSEED": "7"}
    )
    assert done.stdout.decode() == FIGURES["lengths"]()


def test_groups_have_their_color_whatever_the_order():
    one = property_distribution("p", "", {"samples": [1.0, 2.0]})
    two = property_distribution("p", "", {"fine-tuned": [1.0], "other": [2.0]})
    assert "--samples" in one
    assert "--data" not in one
    assert "--tuned" in two
    assert "--fourth" in two
    assert "--samples" not in two


def test_distribution_states_n_mean_and_what_is_missing():
    svg = property_distribution("weight", "g/mol", {"data": [100.0, 300.0], "samples": [NAN, 250.0, np.inf]})
    words = texts(svg)
    assert [word for word in words if word.startswith(("n ", "mean "))] == [
        "n 2",
        "mean 200.0",
        "n 1 + 2 n/a",
        "mean 250.0",
    ]
    assert words[-1] == "weight (g/mol)"
    (style,) = re.findall(r'<text style="([^"]*)"[^>]*>samples<', svg)
    assert "font-weight: 700" in style
    assert "--samples" in style
    assert "samples: 1 values, mean 250.0, from 250.0 to 250.0, 2 without a value." in svg


def test_histogram_heights_are_shares():
    """One group twice as large as another but alike in shape is drawn alike."""
    shape = [1, 2, 2, 3, 3, 3, 9]
    svg = lengths({"a": shape, "b": shape * 2})
    first, second = (
        re.sub(r"[\d.]+ ([\d.]+)", r"\1", path)
        for path in re.findall(r' d="([^"]*)" style="fill: var[^"]*opacity: 0.3', svg)
    )
    heights = [[float(y) for y in re.findall(r"[\d.]+", path)] for path in (first, second)]
    moved = np.subtract(heights[1], heights[0])
    assert np.ptp(moved) <= 0.11  # coordinates have one decimal
    assert moved[0] > 50


def test_tokens_by_frequency_ties_as_given():
    words = texts(token_frequencies(["a", "b", "c", "d", "e"], [5, 9, 5, 0, 100], top=3))
    assert [word for word in words if word in "abcde"] == ["e", "b", "a"]
    assert "84.0 %" in words  # 100 of 119, the share of all and not of those drawn


@pytest.mark.parametrize("token", ["$a$", "😀", "</svg><script>", "@1@", "\x00", "\ud800", "溶", "&amp;", "#0072b2"])
def test_any_token_is_shown_as_it_is(token):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = token_frequencies(["C", token], [9, 3])
    words = texts(svg)
    assert words.count(printable(token) if len(token) <= 12 else printable(token)[:11] + "…") == 1
    assert "<script" not in svg


def test_loss_says_its_ends_and_what_was_not_finite():
    svg = loss([0, 10, 20, 30], [4.0, NAN, 2.0, 1.5], [NAN, NAN, NAN, 1.75])
    assert "from 4.00 at step 0 to 1.50 at step 30" in svg
    assert "Validation loss 1.75 at the end. 1 steps have no finite loss." in svg
    assert {"train 1.50", "valid 1.75", "nats per token"} <= set(texts(svg))


def test_one_step_has_its_tick():
    assert "3" in texts(loss([3], [1.2]))


def test_smooth_loss_is_the_mean_of_its_window():
    noisy = np.tile([1.0, 3.0], 400)
    assert "to 2.0" in loss(np.arange(800), noisy)


def test_rounds_name_each_curve_and_the_data():
    words = texts(FIGURES["rounds"]())
    assert {"0.85", "data 0.69", "valid 93 %", "unique 90 %", "mean QED"} <= set(words)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: token_frequencies(["C", "N"], [1]), "2 tokens have 1 counts"),
        (lambda: loss([1, 2], [1.0]), "2 steps have 1 training"),
        (lambda: loss([1], [1.0], [1.0, 2.0]), "2 validation losses: give one for each step"),
        (lambda: rounds("p", [1.0, 2.0], {"valid": [0.5]}), "1 values of 'valid'"),
    ],
)
def test_lengths_that_differ_are_refused(call, words):
    with pytest.raises(DatasetError, match=words):
        call()


def test_names_at_the_end_do_not_overlap():
    with canvas(100) as drawing:
        ax = drawing.axes((0, 0, 200, 100), (0, 1), (0, 1), {}, {})
        drawing.name_ends(ax, 1, [("a", 0.5, "ink"), ("b", 0.5, "ink"), ("c", 0.51, "ink"), ("d", 0.0, "ink")])
        svg = drawing.svg("names")
    ys = sorted(float(element.get("y")) for element in ElementTree.fromstring(svg).iter(f"{SVG}text"))
    assert min(np.diff(ys)) >= 14.9


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(deadline=None)
@given(st.lists(finite, min_size=1, max_size=20))
def test_limits_hold_all_values_and_are_never_empty(values):
    low, high = limits(column(values), 0.0)
    assert low < high
    assert low <= min(values) <= max(values) <= high


@settings(deadline=None)
@given(finite, finite, st.integers(1, 9), st.booleans())
def test_ticks_are_inside_ascending_and_whole_if_asked(a, b, most, whole):
    low, high = limits(column([a, b]), 0.1)
    values = list(ticks(low, high, most, whole=whole))
    assert values == sorted(set(values))
    assert all(low <= value <= high for value in values)
    assert len(values) <= most + 2
    assert not whole or all(value == round(value) for value in values)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(), max_size=30), st.lists(st.integers(-(10**12), 10**12), max_size=30))
def test_any_values_make_a_figure_that_counts_them_all(some, other):
    svg = property_distribution("p", "", {"data": some, "samples": other})
    drawn = sum(abs(value) < 1e100 for value in some)
    words = texts(svg)
    assert (f"n {drawn} + {len(some) - drawn} n/a" if drawn < len(some) else f"n {drawn}") in words
    assert f"n {len(other)}" in words
