"""The options of commands about tables of molecules."""

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option

from mrl.cli.options.shared import (
    TABLE,
    WRITTEN,
    File,
    Json,
    LabelRule,
    OnLabel,
    Processes,
    ReadingOptions,
    RejectsFile,
    Seed,
    argument,
    number,
    out_option,
    require_one_kind_of_steps,
    require_rejects_file,
    require_suffix,
    split_fractions,
)


class Rule(StrEnum):
    """Which label the first row of a molecule gets from its other rows, which are removed."""

    FIRST = "first"
    MEAN = "mean"
    MEDIAN = "median"
    DROP = "drop"


class FingerprintKind(StrEnum):
    """Fingerprints of ``mrl featurize``."""

    ECFP4 = "ecfp4"
    ECFP6 = "ecfp6"
    FCFP4 = "fcfp4"
    FCFP6 = "fcfp6"
    MACCS = "maccs"
    RDKIT = "rdkit"
    ATOM_PAIR = "atom_pair"
    TORSION = "torsion"


@dataclass(frozen=True, kw_only=True)
class InspectOptions(ReadingOptions):
    """Show what is in a file of molecules, or in a file or folder that mrl wrote.

    Molecules: the column taken and the others, rows, invalid ones, duplicates, lengths, elements, salts, charges,
    stereo, labels and where they contradict each other; with --vocab, the tokens that a vocabulary lacks.

    Vocabularies, models, checkpoints, corpora, caches, arrays: what they hold and how they were made.

    Of a large file 10,000 rows are parsed. Exits with 1 if some rows are not molecules, or have tokens that are not in
    the vocabulary given by --vocab.
    """

    parses_molecules = False

    file: Annotated[Path, argument("FILE", f"Table {TABLE} Or a file or folder that mrl wrote.")]
    vocab: Annotated[Path | None, Option(help="Vocabulary to compare the molecules with.")] = None
    all: Annotated[bool, Option("--all", help="Parse every row of a large file.")] = False
    rejects: Annotated[
        Path | None,
        Option("--rejects", "-o", help="CSV file for all rows that are not molecules: row, text, stage, reason, line."),
    ] = None
    json: Json = False

    def __post_init__(self) -> None:
        require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class CleanOptions(ReadingOptions):
    """Clean a file of molecules: keep the rows that are molecules and pass the steps, with their other columns.

    Steps: canonical, largest-fragment, uncharge ...; those that mrl.chem has, in the order given. A CXSMILES tail is a
    part of the molecule: without the step strip-tail, and a preset other than none, such rows are left out.

    Every row is written or left out with a reason; exits with 1 if none is written.
    """

    file: File
    out: Annotated[Path, out_option(f"The file to write: {', '.join(WRITTEN)}.")]
    preset: Annotated[
        str | None,
        Option(
            metavar="NAME", help="What a team did: none, moses, guacamol, reinvent, molformer.", show_default="none"
        ),
    ] = None
    step: Annotated[
        list[str] | None, Option(metavar="NAME", help="One step, instead of a preset; repeat the option for several.")
    ] = None
    duplicates: Annotated[
        Rule | None,
        Option(
            metavar="RULE",
            help="Merge rows of the same molecule; its label: first, mean, median, or drop where they conflict. "
            "A limit such as >6 is never averaged: where it differs from the others, the molecule is left out.",
            show_default="keep them all",
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        Option(metavar="COLUMN", help="One column of labels for --duplicates; repeat the option for several."),
    ] = None
    on_label: LabelRule = OnLabel.RAISE
    n_jobs: Processes = 1
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        require_suffix(self.out, *WRITTEN)
        require_rejects_file(self.rejects)
        require_one_kind_of_steps(self.preset, self.step)
        if self.target and self.duplicates is None:
            raise ValueError("--target has the labels that --duplicates merges: give --duplicates, or leave it out")
        if self.duplicates in (Rule.MEAN, Rule.MEDIAN) and not self.target:
            raise ValueError(f"--duplicates {self.duplicates} needs labels: name their column with --target")


@dataclass(frozen=True, kw_only=True)
class SplitOptions(ReadingOptions):
    """Split a file of molecules into train, valid and test, files of the same kind in a folder.

    Rows stay as they are, with all columns; those that are not molecules are left out, or none with --notation
    protein, nucleotide or selfies. Exits with 1, and writes no
    part, if one of them would be empty.
    """

    file: File
    out: Annotated[Path, out_option("Folder for train, valid and test.")]
    by: Annotated[
        str,
        Option(
            metavar="RULE",
            help="What stays together: scaffold, cluster (similar molecules), random (nothing), or a column with "
            "equal values; a column of the words train, valid and test, or similar, names the parts.",
        ),
    ] = "scaffold"
    sizes: Annotated[str, Option(help="Two or three fractions that add up to 1: train, valid, test.")] = "0.8,0.1,0.1"
    seed: Seed = 0
    stratify: Annotated[
        str | None, Option(metavar="COLUMN", help="Column of classes that each part gets in equal proportions.")
    ] = None
    n_jobs: Processes = 1
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        require_rejects_file(self.rejects)
        try:
            fractions = self.fractions
        except ValueError:
            fractions = ()
        if len(fractions) not in (2, 3) or not all(0 <= size < math.inf for size in fractions):
            raise ValueError(f"--sizes is {self.sizes!r}; expected two or three fractions such as 0.8,0.1,0.1")
        if abs(math.fsum(fractions) - 1) > 1e-6:
            raise ValueError(f"--sizes is {self.sizes!r}, together {math.fsum(fractions):g}; they must add up to 1")

    @property
    def fractions(self) -> tuple[float, ...]:
        """The sizes as numbers."""
        return split_fractions(self.sizes)


@dataclass(frozen=True, kw_only=True)
class FeaturizeOptions(ReadingOptions):
    """Compute a fingerprint or descriptors for each molecule of a file.

    .npz has the arrays values (n, D), names (D), rows (their numbers in the file) and smiles; .parquet has all columns
    of the file, and one for each number.

    A molecule without a vector of finite numbers is left out, with the reason; exits with 1 if none is left.
    """

    file: File
    out: Annotated[Path, out_option("The .npz or .parquet file to write.")]
    fingerprint: Annotated[
        FingerprintKind | None,
        Option(metavar="KIND", help=f"{', '.join(FingerprintKind)} of 2048 bits.".capitalize(), show_default="ecfp6"),
    ] = None
    descriptors: Annotated[
        str | None, Option(metavar="LIST", help="Descriptors of mrl and RDKit instead: qed,TPSA or similar; or all.")
    ] = None
    n_jobs: Processes = 1
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        require_suffix(self.out, ".npz", ".parquet")
        require_rejects_file(self.rejects)
        if self.fingerprint is not None and self.descriptors is not None:
            raise ValueError("--fingerprint and --descriptors are given: give one of the two")


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(ReadingOptions):
    """Compute the metrics of MOSES and GuacaMol for a file of generated molecules.

    Every row of the file is a sample, those that cannot be read are invalid ones. --smiles-column is that of the
    samples; in the other files the column is recognised if they have none of this name. --format, --sheet and
    --encoding are those of all files; without --format each is read as its own name says.
    """

    samples: Annotated[Path, argument("SAMPLES", f"Table {TABLE}")]
    reference: Annotated[Path | None, Option(help="Table of molecules that the samples should resemble.")] = None
    train: Annotated[Path | None, Option(help="Table of molecules that the model was trained on.")] = None
    kl: Annotated[
        bool, Option("--kl", help="Also GuacaMol's KL divergence from --train: 3 ms for each molecule of both.")
    ] = False
    seed: Seed = 0
    n_jobs: Processes = 1
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        require_rejects_file(self.rejects)
        if self.kl and self.train is None:
            raise ValueError("--kl compares with the training molecules: name their file with --train")


@dataclass(frozen=True, kw_only=True)
class ReportOptions(ReadingOptions):
    """Write a page about a file of molecules: rows and rejects, duplicates, labels, tokens, properties, scaffolds.

    One HTML file that needs nothing else. Of a large file a sample of the rows is parsed, the same one each time, and
    the page says how many.
    """

    parses_molecules = False

    file: Annotated[Path, argument("FILE", f"Table {TABLE} Or the folder of a corpus.")]
    out: Annotated[Path, out_option("The .html file to write.")]
    target: Annotated[
        list[str] | None,
        Option(
            metavar="COLUMN",
            help="One column of labels; repeat the option for several.",
            show_default="columns of numbers and classes",
        ),
    ] = None
    split_column: Annotated[
        str | None,
        Option(
            metavar="COLUMN",
            help="Column that names the part of each row.",
            show_default="one of the words train, test or similar",
        ),
    ] = None
    vocab: Annotated[Path | None, Option(help="Vocabulary to compare the tokens with.")] = None
    sample: Annotated[int, number("Most rows to parse.")] = 10_000
    seed: Seed = 0
    n_jobs: Processes = 1
    json: Json = False

    def __post_init__(self) -> None:
        require_suffix(self.out, ".html")


@dataclass(frozen=True, kw_only=True)
class ShowOptions(ReadingOptions):
    """Draw molecules of a file on a page, each with its row and its columns."""

    file: File
    out: Annotated[Path, out_option("The .html, .svg or .png file to write.")]
    n: Annotated[int, number("Most drawings.", "-n")] = 100
    label: Annotated[
        list[str] | None, Option(metavar="COLUMN", help="Write this column below; repeat the option for several.")
    ] = None
    seed: Annotated[int | None, number("Choose rows at random.", least=0, default="the first ones")] = None
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        require_suffix(self.out, ".html", ".svg", ".png")
        require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class CacheOptions:
    """The folder of features that ``mrl cache show`` and ``mrl cache clear`` take."""

    folder: Annotated[
        Path | None, argument("FOLDER", "Folder that was passed as cache=.", "$XDG_CACHE_HOME/mrl/features")
    ] = None
    json: Json = False
