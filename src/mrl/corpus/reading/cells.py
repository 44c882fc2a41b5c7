"""Cells: a column as text or as numbers, and a column of SMILES cut into molecules, CXSMILES tails and names."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mrl.corpus.reading.notation import COMMENT, FASTA_HEADER, FOREIGN, foreign_letters
from mrl.corpus.reading.options import ReadOptions
from mrl.corpus.reading.sources import escape_invalid, is_utf8

Bools = NDArray[np.bool_]

_BLANK = r"\s\p{Z}\x0b\x1c-\x1f\x85"  # \s alone is ASCII's
_TAIL = rf"(?s)^(?P<smiles>[^{_BLANK}]+)[{_BLANK}]+(?P<tail>\|.*\|)(?P<name>)$"
_TAIL_AND_NAME = rf"(?s)^(?P<smiles>[^{_BLANK}]+)[{_BLANK}]+(?:(?P<tail>\|[^|]*\|)(?:[{_BLANK}]+|$))?(?P<name>.*)$"
# What a tail may hold without saying anything about the molecule: coordinates, labels (of atoms that have an element of
# their own), properties and lone pairs. Anything else, such as the stereo of a racemate, is a part of the molecule.
_LAYOUT = r"\|(?:(?:\([^)]*\)|\$[^$]*\$|atomProp:[^,]*|lp:[\d:,]*),?)*\|"
_LABELS = r"\$[^$]*\$"
_MISSING_SMILES = ("nan", "NaN", "null", "NULL", "none", "None", "n/a", "N/A", "#N/A", "<NA>")  # "NA" is a peptide
_MISSING_NUMBERS = ("", "na", "nan", "null", "none", "n/a", "#n/a", "<na>")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_MARKED = r"^\s*[<>]?=?\s*[-+]?(?:\d*{mark}\d+(?:[eE][-+]?\d+)?|\d{{1,3}}(?:{mark}\d{{3}})+)\s*$"
_THOUSANDS = r"^\s*[<>]?=?\s*[-+]?[1-9]\d{{0,2}}(?:{mark}\d{{3}})+\s*$"
_MARK_NAMES = {",": "commas", ".": "points"}
_CENSORED = r"(?s)^(?P<sign>[<>]=?|[≤≥])\s*(?P<number>\S.*)$"
_SIGNS = {"<": -1, "<=": -1, "≤": -1, ">": 1, ">=": 1, "≥": 1}
_TEXT = pa.large_string()
_BLANKS = [*b" \t\n\f\r"]


class SmilesCells(NamedTuple):
    """A column of SMILES, n rows.

    Attributes
    ----------
    smiles, tail, name : Arrow array of large_string, shape (n,)
        The SMILES, and the CXSMILES tail and the name after it, blank where there is none. A tail that is a part of
        the molecule stays with its SMILES, after one blank.
    rejected : dict of int to str
        Why some of the rows hold no molecule.
    trimmed : ndarray of bool, shape (n,)
        Whether blanks around the SMILES were removed.
    with_tail : ndarray of bool, shape (n,)
        Whether a tail stays with the SMILES.
    """

    smiles: Any
    tail: Any
    name: Any
    rejected: dict[int, str]
    trimmed: Bools
    with_tail: Bools


def is_text(kind: Any) -> bool:
    """Return whether values of an Arrow type can be read as text: strings, bytes, integers, nothing."""
    kind = _value_type(kind)
    return _is_string(kind) or bool(pa.types.is_integer(kind) or pa.types.is_null(kind))


def parse_text(column: Any) -> tuple[Any, Bools]:
    r"""Return an Arrow column (`is_text`) as large_string, and which of its rows are not UTF-8.

    Missing values are blank; bytes that are not UTF-8 are written as ``\xe9``.
    """
    kind = _value_type(column.type)
    column = pc.cast(column, kind)
    if _is_string(kind):
        column = pc.cast(column, pa.large_binary())  # so that text of other programs is checked as well
    try:
        return pc.fill_null(pc.cast(column, _TEXT), ""), np.zeros(len(column), bool)
    except pa.ArrowInvalid:
        cells = [cell or b"" for cell in column.to_pylist()]
        invalid = [not is_utf8(cell) for cell in cells]
        return pa.array(map(escape_invalid, cells), _TEXT), np.array(invalid, bool)


def parse_smiles(raw: Any, has_name_suffix: bool, is_smiles: bool = True) -> SmilesCells:
    """Cut cells, an Arrow array of text, into SMILES and what follows: a tail, and a name if `has_name_suffix`.

    Cells that are not meant to be SMILES (`is_smiles`) are not looked at for letters that no SMILES has.
    """
    text = pc.utf8_trim_whitespace(raw)
    trimmed = _flags(pc.not_equal(pc.binary_length(text), pc.binary_length(raw)))
    tail = name = pa.repeat(pa.scalar("", _TEXT), len(text))
    rejected = dict.fromkeys(_where(pc.equal(text, "")), "empty")
    with_tail = np.zeros(len(text), bool)
    blanks, is_plain = _find_blanks(text)
    if has_name_suffix and is_plain and blanks.any():
        has_bar = (_bytes_of(text) == ord("|")).any()
        named = blanks & ~_flags(pc.match_substring(text, "|")) if has_bar else blanks.copy()
        parts = pc.ascii_split_whitespace(select(text, named), max_splits=1).flatten()
        text = _replace(text, named, pc.take(parts, pa.array(np.arange(0, len(parts), 2))))
        name = _replace(name, named, pc.take(parts, pa.array(np.arange(1, len(parts), 2))))
        blanks &= ~named
    if blanks.any():
        found = pc.extract_regex(select(text, blanks), _TAIL_AND_NAME if has_name_suffix else _TAIL)
        matched = _flags(pc.is_valid(found))
        rejected |= dict.fromkeys(np.flatnonzero(blanks)[~matched].tolist(), "blank inside SMILES")
        blanks[blanks] = matched
        found = pc.filter(found, pa.array(matched))
        smiles, tails = pc.struct_field(found, "smiles"), pc.struct_field(found, "tail")
        whole = ~_is_layout(smiles, tails)
        with_tail[blanks] = whole
        mask = pa.array(whole)
        joined = pc.binary_join_element_wise(smiles, tails, pa.scalar(" ", _TEXT))
        text = _replace(text, blanks, pc.if_else(mask, joined, smiles))
        tail = _replace(tail, blanks, pc.if_else(mask, pa.scalar("", _TEXT), tails))
        name = _replace(name, blanks, pc.struct_field(found, "name"))
    if is_smiles:
        rejected = dict.fromkeys(_where(foreign_letters(text, with_tail)), FOREIGN) | rejected
        rejected |= dict.fromkeys(_where(pc.starts_with(text, "#")), COMMENT)
        if headers := _where(pc.starts_with(text, ">")):  # a reaction without reactants has a second one
            is_header = _flags(pc.match_substring_regex(pc.take(text, pa.array(headers)), "^>[^>]*$"))
            rejected |= dict.fromkeys(np.array(headers)[is_header].tolist(), FASTA_HEADER)
    rejected |= dict.fromkeys(_where(pc.is_in(text, value_set=pa.array(_MISSING_SMILES, _TEXT))), "missing")
    return SmilesCells(text, tail, name, rejected, trimmed, with_tail)


def prepare_labels(column: Any, options: ReadOptions) -> Any:
    """Return a column of labels in text with mapped words as numbers, and a point in front of decimals."""
    if not (options.label_map or options.decimal == ",") or not _is_string(_value_type(column.type)):
        return column
    text = pc.utf8_trim_whitespace(parse_text(column)[0])
    if options.decimal == ",":  # a point is not taken for one: 1.234 may be a thousand
        text = pc.replace_substring_regex(text, r"^(.*\..*)$", r"not \1")
        text = pc.replace_substring_regex(text, r"^([^,]*),([^,]*)$", r"\1.\2")
    if options.label_map:
        keys = pa.array([str(key) for key in options.label_map], _TEXT)
        numbers = pa.array([repr(float(value)) for value in options.label_map.values()], _TEXT)
        places = pc.index_in(pc.utf8_trim_whitespace(parse_text(column)[0]), value_set=keys)
        text = pc.coalesce(pc.take(numbers, places), text)
    return text


def decimal_mark_problem(column: Any, decimal: str) -> tuple[int, str] | None:
    """Return a cell whose mark of decimals is not `decimal`, and the way out, if that is so in the whole column."""
    if not _is_string(_value_type(column.type)):
        return None
    text = parse_text(column)[0]
    other = "." if decimal == "," else ","
    marked = _flags(pc.match_substring_regex(text, _MARKED.format(mark=re.escape(other))))
    if not marked.any() or pc.any(pc.match_substring_regex(text, _MARKED.format(mark=re.escape(decimal)))).as_py():
        return None
    thousands = _flags(pc.match_substring_regex(text, _THOUSANDS.format(mark=re.escape(other))))
    place = int(np.argmax(marked & ~thousands if (marked & ~thousands).any() else marked))
    if thousands[place]:
        change = "pass options=ReadOptions(decimal=',') (--decimal ,)" if other == "," else "leave out decimal=','"
        return place, (
            f"its {_MARK_NAMES[other]} may be in front of decimals or thousands: "
            f"{change} for decimals, or remove them from the file"
        )
    if other == ",":
        return place, "the column has decimal commas: pass options=ReadOptions(decimal=',') (--decimal ,)"
    return place, "the column has decimal points: leave out decimal=',' (--decimal ,)"


def parse_numbers(column: Any) -> tuple[NDArray[np.float64], Bools]:
    """Return an Arrow column as numbers, NaN where missing, and which of its rows are neither finite nor missing."""
    types, kind = pa.types, column.type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind):
        values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        missing = _flags(pc.is_null(column, nan_is_null=True))
    elif is_text(kind):
        text = pc.utf8_trim_whitespace(parse_text(column)[0])
        missing = _flags(pc.is_in(pc.utf8_lower(text), value_set=pa.array(_MISSING_NUMBERS, _TEXT)))
        try:
            values = pc.cast(pc.if_else(pa.array(missing), None, text), pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:  # a plus sign, or not a number at all
            cells = zip(text.to_pylist(), missing.tolist(), strict=True)
            values = np.array([float(cell) if not gone and _NUMBER.fullmatch(cell) else np.nan for cell, gone in cells])
    else:
        values, missing = np.full(len(column), np.nan), _flags(pc.is_null(column))
    return np.array(values, np.float64), ~np.isfinite(values) & ~missing


def parse_censored(column: Any) -> tuple[NDArray[np.float64], NDArray[np.int8], Bools]:
    """Return an Arrow column as numbers, signs (1 for ``>10``, -1 for ``<5``, else 0), and which rows are neither."""
    signs = np.zeros(len(column), np.int8)
    if not _is_string(_value_type(column.type)):
        values, wrong = parse_numbers(column)
        return values, signs, wrong
    text = pc.utf8_trim_whitespace(parse_text(column)[0])
    found = pc.extract_regex(text, _CENSORED)
    censored = _flags(pc.is_valid(found))
    if not censored.any():
        values, wrong = parse_numbers(column)
        return values, signs, wrong
    mask = pa.array(censored)
    kept = pc.filter(found, mask)
    values, wrong = parse_numbers(pc.replace_with_mask(text, mask, pc.struct_field(kept, "number")))
    signs[censored] = [_SIGNS[sign] for sign in pc.struct_field(kept, "sign").to_pylist()]
    return values, signs, wrong | (censored & np.isnan(values))


def _find_blanks(text: Any) -> tuple[Bools, bool]:
    """Return which cells have a blank, and whether all are of ASCII without control characters other than tabs."""
    if not len(text):
        return np.zeros(0, bool), False
    offsets, values = _offsets_of(text), _bytes_of(text)
    if len(values) and values.max() > 126:
        return _flags(pc.match_substring_regex(text, r"[\s\p{Z}]")), False
    flags = np.zeros(len(text), bool)
    places = np.flatnonzero(values <= ord(" "))
    found = values[places]
    places = places[np.isin(found, _BLANKS)] if len(places) else places
    flags[np.searchsorted(offsets - offsets[0], places, side="right") - 1] = True
    return flags, bool(np.isin(found, (ord(" "), ord("\t"))).all())


def _offsets_of(text: Any) -> NDArray[np.int64]:
    return np.frombuffer(text.buffers()[1], np.int64)[text.offset : text.offset + len(text) + 1]


def _bytes_of(text: Any) -> NDArray[np.uint8]:
    """Return the bytes of all cells, of which there is at least one."""
    offsets, data = _offsets_of(text), text.buffers()[2]
    return np.frombuffer(b"" if data is None else data, np.uint8)[offsets[0] : offsets[-1]]


def select(column: Any, keep: Bools) -> Any:
    """Return some cells of an Arrow column; all of them without a copy."""
    return column if keep.all() else pc.filter(column, pa.array(keep))


def _replace(column: Any, where: Bools, values: Any) -> Any:
    """Return a column with other values in some rows."""
    return values if where.all() else pc.replace_with_mask(column, pa.array(where), values)


def _is_layout(smiles: Any, tail: Any) -> Bools:
    """Return for each tail whether the molecule is the same without it; labels of wildcard atoms are a part of it."""
    layout = _flags(pc.match_substring_regex(tail, f"^(?:{_LAYOUT})?$"))
    return layout & ~(_flags(pc.match_substring_regex(tail, _LABELS)) & _flags(pc.match_substring(smiles, "*")))


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_string(kind: Any) -> bool:
    is_binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    return bool(is_binary or pa.types.is_string(kind) or pa.types.is_large_string(kind) or "string_view" in str(kind))


def _flags(mask: Any) -> Bools:
    return np.array(mask.to_numpy(zero_copy_only=False), bool)


def _where(mask: Any) -> list[int]:
    flags = mask if isinstance(mask, np.ndarray) else _flags(mask)
    return [int(place) for place in np.flatnonzero(flags)]
