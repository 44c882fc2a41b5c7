"""The options of commands about models."""

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option

from mrl.arguments import require_positive
from mrl.cli.options.shared import (
    TABLE,
    WRITTEN,
    File,
    Force,
    Json,
    LabelRule,
    MaxLength,
    OnLabel,
    Processes,
    ReadingOptions,
    RejectsFile,
    Seed,
    Steps,
    argument,
    number,
    out_option,
    require_rejects_file,
    require_suffix,
)


class TaskKind(StrEnum):
    """What the labels of ``mrl fit`` are."""

    AUTO = "auto"
    REGRESSION = "regression"
    CLASSIFICATION = "classification"


class LanguageModelKind(StrEnum):
    """Models of ``mrl train``."""

    LSTM = "lstm"
    TRANSFORMER = "transformer"


@dataclass(frozen=True, kw_only=True)
class DemoOptions(ReadingOptions):
    """Train a language model on molecules, sample, screen, fine-tune, report.

    Writes vocab.json, two models, samples.csv and report.html into a folder; takes about 3 minutes on two CPU cores.
    """

    file: Annotated[Path | None, argument("FILE", f"Table {TABLE}", "the bundled sample")] = None
    property: Annotated[
        str, Option("--property", "-p", help="What to fine-tune towards: qed, logp, tpsa, molwt, sa_score ...")
    ] = "qed"
    minimize: Annotated[
        bool | None,
        Option(
            "--minimize/--maximize",
            help="Towards lower values, or higher ones.",
            show_default="minimize for sa_score, for which high is hard to make; otherwise maximize",
        ),
    ] = None
    target: Annotated[float | None, Option(metavar="VALUE", help="Towards this value instead.")] = None
    seed: Seed = 0
    out: Annotated[Path, out_option("Folder for the results.")] = Path("mrl-demo")
    steps: Steps = 3000
    samples: Annotated[int, number("Number of samples.", "--samples", "-n", most=10**8)] = 1000
    rounds: Annotated[int, number("Rounds of fine-tuning.", least=0, most=10**6)] = 5
    lr: Annotated[float, Option(help="Highest learning rate of the training.")] = 1.2e-2
    max_length: MaxLength = 128
    force: Force = False
    json: Json = False

    def __post_init__(self) -> None:
        require_positive("--lr", self.lr)
        if self.target is not None and self.minimize is not None:
            raise ValueError("--target and --minimize or --maximize are given: give one of them")
        if self.target is not None and not math.isfinite(self.target):
            raise ValueError(f"--target is {self.target}; expected a number")


@dataclass(frozen=True, kw_only=True)
class TrainOptions(ReadingOptions):
    """Train a language model on a file of molecules, or of sequences (--notation protein, for example).

    Killed and started again with the same words, it goes on from checkpoint.safetensors in the folder.
    """

    file: File
    out: Annotated[Path, out_option("Folder for vocab.json and model.safetensors.")]
    steps: Steps = 3000
    model: Annotated[
        LanguageModelKind, Option(metavar="KIND", help=f"Kind of network: {', '.join(LanguageModelKind)}.")
    ] = LanguageModelKind.LSTM
    lr: Annotated[
        float | None,
        Option(help="Highest learning rate of the cycle.", show_default="0.012 for lstm, 0.002 for transformer"),
    ] = None
    hidden: Annotated[
        int | None, number("Size of a layer.", most=65_536, default="256 for lstm, 192 for transformer")
    ] = None
    max_length: MaxLength = 128
    seed: Seed = 0
    force: Force = False
    json: Json = False

    def __post_init__(self) -> None:
        if self.lr is not None:
            require_positive("--lr", self.lr)


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """Sample molecules from a trained model.

    Prints one canonical SMILES a line; invalid samples, and those cut at the length limit, are left out and counted.
    """

    model: Annotated[Path, argument("MODEL", "Folder written by mrl train or mrl demo, or its .safetensors file.")]
    n: Annotated[int, number("Number of samples.", "-n", most=10**8)] = 1000
    out: Annotated[
        Path | None,
        out_option("File for all samples with reasons (.csv, .tsv, .parquet, .arrow), or for the valid ones (.smi)."),
    ] = None
    prompt: Annotated[str | None, Option(metavar="TEXT", help="How every molecule begins, as SMILES.")] = None
    temperature: Annotated[float, Option(help="Above 1 more varied, below 1 more typical.")] = 1.0
    top_k: Annotated[int | None, number("Draw among the N most likely tokens only.", default="all")] = None
    top_p: Annotated[
        float | None,
        Option(metavar="SHARE", help="Draw among the likely tokens of this total probability.", show_default="1"),
    ] = None
    max_length: Annotated[
        int | None,
        number(
            "Most tokens of a molecule, bos and eos included.", least=3, most=100_000, default="that of the training"
        ),
    ] = None
    seed: Seed = 0
    json: Json = False

    def __post_init__(self) -> None:
        require_positive("--temperature", self.temperature)
        if self.out is not None:
            require_suffix(self.out, *WRITTEN)
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"--top-p is {self.top_p}; expected a share above 0 and at most 1")


