"""Parts of the options of several commands: annotated types, and checks."""

import math
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

from typer import Argument, BadParameter, Option

from mrl.arguments import MOST_PROCESSES
from mrl.messages import format_value

WRITTEN = (".csv", ".tsv", ".smi", ".parquet", ".arrow")  # what mrl.corpus.write_table writes
TABLE = "of molecules: .csv, .smi, .sdf, .jsonl, .parquet ..., also compressed; a URL; or - for standard input."


def argument(name: str, help: str, default: str | None = None) -> Any:
    """Return an argument that is not an option."""
    return Argument(metavar=name, help=help, show_default=default or False)


def out_option(help: str) -> Any:
    """Return ``--out``."""
    return Option("--out", "-o", help=help)


def number(help: str, *names: str, least: int = 1, most: int | None = None, default: str | None = None) -> Any:
    """Return an option that takes an integer; the message for another value shows it."""
    expected = f"a whole number of at least {least:,}" if most is None else f"a whole number from {least:,} to {most:,}"

    def parse(text: str) -> int:
        with suppress(ValueError):
            value = int(text)
            if least <= value <= (math.inf if most is None else most):
                return value
        raise BadParameter(f"{format_value(text)}; expected {expected}")

    return Option(*names, metavar="N", help=help, min=least, max=most, parser=parse, show_default=default or True)


File = Annotated[Path, argument("FILE", f"Table {TABLE}")]
VocabFile = Annotated[Path, argument("VOCAB", "Vocabulary file, written by mrl vocab learn.")]
MaxLength = Annotated[int, number("Most tokens of a molecule, bos and eos included.", least=3, most=100_000)]
Steps = Annotated[int, number("Training steps, of 64 molecules each.", most=10**8)]
Seed = Annotated[int, number("The same seed, machine and versions give the same result.", least=0)]
Processes = Annotated[int, number("Number of processes, on which the result does not depend.", most=MOST_PROCESSES)]
RejectsFile = Annotated[
    Path | None, Option(help="CSV file for the rows that are left out: row, text, stage, reason, line.")
]
Force = Annotated[bool, Option("--force", help="Replace a model that is there already.")]
Json = Annotated[bool, Option("--json", help="Print the result as JSON.")]


class TableFormat(StrEnum):
    """Formats of tables."""

    CSV = "csv"
    TSV = "tsv"
    SMI = "smi"
    SDF = "sdf"
    FASTA = "fasta"
    JSONL = "jsonl"
    XLSX = "xlsx"
    PARQUET = "parquet"
    ARROW = "arrow"


class Notation(StrEnum):
    """What a column of molecules holds."""

    SMILES = "smiles"
    SELFIES = "selfies"
    PROTEIN = "protein"
    NUCLEOTIDE = "nucleotide"
    TEXT = "text"


class OnLabel(StrEnum):
    """What to do with a label that is not a number."""

    RAISE = "raise"
    REJECT = "reject"
    NAN = "nan"


class DecimalMark(StrEnum):
    """The mark in front of the decimals of numbers in text."""

    POINT = "."
    COMMA = ","


def _reading(help: str, default: str, metavar: str | None = None) -> Any:
    return Option(help=help, show_default=default, metavar=metavar, rich_help_panel="Reading tables")


LabelRule = Annotated[
    OnLabel,
    Option(
        metavar="RULE",
        help="If a label is not a number, such as n.d.: raise an error, reject the row, or take it as missing (nan).",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How tables are read: the options of all commands that read some.

    ``parses_molecules`` says that the command works on molecules, not on their text alone.
    """

    parses_molecules: ClassVar[bool] = True

    smiles_column: Annotated[str | None, _reading("Column with the SMILES.", "the one called smiles or similar")] = None
    format: Annotated[
        TableFormat | None,
        _reading(f"Format of the file: {', '.join(TableFormat)}.", "what its name says", "NAME"),
    ] = None
    sheet: Annotated[str | None, _reading("Sheet of a workbook.", "the only one", "NAME")] = None
    encoding: Annotated[str, _reading("Encoding of text: utf-8, latin-1, cp1252, utf-16 ...", "utf-8")] = "utf-8"
    decimal: Annotated[DecimalMark, _reading("Mark in front of the decimals of labels: . or a comma.", ".", "MARK")] = (
        DecimalMark.POINT
    )
    label_map: Annotated[
        list[str] | None,
        _reading(
            "The number of a label that is a word, such as inactive=0; repeat the option for each word.",
            "none",
            "WORD=NUMBER",
        ),
    ] = None
    notation: Annotated[
        Notation | None,
        _reading(
            f"What the column holds: {', '.join(Notation)} (any text, as it stands).",
            "smiles, or that of the vocabulary",
            "NAME",
        ),
    ] = None

    @property
    def reading_words(self) -> list[str]:
        """The words of a command that reads alike."""
        words = [] if self.smiles_column is None else ["--smiles-column", self.smiles_column]
        words += [] if self.format is None else ["--format", self.format.value]
        words += [] if self.sheet is None else ["--sheet", self.sheet]
        words += [] if self.encoding == "utf-8" else ["--encoding", self.encoding]
        words += [] if self.decimal == "." else ["--decimal", self.decimal.value]
        for pair in self.label_map or ():
            words += ["--label-map", pair]
        return words if self.notation is None else [*words, "--notation", self.notation.value]


def label_numbers(pairs: list[str] | None) -> dict[str, float]:
    """Return the numbers of labels that are words, from ``WORD=NUMBER`` each; raise a ValueError for anything else."""
    numbers: dict[str, float] = {}
    for pair in pairs or ():
        word, _, number = pair.rpartition("=")
        try:
            numbers[word.strip()] = float(number)
        except ValueError:
            raise ValueError(f"--label-map is {pair!r}; expected WORD=NUMBER, such as inactive=0") from None
    return numbers


def require_suffix(path: Path, *suffixes: str, option: str = "--out") -> None:
    """Raise a ValueError unless the name of a file ends with one of the suffixes."""
    if path.is_dir() or path.suffix.lower() not in suffixes:
        known = " or ".join([", ".join(suffixes[:-1]), suffixes[-1]] if len(suffixes) > 1 else suffixes)
        raise ValueError(f"{option} is {path}; expected the name of a file that ends in {known}")


def require_one_kind_of_steps(preset: str | None, steps: list[str] | None) -> None:
    """Raise a ValueError if a preset and steps are given."""
    if preset is not None and steps:
        raise ValueError("--preset and --step are given; a preset is a list of steps: give one of the two")


def split_fractions(sizes: str) -> tuple[float, ...]:
    """Return the sizes of the parts of a split, such as ``0.8,0.1,0.1``, as numbers; a ValueError if they are none."""
    return tuple(float(size) for size in sizes.split(","))


def require_rejects_file(path: Path | None) -> None:
    """Raise a ValueError unless a file of rejects, if one is given, is a ``.csv``."""
    if path is not None:
        require_suffix(path, ".csv", option="--rejects")
