"""The command ``mrl``: names of commands, their options, and the functions that do the work.

A function is imported when its command runs, so that ``mrl --help`` loads none of torch, RDKit, pyarrow and Numba.
"""

from __future__ import annotations

import functools
import importlib
from typing import Annotated, Any

import typer

from mrl import __version__
from mrl.cli import options
from mrl.cli.console import USAGE, reported, stop

SETTINGS = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    help="The data layer for machine learning on molecules: never changes a molecule silently.",
    epilog="Exit status: 0 fine, 1 a problem in the data was found, 2 usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


def _print_version(is_given: bool) -> None:
    if is_given:
        typer.echo(__version__)
        raise typer.Exit


VERSION = typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")


@app.callback()
def _root(version: Annotated[bool, VERSION] = False) -> None:
    pass


def _group(name: str, help: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, context_settings=SETTINGS)
    app.add_typer(group, name=name, help=help)
    return group


def _add(group: typer.Typer, name: str, fields: type[Any], function: str, help: str | None = None) -> None:
    """Add a command that takes the fields of a dataclass of options; `function` is "module:name" in `commands`."""

    @functools.wraps(fields, updated=())  # typer reads parameters and help text from the dataclass
    def command(**values: Any) -> None:
        with reported():
            try:
                chosen = fields(**values)
            except ValueError as error:
                stop(str(error), USAGE)
            module, _, attribute = function.partition(":")
            getattr(importlib.import_module(f"mrl.cli.commands.{module}"), attribute)(chosen)

    group.command(name, help=help)(command)


_add(app, "demo", options.DemoOptions, "models.demo:run")
_add(app, "train", options.TrainOptions, "models.train:run")
_add(app, "sample", options.SampleOptions, "models.sample:run")
_add(app, "improve", options.ImproveOptions, "models.improve:run")
_add(app, "inspect", options.InspectOptions, "inspect:run")
_add(app, "report", options.ReportOptions, "report:run")
_add(app, "clean", options.CleanOptions, "clean:run")
_add(app, "split", options.SplitOptions, "split:run")
_add(app, "featurize", options.FeaturizeOptions, "featurize:run")
_add(app, "evaluate", options.EvaluateOptions, "evaluate:run")
_add(app, "fit", options.FitOptions, "models.fit:run")
_add(app, "predict", options.PredictOptions, "models.predict:run")
_add(app, "show", options.ShowOptions, "show:run")
_add(app, "prepare", options.PrepareOptions, "corpora:prepare")
_add(app, "verify", options.VerifyOptions, "corpora:verify")
_add(app, "export", options.ExportOptions, "corpora:export")
_add(app, "encode", options.EncodeOptions, "encode:run")
vocab = _group("vocab", "Learn a vocabulary from files; check files against one.")
_add(vocab, "learn", options.LearnOptions, "vocab:learn")
_add(vocab, "check", options.CheckOptions, "vocab:check")
cache = _group("cache", "Show or clear a folder of computed features.")
_add(cache, "show", options.CacheOptions, "cache:show", "Show molecules and size for each featurizer.")
_add(cache, "clear", options.CacheOptions, "cache:clear", "Remove all features from the folder, and nothing else.")
