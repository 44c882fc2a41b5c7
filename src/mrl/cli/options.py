"""The options of every command, each declared once: a dataclass per command, whose docstring is its help text.

A dataclass checks what its fields say together and raises a ``ValueError``, which the terminal shows as wrong usage.
Annotations are not deferred here (``from __future__ import annotations``): typer reads them.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

WRITTEN = (".csv", ".tsv", ".smi", ".parquet", ".arrow")  # what mrl.corpus.write_table writes
PART_NAMES = ("train", "valid", "test")
TABLE = "of molecules: .csv, .tsv, .smi, .parquet ..., also compressed."


class VocabKind(StrEnum):
    """Kinds of vocabularies that can be learned."""

    SMILES = "smiles"
    REGEX = "regex"
    CHARACTER = "character"
    SELFIES = "selfies"
    AMINO_ACID = "amino-acid"
    NUCLEOTIDE = "nucleotide"
    KMER = "kmer"


class OnUnknown(StrEnum):
    """What ``mrl encode`` does with tokens that are not in the vocabulary."""

    RAISE = "raise"
    UNK = "unk"


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


class TaskKind(StrEnum):
    """What the labels of ``mrl fit`` are."""

    AUTO = "auto"
    REGRESSION = "regression"
    CLASSIFICATION = "classification"


def _argument(name: str, help: str, default: str | None = None) -> Any:
    return Argument(metavar=name, help=help, show_default=default or False)


def _out(help: str) -> Any:
    return Option("--out", "-o", help=help)


def _number(help: str, *names: str, least: int = 1, default: str | None = None) -> Any:
    return Option(*names, metavar="N", help=help, min=least, show_default=default or True)


File = Annotated[Path, _argument("FILE", f"Table {TABLE}")]
SmilesColumn = Annotated[
    str | None, Option(help="Column with the SMILES.", show_default="the one called smiles or similar")
]
VocabFile = Annotated[Path, _argument("VOCAB", "Vocabulary file, written by mrl vocab learn.")]
MaxLength = Annotated[int, _number("Most tokens of a molecule.", least=3)]
Steps = Annotated[int, _number("Training steps, of 64 molecules each.")]
Seed = Annotated[int, _number("The same seed, machine and versions give the same result.", least=0)]
RejectsFile = Annotated[Path | None, Option(help="CSV file for the rows that are left out: row, text, stage, reason.")]
Force = Annotated[bool, Option("--force", help="Replace a model that is there already.")]
Json = Annotated[bool, Option("--json", help="Print the result as JSON.")]


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Train a language model on molecules, sample, screen, fine-tune, report.

    Writes vocab.json, two models, samples.csv and report.html into a folder; takes about 3 minutes on two CPU cores.
    """

    file: Annotated[Path | None, _argument("FILE", f"Table {TABLE}", "the bundled sample")] = None
    property: Annotated[
        str, Option("--property", "-p", help="What to fine-tune towards: qed, logp, tpsa, molwt, sa_score ...")
    ] = "qed"
    seed: Seed = 0
    out: Annotated[Path, _out("Folder for the results.")] = Path("mrl-demo")
    smiles_column: SmilesColumn = None
    steps: Steps = 3000
    samples: Annotated[int, _number("Number of samples.", "--samples", "-n")] = 1000
    rounds: Annotated[int, _number("Rounds of fine-tuning.", least=0)] = 5
    json: Json = False


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Train a language model on a file of molecules."""

    file: File
    out: Annotated[Path, _out("Folder for vocab.json and model.safetensors.")]
    smiles_column: SmilesColumn = None
    steps: Steps = 3000
    lr: Annotated[float, Option(help="Highest learning rate of the cycle.")] = 1.2e-2
    hidden: Annotated[int, _number("Size of an LSTM layer.")] = 256
    max_length: MaxLength = 128
    seed: Seed = 0
    json: Json = False

    def __post_init__(self) -> None:
        _require_positive("--lr", self.lr)


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """Sample molecules from a trained model.

    Prints one canonical SMILES a line; invalid samples are left out and counted.
    """

    model: Annotated[Path, _argument("MODEL", "Folder written by mrl train or mrl demo, or its .safetensors file.")]
    n: Annotated[int, _number("Number of samples.", "-n")] = 1000
    out: Annotated[Path | None, _out("CSV file for all samples, valid or not, with reasons.")] = None
    temperature: Annotated[float, Option(help="Above 1 more varied, below 1 more typical.")] = 1.0
    max_length: MaxLength = 128
    seed: Seed = 0
    json: Json = False

    def __post_init__(self) -> None:
        _require_positive("--temperature", self.temperature)
        if self.out is not None:
            _require_suffix(self.out, ".csv")


@dataclass(frozen=True, kw_only=True)
class InspectOptions:
    """Show what is in a file of molecules, or in a vocabulary.

    Molecules: rows, invalid ones, duplicates, lengths, elements, and which tokens a vocabulary lacks.
    A vocabulary: kind, engine, rules, tokens, fingerprint.

    Exits with 1 if some rows are not molecules, or have tokens that are not in the vocabulary given by --vocab.
    """

    file: Annotated[Path, _argument("FILE", f"Vocabulary file, or table {TABLE}")]
    smiles_column: SmilesColumn = None
    vocab: Annotated[
        Path | None, Option(help="Vocabulary to compare the molecules with.", show_default="single characters")
    ] = None
    rejects: Annotated[
        Path | None, Option(help="CSV file for all rows that are not molecules: row, text, stage, reason.")
    ] = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class CleanOptions:
    """Clean a file of molecules: keep the rows that are molecules and pass the steps, with their other columns.

    Steps: canonical, largest-fragment, uncharge ...; those that mrl.chem has, in the order given. A CXSMILES tail is a
    part of the molecule: without the step strip-tail, and a preset other than none, such rows are left out.

    Every row is written or left out with a reason; exits with 1 if none is written.
    """

    file: File
    out: Annotated[Path, _out(f"The file to write: {', '.join(WRITTEN)}.")]
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
            help="Merge rows of the same molecule; its label: first, mean, median, or drop where they conflict.",
            show_default="keep them all",
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        Option(metavar="COLUMN", help="One column of labels for --duplicates; repeat the option for several."),
    ] = None
    smiles_column: SmilesColumn = None
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_suffix(self.out, *WRITTEN)
        _require_rejects_file(self.rejects)
        if self.preset is not None and self.step:
            raise ValueError("--preset and --step are given; a preset is a list of steps: give one of the two")
        if self.target and self.duplicates is None:
            raise ValueError("--target has the labels that --duplicates merges: give --duplicates, or leave it out")
        if self.duplicates in (Rule.MEAN, Rule.MEDIAN) and not self.target:
            raise ValueError(f"--duplicates {self.duplicates} needs labels: name their column with --target")


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """Split a file of molecules into train, valid and test, files of the same kind in a folder.

    Rows stay as they are, with all columns; those that are not molecules are left out. Exits with 1, and writes no
    part, if one of them would be empty.
    """

    file: File
    out: Annotated[Path, _out("Folder for train, valid and test.")]
    by: Annotated[
        str,
        Option(
            metavar="RULE",
            help="What stays together: scaffold, cluster (similar molecules), random (nothing), or a column with "
            "equal values; a column of the words train, valid and test names the parts.",
        ),
    ] = "scaffold"
    sizes: Annotated[str, Option(help="Two or three fractions that add up to 1: train, valid, test.")] = "0.8,0.1,0.1"
    seed: Seed = 0
    stratify: Annotated[
        str | None, Option(metavar="COLUMN", help="Column of classes that each part gets in equal proportions.")
    ] = None
    smiles_column: SmilesColumn = None
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_rejects_file(self.rejects)
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
        return tuple(float(size) for size in self.sizes.split(","))


@dataclass(frozen=True, kw_only=True)
class FeaturizeOptions:
    """Compute a fingerprint or descriptors for each molecule of a file.

    .npz has the arrays values (n, D), names (D), rows (their numbers in the file) and smiles; .parquet has all columns
    of the file, and one for each number.

    A molecule without a vector of finite numbers is left out, with the reason; exits with 1 if none is left.
    """

    file: File
    out: Annotated[Path, _out("The .npz or .parquet file to write.")]
    fingerprint: Annotated[
        FingerprintKind | None,
        Option(metavar="KIND", help=f"{', '.join(FingerprintKind)} of 2048 bits.".capitalize(), show_default="ecfp6"),
    ] = None
    descriptors: Annotated[
        str | None, Option(metavar="LIST", help="Descriptors of mrl and RDKit instead: qed,TPSA or similar; or all.")
    ] = None
    n_jobs: Annotated[int, _number("Number of processes.")] = 1
    smiles_column: SmilesColumn = None
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_suffix(self.out, ".npz", ".parquet")
        _require_rejects_file(self.rejects)
        if self.fingerprint is not None and self.descriptors is not None:
            raise ValueError("--fingerprint and --descriptors are given: give one of the two")


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Compute the metrics of MOSES and GuacaMol for a file of generated molecules.

    Every row of the file is a sample, those that cannot be read are invalid ones.
    """

    samples: Annotated[Path, _argument("SAMPLES", f"Table {TABLE}")]
    reference: Annotated[Path | None, Option(help="Table of molecules that the samples should resemble.")] = None
    train: Annotated[Path | None, Option(help="Table of molecules that the model was trained on.")] = None
    seed: Seed = 0
    smiles_column: SmilesColumn = None
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """Train a model that predicts properties of molecules from measured ones, and cross-validate it.

    Writes property_model.safetensors and report.html into a folder. Rows that are not molecules, or have no label, are
    left out. A column of which all labels are 0 and 1 is a class; other labels are numbers.
    """

    file: File
    target: Annotated[
        list[str], Option(metavar="COLUMN", help="Column of labels; repeat the option for several.", show_default=False)
    ]
    out: Annotated[Path, _out("Folder for the model and its report.")]
    split: Annotated[
        str,
        Option(
            metavar="RULE",
            help="What stays in one fold: scaffold, cluster (similar molecules), random (equal molecules), or a column "
            "with equal values.",
        ),
    ] = "scaffold"
    task: Annotated[TaskKind, Option(metavar="KIND", help=f"{', '.join(TaskKind)}.")] = TaskKind.AUTO
    folds: Annotated[int, _number("Folds of the cross-validation.", least=2)] = 5
    members: Annotated[int, _number("Networks for each fold; the model has all of them.")] = 2
    epochs: Annotated[int, _number("Passes over the training rows.")] = 30
    n_jobs: Annotated[int, _number("Number of processes, on which the result does not depend.")] = 1
    seed: Seed = 0
    smiles_column: SmilesColumn = None
    force: Force = False
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Predict properties of the molecules of a file.

    Writes all columns of the file and, for each target Y, the columns "Y predicted" (of a class: the probability of 1)
    and "Y uncertainty" (the spread of the networks), and "similarity" to the nearest molecule trained on.

    A row that is not a molecule has blank cells; exits with 1 if there is no prediction at all.
    """

    model: Annotated[Path, _argument("MODEL", "Folder written by mrl fit, or its .safetensors file.")]
    file: File
    out: Annotated[Path, _out("The file to write: .csv, .tsv, .parquet, .arrow.")]
    n_jobs: Annotated[int, _number("Number of processes, on which the result does not depend.")] = 1
    smiles_column: SmilesColumn = None
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_suffix(self.out, *(suffix for suffix in WRITTEN if suffix != ".smi"))
        _require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    """Draw molecules of a file on a page, each with its row and its columns."""

    file: File
    out: Annotated[Path, _out("The .html or .svg file to write.")]
    n: Annotated[int, _number("Most drawings.", "-n")] = 100
    label: Annotated[
        list[str] | None, Option(metavar="COLUMN", help="Write this column below; repeat the option for several.")
    ] = None
    seed: Annotated[int | None, _number("Choose rows at random.", least=0, default="the first ones")] = None
    smiles_column: SmilesColumn = None
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_suffix(self.out, ".html", ".svg")
        _require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """Turn a file of molecules into token ids: NumPy arrays in one .npz file.

    values and offsets: the ids of all rows, and where those of each row begin.
    rows: the number of each row in the file; rows that cannot be read are left out.
    n_tokens and fingerprint: which vocabulary the ids belong to, for vocab.accepts.

    Read back: a = numpy.load("ids.npz"); ids = Ragged(a["values"], a["offsets"])
    """

    vocab: VocabFile
    file: File
    out: Annotated[Path, _out("The .npz file to write.")]
    smiles_column: SmilesColumn = None
    on_unknown: Annotated[OnUnknown, Option(help="If a token is not in the vocabulary: stop, or write the id 3.")] = (
        OnUnknown.RAISE
    )
    json: Json = False

    def __post_init__(self) -> None:
        _require_suffix(self.out, ".npz")


@dataclass(frozen=True, kw_only=True)
class LearnOptions:
    """Learn a vocabulary from files of molecules; the most frequent tokens come first.

    The same rows give the same vocabulary, byte for byte, in any order and any number of files.
    """

    files: Annotated[list[Path], _argument("FILES", f"Tables {TABLE}")]
    out: Annotated[Path, _out("The .json file to write.")]
    kind: Annotated[
        VocabKind, Option(metavar="KIND", help=f"{', '.join(VocabKind)}. In a smiles vocabulary no token is unknown.")
    ] = VocabKind.SMILES
    pattern: Annotated[str | None, Option(help="For --kind regex: what a token is.", show_default="SMILES_PATTERN")] = (
        None
    )
    k: Annotated[int | None, _number("For --kind kmer: letters of a word.", "-k", default="3")] = None
    min_count: Annotated[int | None, _number("Leave out rarer tokens.", default="2 for smiles, else 1")] = None
    max_size: Annotated[int | None, _number("Most tokens, special ones included.")] = None
    smiles_column: SmilesColumn = None
    json: Json = False

    def __post_init__(self) -> None:
        _require_suffix(self.out, ".json")
        if self.pattern is not None and self.kind != VocabKind.REGEX:
            raise ValueError(f"--pattern belongs to --kind regex, but the kind is {self.kind}: leave out --pattern")
        if self.k is not None and self.kind != VocabKind.KMER:
            raise ValueError(f"-k belongs to --kind kmer, but the kind is {self.kind}: leave out -k")


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Encode and decode every row of a file, and show those that do not come back exactly.

    Exits with 1 if there are any, or if rows could not be read.
    """

    vocab: VocabFile
    file: File
    smiles_column: SmilesColumn = None
    json: Json = False


@dataclass(frozen=True, kw_only=True)
class CacheOptions:
    """The folder of features that ``mrl cache show`` and ``mrl cache clear`` take."""

    folder: Annotated[
        Path | None, _argument("FOLDER", "Folder that was passed as cache=.", "$XDG_CACHE_HOME/mrl/features")
    ] = None
    json: Json = False


def _require_positive(option: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{option} is {value}; expected a positive number")


def _require_suffix(path: Path, *suffixes: str, option: str = "--out") -> None:
    if path.is_dir() or path.suffix.lower() not in suffixes:
        known = " or ".join([", ".join(suffixes[:-1]), suffixes[-1]] if len(suffixes) > 1 else suffixes)
        raise ValueError(f"{option} is {path}; expected the name of a file that ends in {known}")


def _require_rejects_file(path: Path | None) -> None:
    if path is not None:
        _require_suffix(path, ".csv", option="--rejects")