@dataclass(frozen=True, kw_only=True)
class FitOptions(ReadingOptions):
    """Train a model that predicts properties of molecules from measured ones, and cross-validate it.

    Writes property_model.safetensors and report.html into a folder. Rows that are not molecules, or have no label, are
    left out. A column of which all labels are 0 and 1 is a class; other labels are numbers, some may be censored (>10).
    """

    file: File
    target: Annotated[
        list[str], Option(metavar="COLUMN", help="Column of labels; repeat the option for several.", show_default=False)
    ]
    out: Annotated[Path, out_option("Folder for the model and its report.")]
    on_label: LabelRule = OnLabel.RAISE
    split: Annotated[
        str,
        Option(
            metavar="RULE",
            help="What stays in one fold: scaffold, cluster (similar molecules), random (equal molecules), or a column "
            "with equal values.",
        ),
    ] = "scaffold"
    task: Annotated[TaskKind, Option(metavar="KIND", help=f"{', '.join(TaskKind)}.")] = TaskKind.AUTO
    folds: Annotated[int, number("Folds of the cross-validation.", least=2, most=1000)] = 5
    members: Annotated[int, number("Networks for each fold; the model has all of them.", most=1000)] = 2
    epochs: Annotated[int, number("Passes over the training rows.", most=10**6)] = 30
    n_jobs: Processes = 1
    seed: Seed = 0
    force: Force = False
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class PredictOptions(ReadingOptions):
    """Predict properties of the molecules of a file.

    Writes all columns of the file and, for each target Y, the columns "Y predicted" (of a class: the probability of 1)
    and "Y uncertainty" (how large the error may well be), and "similarity" to the nearest molecule trained on.

    A row that is not a molecule has blank cells; exits with 1 if there is no prediction at all.
    """

    model: Annotated[Path, argument("MODEL", "Folder written by mrl fit, or its .safetensors file.")]
    file: File
    out: Annotated[Path, out_option("The file to write: .csv, .tsv, .parquet, .arrow.")]
    n_jobs: Processes = 1
    rejects: RejectsFile = None
    json: Json = False

    def __post_init__(self) -> None:
        require_suffix(self.out, *(suffix for suffix in WRITTEN if suffix != ".smi"))
        require_rejects_file(self.rejects)


@dataclass(frozen=True, kw_only=True)
class ImproveOptions(ReadingOptions):
    """Search molecules with a high score, within a budget of calls of the score.

    Writes molecules.csv, report.html, the model that learned and the state of the search into a folder. The same
    command goes on with a search that was interrupted, and a larger --budget with one that is done.
    """

    model: Annotated[Path, argument("MODEL", "Folder written by mrl train, or its .safetensors file.")]
    score: Annotated[Path, Option(metavar="FILE", help="The score: a .toml or .json file.", show_default=False)]
    out: Annotated[Path, out_option("Folder for the results.")]
    budget: Annotated[int, number("The most molecules to score.", most=10**9)] = 10000
    batch: Annotated[int, number("Molecules to score per round, at most the budget.")] = 20
    start: Annotated[Path | None, Option(metavar="FILE", help="Table of molecules to score first.")] = None
    known: Annotated[Path | None, Option(metavar="FILE", help="Table of molecules to mark in the results.")] = None
    scaffold_limit: Annotated[
        int | None, number("Good molecules after which a scaffold is used up.", most=10**9, default="no limit")
    ] = None
    seed: Seed = 0
    force: Annotated[bool, Option("--force", help="Start again, even if there is a search in the folder.")] = False
    json: Json = False
