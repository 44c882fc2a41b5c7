"""The options of commands about corpora: rows on disk."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from mrl.arguments import MOST_PROCESSES
from mrl.cli.options.shared import (
    Json,
    LabelRule,
    OnLabel,
    ReadingOptions,
    Seed,
    argument,
    number,
    out_option,
    require_one_kind_of_steps,
    split_fractions,
)
from mrl.cli.options.tables import Rule

CorpusFolder = Annotated[Path, argument("DIR", "Folder of a corpus, written by mrl prepare.")]


class Phase(StrEnum):
    """The phases of a preparation."""

    READ = "read"
    CLEAN = "clean"
    PLAN = "plan"
    WRITE = "write"
    FINISH = "finish"


class EngineKind(StrEnum):
    """What runs the tasks."""

    LOCAL = "local"
    RAY = "ray"


def _panel(name: str, help: str, default: str | bool = True, metavar: str | None = None) -> Any:
    return Option(help=help, show_default=default, metavar=metavar, rich_help_panel=name)


_COLUMNS, _ROWS, _CLUSTER = "Columns", "What is done to the rows", "On a cluster"


@dataclass(frozen=True, kw_only=True)
class PrepareOptions(ReadingOptions):
    """Make a corpus of files of any size: rows are cleaned, and written to disk for training.

    Every row is kept or left out with a reason. It may be stopped or killed at any moment: the same command goes on
    where it was, and ends with the same bytes.
    """

    files: Annotated[list[Path], argument("FILES...", "Tables of molecules, which have the same columns.")]
    out: Annotated[Path, out_option("New folder for the corpus; with --append, a corpus.")]
    target_columns: Annotated[
        list[str] | None,
        Option(
            "--target-columns",
            "--target",  # as in the other commands, and in messages about columns
            help="Column of labels; repeat the option for several.",
            show_default="none",
            metavar="COLUMN",
            rich_help_panel=_COLUMNS,
        ),
    ] = None
    id_column: Annotated[str | None, _panel(_COLUMNS, "Column that is kept as text.", "none", "COLUMN")] = None
    weight_column: Annotated[str | None, _panel(_COLUMNS, "Column of weights.", "none", "COLUMN")] = None
    split_column: Annotated[
        str | None, _panel(_COLUMNS, "Column of the words train, valid and test.", "none", "COLUMN")
    ] = None
    others: Annotated[bool, _panel(_COLUMNS, "Keep all other columns, too.", False)] = False
    on_label: LabelRule = OnLabel.RAISE
    preset: Annotated[
        str | None,
        _panel(_ROWS, "What a team did: none, moses, guacamol, reinvent, molformer.", "none", "NAME"),
    ] = None
    step: Annotated[
        list[str] | None,
        _panel(_ROWS, "One step of mrl clean, instead of a preset; repeat the option for several.", "none", "NAME"),
    ] = None
    no_parse: Annotated[bool, Option("--no-parse", help="Texts stay as they are.", rich_help_panel=_ROWS)] = False
    duplicates: Annotated[
        Rule | None,
        _panel(
            _ROWS,
            "Merge rows of the same molecule; its label: first, mean, median, or drop where they conflict.",
            "keep them all",
            "RULE",
        ),
    ] = None
    split: Annotated[
        str | None, _panel(_ROWS, "Deal rows to train, valid and test: random or scaffold.", "no split", "RULE")
    ] = None
    sizes: Annotated[str, _panel(_ROWS, "Fractions of train, valid, test.")] = "0.8,0.1,0.1"
    vocab: Annotated[
        str, _panel(_ROWS, "Vocabulary to be kept: a file, learn (from train), or none.", True, "FILE")
    ] = "learn"
    merges: Annotated[
        int,
        Option(
            metavar="N",
            help="Tokens of several pieces that the vocabulary learns besides.",
            min=0,
            show_default="none",
            rich_help_panel=_ROWS,
        ),
    ] = 0
    features: Annotated[
        list[str] | None,
        _panel(
            _ROWS,
            "Vectors beside the molecules: a fingerprint (ecfp4, maccs ...), descriptors (qed,tpsa); repeat the option "
            "for several.",
            "none",
            "NAME",
        ),
    ] = None
    seed: Seed = 0
    rows_per_part: Annotated[int, number("Input rows of one shard.")] = 200_000
    workers: Annotated[int | None, number("Number of processes.", default="one for each CPU")] = None
    engine: Annotated[EngineKind, _panel(_CLUSTER, "What runs the tasks: local, ray.")] = EngineKind.LOCAL
    address: Annotated[str | None, _panel(_CLUSTER, "Address of Ray, such as auto.", "this machine", "TEXT")] = None
    phase: Annotated[
        Phase | None,
        _panel(_CLUSTER, "One phase only, for array jobs: read, clean, plan, write, finish.", "all", "PHASE"),
    ] = None
    shard: Annotated[str, _panel(_CLUSTER, "Which share of the phase: i/n, from 0.", True, "I/N")] = "0/1"
    append: Annotated[
        bool,
        Option(
            "--append",
            help="Write the rows after those of the corpus DIR, which was prepared with the same other options.",
        ),
    ] = False
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would become of the first 10,000 rows; write nothing.")
    ] = False
    json: Json = False

    def __post_init__(self) -> None:
        require_one_kind_of_steps(self.preset, self.step)
        if self.split not in (None, "random", "scaffold"):
            raise ValueError(f"--split is {self.split!r}; expected random or scaffold, or give --split-column")
        if self.split is not None and self.split_column is not None:
            raise ValueError("--split and --split-column are given; give one of the two")
        if not re.fullmatch(r"\d+/[1-9]\d*", self.shard) or not self.share[0] < self.share[1]:
            raise ValueError(f"--shard is {self.shard!r}; expected i/n with 0 <= i < n, such as 0/8")
        if self.shard != "0/1" and self.phase is None:
            raise ValueError(f"--shard is a share of one phase; give --phase, {', '.join(Phase)}")
        if self.phase is not None and (self.dry_run or self.engine != EngineKind.LOCAL):
            raise ValueError("--phase does one task after the other; leave out --dry-run and --engine")
        if self.append and self.phase is not None:
            raise ValueError(
                "--append does all phases in one command, on several machines with --engine ray: leave out --phase"
            )
        if self.address is not None and self.engine != EngineKind.RAY:
            raise ValueError("--address is that of a cluster of Ray; give --engine ray")
        if self.engine is EngineKind.LOCAL and (self.workers or 0) > MOST_PROCESSES:
            raise ValueError(f"--workers is {self.workers}; expected at most {MOST_PROCESSES:,} on this machine")
        if self.merges and self.vocab != "learn":
            raise ValueError(f"--merges are learned, but --vocab is {self.vocab!r}: leave out one of the two")
        if self.duplicates in (Rule.MEAN, Rule.MEDIAN) and not self.target_columns:
            raise ValueError(f"--duplicates {self.duplicates} needs labels: name their column with --target-columns")
        try:
            fractions = self.fractions
        except ValueError:
            fractions = ()
        if len(fractions) not in (2, 3) or min(fractions) < 0 or abs(math.fsum(fractions) - 1) > 1e-6:
            raise ValueError(f"--sizes is {self.sizes!r}; expected two or three fractions that add up to 1")

    @property
    def fractions(self) -> tuple[float, ...]:
        """The sizes as numbers."""
        return split_fractions(self.sizes)

    @property
    def share(self) -> tuple[int, int]:
        """The share of the phase."""
        i, n = self.shard.split("/")
        return int(i), int(n)


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """Compute the digests of all files of a corpus; exits with 1 if one is not as it was written."""

    folder: CorpusFolder
    json: Json = False


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Write all rows of a corpus for other programs, shard by shard.

    A folder gets Parquet files with the names of the splits, which HuggingFace's datasets takes as a data set.
    """

    folder: CorpusFolder
    out: Annotated[Path, argument("OUT", "A .parquet, .csv, .tsv or .arrow file, or a new folder.")]
    split: Annotated[str | None, Option(metavar="NAME", help="One part of the split only.", show_default="all")] = None
    json: Json = False
