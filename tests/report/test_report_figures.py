"""The figures: what they show, what they survive, and that they are the same bytes each time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import DatasetError
from mrl.formatting import printable
from mrl.report import Drawing, distributions, loss, rounds, token_frequencies
from mrl.report.axes import Axes, as_values, limits, ticks
from mrl.report.drawing import COLORS, Canvas

NAN = float("nan")
SVG = "{http://www.w3.org/2000/svg}"

FIGURES: dict[str, Callable[[], Drawing]] = {
    "lengths": lambda: distributions("tokens per molecule", {"data": [20, 30, 31, 44], "samples": [22, 23]}),
    "property": lambda: distributions("QED", {"data": [0.5, 0.7], "samples": [0.8], "fine-tuned": [0.9, NAN]}),
    "tokens": lambda: token_frequencies(["C", "N", "[13C@@H]"], [1200, 80, 1]),
    "loss": lambda: loss(np.arange(500), 3 * np.exp(-np.arange(500) / 90), np.where(np.arange(500) % 50, NAN, 1.0)),
    "rounds": lambda: rounds(
        "QED", [0.7, 0.8, 0.85], {"valid": [0.94, 0.95, 0.93], "unique": [1, 1, 0.9]}, reference=0.69
    ),
}

EDGES: dict[str, Callable[[], Drawing]] = {
    "no groups": lambda: distributions("n", {}),
    "empty groups": lambda: distributions("n", {"data": [], "samples": []}),
    "one of them empty": lambda: distributions("n", {"data": [], "samples": [4, 5]}),
    "all equal": lambda: distributions("n", {"data": [5] * 9}),
    "all equal, not whole": lambda: distributions("p", {"data": [0.3] * 9}),
    "equal up to rounding": lambda: distributions("p", {"data": [0.1 + 0.2, 0.3]}),
    "one value": lambda: distributions("p", {"data": [-7.25]}),
    "nothing finite": lambda: distributions("p", {"data": [NAN, np.inf, -np.inf]}),
    "enormous": lambda: distributions("p", {"data": [1e300, -1e300, 1.0]}),
    "tiny": lambda: distributions("p", {"data": [1e-300, 3e-300]}),
    "booleans": lambda: distributions("p", {"data": np.array([True, False])}),
    "many groups": lambda: distributions("n", {f"group {i}": [i] for i in range(9)}),
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


def parse(drawing: Drawing) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.svg)


def texts(drawing: Drawing) -> list[str]:
    return ["".join(element.itertext()) for element in parse(drawing).iter(f"{SVG}text")]


def colors(drawing: Drawing) -> set[str]:
    return {element.get(name, "none") for element in parse(drawing).iter() for name in ("fill", "stroke")} - {"none"}


def numbers(path: str) -> list[float]:
    return [float(number) for number in re.findall(r"[-\w.]+", re.sub(r"[MLh]", " ", path))]


@pytest.mark.parametrize("name", [*FIGURES, *EDGES])
def test_one_clean_described_element_without_a_warning(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawing = (FIGURES | EDGES)[name]()
    root = parse(drawing)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == drawing.label != ""
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {"svg", "path", "text"}
    assert not any(set(element.attrib) & {"id", "clip-path", "class", "href"} for element in root.iter())
    assert drawing.svg.count("http") == 1  # the name space
    for path in root.iter(f"{SVG}path"):
        assert np.isfinite(numbers(path.get("d", ""))).all()
    assert len(drawing.svg) < 50_000


@pytest.mark.parametrize("name", FIGURES)
def test_every_color_is_one_that_the_page_can_change(name: str) -> None:
    used = colors(FIGURES[name]())
    assert used <= set(COLORS.values())
    assert len(used) >= 3


@pytest.mark.slow
def test_another_process_draws_the_same() -> None:
    code = (
        "import sys; from mrl.report import distributions; "
        "drawing = distributions('tokens per molecule', {'data': [20, 30, 31, 44], 'samples': [22, 23]}); "
        "sys.stdout.write(drawing.svg)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=os.environ | {"PYTHONHASHSEED": "7"}
    )
    assert done.stdout.decode() == FIGURES["lengths"]().svg


def test_groups_have_their_color_whatever_the_order() -> None:
    one = colors(distributions("p", {"samples": [1.0, 2.0]}))
    two = colors(distributions("p", {"fine-tuned": [1.0], "other": [2.0]}))
    assert COLORS["samples"] in one
    assert COLORS["data"] not in one
    assert {COLORS["fine-tuned"], COLORS["fourth"]} <= two
    assert COLORS["samples"] not in two


def test_distribution_states_n_mean_and_what_is_missing() -> None:
    drawing = distributions("weight", {"data": [100.0, 300.0], "samples": [NAN, 250.0, np.inf]}, unit="g/mol")
    words = texts(drawing)
    assert [word for word in words if word.startswith(("n ", "mean "))] == [
        "n 2",
        "mean 200.0",
        "n 1 + 2 n/a",
        "mean 250.0",
    ]
    assert words[-1] == "weight (g/mol)"
    (name,) = (element for element in parse(drawing).iter(f"{SVG}text") if element.text == "samples")
    assert name.get("fill") == COLORS["samples"]
    assert name.get("font-weight") == "600"
    assert "samples: 1 value, mean 250.0, from 250.0 to 250.0, 2 without a value." in drawing.label


def test_histogram_heights_are_shares() -> None:
    """One group twice as large as another but alike in shape is drawn alike."""
    shape = [1, 2, 2, 3, 3, 3, 9]
    root = parse(distributions("n", {"a": shape, "b": shape * 2}))
    areas = [path for path in root.iter(f"{SVG}path") if path.get("fill-opacity") == "0.3"]
    first, second = (np.array(numbers(path.get("d", ""))[1::2]) for path in areas)
    moved = second - first
    assert np.ptp(moved) <= 0.11  # coordinates have one decimal
    assert moved[0] > 50


def test_tokens_by_frequency_ties_as_given() -> None:
    words = texts(token_frequencies(["a", "b", "c", "d", "e"], [5, 9, 5, 0, 100], top=3))
    assert [word for word in words if word in "abcde"] == ["e", "b", "a"]
    assert "84.0 %" in words  # 100 of 119, the share of all and not of those drawn


@pytest.mark.parametrize("token", ["$a$", "😀", "</svg><script>", "@1@", "\x00", "\ud800", "溶", "&amp;", "#0072b2"])
def test_any_token_is_shown_as_it_is(token: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawing = token_frequencies(["C", token], [9, 3])
    words = texts(drawing)
    assert words.count(printable(token) if len(token) <= 12 else printable(token)[:11] + "…") == 1
    assert "<script" not in drawing.svg


def test_loss_states_its_ends_and_what_was_not_finite() -> None:
    drawing = loss([0, 10, 20, 30], [4.0, NAN, 2.0, 1.5], [NAN, NAN, NAN, 1.75])
    assert "from 4.00 at step 0 to 1.50 at step 30" in drawing.label
    assert "Validation loss 1.75 at the end. 1 step without a finite loss." in drawing.label
    assert {"train 1.50", "valid 1.75", "nats per token"} <= set(texts(drawing))


def test_one_step_has_its_tick() -> None:
    assert "3" in texts(loss([3], [1.2]))


def test_smooth_loss_is_the_mean_of_its_window() -> None:
    noisy = np.tile([1.0, 3.0], 400)
    assert "to 2.0" in loss(np.arange(800), noisy).label


def test_rounds_name_each_curve_and_the_data() -> None:
    words = texts(FIGURES["rounds"]())
    assert {"0.85", "data 0.69", "valid 93 %", "unique 90 %", "mean QED"} <= set(words)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: token_frequencies(["C", "N"], [1]), "2 tokens with 1 count: "),
        (lambda: loss([1, 2], [1.0]), "2 steps with 1 training loss and"),
        (lambda: loss([1], [1.0], [1.0, 2.0]), "2 validation losses: give one of each for every step"),
        (lambda: rounds("p", [1.0, 2.0], {"valid": [0.5]}), "2 rounds with 1 value of 'valid'"),
    ],
)
def test_arrays_of_different_lengths_raise(call: Callable[[], Drawing], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        call()


def test_names_at_the_end_do_not_overlap() -> None:
    canvas = Canvas()
    Axes(canvas, 0, 0, 200, 100, (0, 1), (0, 1)).name_ends(
        [("a", 0.5, "ink"), ("b", 0.5, "ink"), ("c", 0.51, "ink"), ("d", 0.0, "ink")]
    )
    root = parse(canvas.drawing(300, 100, "names"))
    ys = sorted(float(element.get("y", "nan")) for element in root.iter(f"{SVG}text"))
    assert min(np.diff(ys)) >= 14.9


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(deadline=None)
@given(st.lists(finite, min_size=1, max_size=20))
def test_limits_hold_all_values_and_are_never_empty(values: list[float]) -> None:
    low, high = limits(as_values(values), 0.0)
    assert low < high
    assert low <= min(values) <= max(values) <= high


@settings(deadline=None)
@given(finite, finite, st.integers(1, 9), st.booleans())
def test_ticks_are_inside_ascending_and_integers_where_required(a: float, b: float, most: int, whole: bool) -> None:
    low, high = limits(as_values([a, b]), 0.1)
    values = list(ticks(low, high, most, whole=whole))
    assert values == sorted(set(values))
    assert all(low <= value <= high for value in values)
    assert len(values) <= most + 2
    assert not whole or all(value == round(value) for value in values)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(), max_size=30), st.lists(st.integers(-(10**12), 10**12), max_size=30))
def test_any_values_make_a_figure_that_counts_them_all(some: list[float], other: list[int]) -> None:
    drawing = distributions("p", {"data": some, "samples": other})
    drawn = sum(abs(value) < 1e100 for value in some)
    words = texts(drawing)
    assert (f"n {drawn} + {len(some) - drawn} n/a" if drawn < len(some) else f"n {drawn}") in words
    assert f"n {len(other)}" in words
