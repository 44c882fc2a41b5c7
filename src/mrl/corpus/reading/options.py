"""ReadOptions: how cells are read."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import Any, Literal, TypedDict

from mrl.corpus.reading.notation import NOTATIONS, Notation
from mrl.messages import did_you_mean, format_names

_ON_LABEL = ("raise", "reject", "nan")


@dataclass(frozen=True)
class ReadOptions:
    """How cells of a file are read; the defaults refuse what may be meant in several ways.

    Parameters
    ----------
    on_label : {"raise", "reject", "nan"}
        What to do with a target that is not a number: raise an error, reject the row, or read it as missing, which is
        counted in ``notes``. A column in which no label is a number, or whose decimals have another mark, is an error
        in any case, and one of which most labels would be missing a ``MissingLabelsWarning``. A weight that is missing
        or not a number follows the same rule, but is never NaN.
    label_map : dict of str to float
        The numbers of labels that are words, such as ``{"active": 1, "inactive": 0}``, or NaN for those that say that a
        value is missing; blanks around them do not count.
    decimal : {".", ","}
        The mark in front of the decimals of numbers in text.
    encoding : str
        Of text files: any that Python knows, such as ``"latin-1"`` or ``"utf-16"``.
    notation : {"smiles", "selfies", "protein", "nucleotide", "text"}
        What the column of molecules holds; by default SMILES, and sequences in a FASTA file. With ``"smiles"`` a column
        that evidently holds something else is an error, as is a FASTA file, and a row with a letter that no SMILES has
        is rejected; with the others, rows are read as they stand.
    sheet : str, optional
        Of a workbook with several: the name of the one to read.
    max_bytes : int
        Most bytes of one compressed file after decompression; 64 GiB by default.

    Raises
    ------
    ValueError
        A value is not one of those, or the encoding is unknown.

    Examples
    --------
    >>> ReadOptions(on_label="nan", label_map={"inactive": 0}).encoding
    'utf-8'
    """

    on_label: Literal["raise", "reject", "nan"] = "raise"
    label_map: Mapping[str, float] = field(default_factory=dict)
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    notation: Notation | None = None
    sheet: str | None = None
    max_bytes: int = 1 << 36

    def __post_init__(self) -> None:
        for name, allowed in (("on_label", _ON_LABEL), ("decimal", (".", ",")), ("notation", NOTATIONS)):
            value = getattr(self, name)
            if value not in allowed and not (name == "notation" and value is None):
                raise ValueError(f"{name} is {value!r}; expected one of {format_names(allowed)}")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise ValueError(
                f"encoding is {self.encoding!r}, which Python does not know: pass 'utf-8', 'latin-1', "
                "'cp1252' or 'utf-16'"
            ) from None
        if self.max_bytes < 1:
            raise ValueError(f"max_bytes is {self.max_bytes}; expected a positive number of bytes")

    def changed(self, settings: Mapping[str, Any], function: str) -> ReadOptions:
        """Return these options with others for some fields, which are keywords of `function`.

        Parameters
        ----------
        settings : dict
            Values by the names of fields.
        function : str
            For the message.

        Returns
        -------
        ReadOptions

        Raises
        ------
        TypeError
            A name is not a field.

        Examples
        --------
        >>> ReadOptions(decimal=",").changed({"on_label": "nan"}, "read").on_label
        'nan'
        """
        names = [field.name for field in fields(self)]
        for name in settings:
            if name not in names:
                raise TypeError(f"{function}() has no argument {name!r}{did_you_mean(name, names)}")
        return replace(self, **settings) if settings else self

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON; a number of `label_map` that JSON does not have as its name.

        Returns
        -------
        dict

        Examples
        --------
        >>> ReadOptions(label_map={"n.d.": float("nan"), "inactive": 0}).to_dict()["label_map"]
        {'n.d.': 'nan', 'inactive': 0.0}
        """
        numbers = {str(word): float(number) for word, number in self.label_map.items()}
        label_map = {word: number if isfinite(number) else str(number) for word, number in numbers.items()}
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"label_map": label_map}


class ReadSettings(TypedDict, total=False):
    """The fields of ReadOptions as keywords of a function.

    Examples
    --------
    >>> sorted(ReadSettings.__annotations__) == sorted(field.name for field in fields(ReadOptions))
    True
    """

    on_label: Literal["raise", "reject", "nan"]
    label_map: Mapping[str, float]
    decimal: Literal[".", ","]
    encoding: str
    notation: Notation | None
    sheet: str | None
    max_bytes: int
