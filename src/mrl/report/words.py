"""Values as a reader wants to see them: short numbers, honest percentages, text with nothing hidden in it."""

from __future__ import annotations

import math

__all__ = ["name_and_unit", "number", "percent", "visible"]

_UNITS = {"molwt": "g/mol", "exact_mass": "Da", "tpsa": "Å²"}
_NAMES = {"qed": "QED", "logp": "logP", "tpsa": "TPSA", "molwt": "weight", "sa_score": "SA score"}


def name_and_unit(property: str) -> tuple[str, str]:
    """Say what a property is called and measured in.

    Parameters
    ----------
    property : str
        The name of its function.

    Returns
    -------
    tuple of str
        Its name, and its unit or ``""``.

    Examples
    --------
    >>> name_and_unit("molwt"), name_and_unit("exact_mass"), name_and_unit("qed")
    (('weight', 'g/mol'), ('exact mass', 'Da'), ('QED', ''))
    """
    return _NAMES.get(property, property.replace("_", " ")), _UNITS.get(property, "")


def number(value: float) -> str:
    """Write a number in about three significant digits, with thousands separated.

    Parameters
    ----------
    value : float or int
        Any number; whole numbers keep all their digits.

    Returns
    -------
    str
        The number, or an en dash for NaN.

    Examples
    --------
    >>> number(20000), number(0.8), number(44.256), number(0.00123), number(float("nan"))
    ('20,000', '0.80', '44.3', '0.0012', '–')
    """
    if math.isnan(value):
        return "–"
    size = abs(value)
    if isinstance(value, int):
        text = f"{size:,}"
    elif size == 0 or 0.1 <= size < 1e15:
        text = f"{size:,.{2 if size < 10 else 1 if size < 1000 else 0}f}"
    else:
        text = f"{size:.2g}"
    return f"−{text}" if value < 0 else text


def percent(part: float, whole: float) -> str:
    """Write a share as a percentage that is 0 % or 100 % only for none or all.

    Parameters
    ----------
    part, whole : int or float
        How many of how many.

    Returns
    -------
    str
        One decimal and a percent sign; an en dash for a share of nothing.

    Examples
    --------
    >>> percent(941, 1000), percent(1000, 1000), percent(99_999, 100_000), percent(0, 0)
    ('94.1 %', '100 %', '>99.9 %', '–')
    """
    if not whole or not math.isfinite(part / whole):
        return "–"
    share = 100 * part / whole
    if share in (0, 100):
        return f"{share:.0f} %"
    if 0 < share < 0.05:
        return "<0.1 %"
    return ">99.9 %" if 99.95 <= share < 100 else f"{share:.1f} %"


def visible(text: str) -> str:
    r"""Replace what a page cannot show: control characters by their pictures, lone surrogates by U+FFFD.

    Parameters
    ----------
    text : str
        Any text, such as a string that a model wrote.

    Returns
    -------
    str
        Text of the same length that is safe in XML and in UTF-8 once it is escaped.

    Examples
    --------
    >>> visible("C\x00C\n"), visible("C\ud800")
    ('C␀C␊', 'C�')
    """
    return text.translate(_PICTURES)


_PICTURES = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), 0xFFFD),
    # Characters that turn the direction of the text around them would show a SMILES that is not the one there.
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}
