"""Formatting: short honest numbers, any text visible and inert, tables that a parser reads back."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import RowError
from mrl.formatting import (
    Html,
    escape_html,
    format_number,
    format_percent,
    html_table,
    printable,
)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_percent_is_0_or_100_only_for_none_or_all(part: int, more: int) -> None:
    whole = part + more
    assert (format_percent(part, whole) == "0 %") == (part == 0)
    assert format_percent(part, whole) != "100 %"
    assert format_percent(whole, whole) == "100 %"


@settings(deadline=None)
@given(st.floats(-1e300, 1e300))
def test_number_keeps_two_digits(value: float) -> None:
    read = float(format_number(value).replace(",", "").replace("−", "-"))
    assert read == pytest.approx(value, rel=0.051)


@settings(deadline=None)
@given(st.text())
def test_printable_text_keeps_its_length_and_is_valid_xml_once_escaped(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    shown.encode()
    assert ElementTree.fromstring(f"<a>{escape_html(text)}</a>").text == (shown or None)


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_text_in_a_table_is_read_back_as_text(first: str, second: str) -> None:
    table = ElementTree.fromstring(html_table([(first, second)], [second, first], caption=first))
    cells = ["".join(cell.itertext()) for cell in table.iter() if cell.tag in ("th", "td")]
    assert cells == [printable(text) for text in (second, first, first, second)]


def test_table_writes_values_for_a_reader() -> None:
    text = html_table(
        [("a", 12345, 0.5, None, "x<y"), ("b", np.int64(-3), np.float32(0.25), True, "1.2.3")], list("vwxyz")
    )
    assert re.findall(r"<t([dh])\b[^>]*>([^<]*)<", text)[5:] == [
        ("h", "a"), ("d", "12,345"), ("d", "0.50"), ("d", "–"), ("d", "x&lt;y"),
        ("h", "b"), ("d", "−3"), ("d", "0.25"), ("d", "True"), ("d", "1.2.3"),
    ]  # fmt: skip
    assert re.findall(r'<td class="number">([^<]*)<', text) == ["12,345", "0.50", "−3", "0.25"]


def test_a_table_without_rows_says_so_and_rows_of_different_lengths_raise() -> None:
    assert '<td colspan="2">nothing</td>' in html_table([], ["a", "b"])
    for header, expected in ((["a", "b"], 2), ([], 2)):
        with pytest.raises(RowError, match=f"row 1 has 1 value, expected {expected}") as caught:
            html_table([(1, 2), (3,)], header)
        assert caught.value.row == 1


def test_markup_stays_markup_in_a_table() -> None:
    assert '<th scope="row"><b>1</b></th>' in html_table([(Html("<b>1</b>"),)])
