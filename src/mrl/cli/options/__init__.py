"""The options of every command, each declared once: a dataclass per command, whose docstring is its help text.

A dataclass checks what its fields say together and raises a ``ValueError``, which the terminal shows as wrong usage.
Annotations are not deferred in these modules (``from __future__ import annotations``): typer reads them.
"""

from mrl.cli.options.corpora import EngineKind, ExportOptions, PrepareOptions, VerifyOptions
from mrl.cli.options.models import (
    DemoOptions,
    FitOptions,
    ImproveOptions,
    LanguageModelKind,
    PredictOptions,
    SampleOptions,
    TaskKind,
    TrainOptions,
)
from mrl.cli.options.shared import WRITTEN, Notation, OnLabel, ReadingOptions, label_numbers
from mrl.cli.options.tables import (
    CacheOptions,
    CleanOptions,
    EvaluateOptions,
    FeaturizeOptions,
    FingerprintKind,
    InspectOptions,
    ReportOptions,
    Rule,
    ShowOptions,
    SplitOptions,
)
from mrl.cli.options.vocabs import CheckOptions, EncodeOptions, LearnOptions, OnUnknown, VocabKind

__all__ = [
    "WRITTEN",
    "CacheOptions",
    "CheckOptions",
    "CleanOptions",
    "DemoOptions",
    "EncodeOptions",
    "EngineKind",
    "EvaluateOptions",
    "ExportOptions",
    "FeaturizeOptions",
    "FingerprintKind",
    "FitOptions",
    "ImproveOptions",
    "InspectOptions",
    "LanguageModelKind",
    "LearnOptions",
    "Notation",
    "OnLabel",
    "OnUnknown",
    "PredictOptions",
    "PrepareOptions",
    "ReadingOptions",
    "ReportOptions",
    "Rule",
    "SampleOptions",
    "ShowOptions",
    "SplitOptions",
    "TaskKind",
    "TrainOptions",
    "VerifyOptions",
    "VocabKind",
    "label_numbers",
]
