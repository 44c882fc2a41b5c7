"""The commands of ``mrl``: their words and options. What they do stands in a file of the same name each.

A command's file is imported when it runs, so that ``mrl --help`` loads none of torch, RDKit, pyarrow and matplotlib.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mrl import __version__

__all__ = ["app"]

app = typer.Typer(
    help="The data layer for machine learning on molecules: never changes a molecule silently.",
    epilog="Exit status: 0 fine, 1 a problem in the data was found, 2 usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
vocabularies = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(vocabularies, name="vocab", help="Learn a vocabulary from files; check files against one.")
caches = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(caches, name="cache", help="Features that were computed and kept in a folder: show them, clear it.")

File = Annotated[Path, typer.Argument(help="A table of molecules: .csv, .tsv, .smi, .parquet ..., also compressed.")]
Column = Annotated[
    str | None, typer.Option("--smiles-column", help="Column of the SMILES; found by its name if not given.")
]
Vocabulary = Annotated[Path, typer.Argument(help="A vocabulary file, as mrl vocab learn writes it.")]
Seed = Annotated[int, typer.Option(help="Same seed, machine and versions: same result.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print the facts as JSON on standard output.")]
Steps = Annotated[int, typer.Option(help="Training steps, of 64 molecules each.", min=1)]
CacheFolder = Annotated[
    Path | None,
    typer.Argument(help="As given to cache=; $XDG_CACHE_HOME/mrl/features if not given.", show_default=False),
]
STEPS = 3000


class Kind(StrEnum):
    """Kinds of vocabularies that can be learned."""

    SMILES = "smiles"
    REGEX = "regex"
    CHARACTER = "character"
    SELFIES = "selfies"
    AMINO_ACID = "amino-acid"
    NUCLEOTIDE = "nucleotide"
    KMER = "kmer"


class OnUnknown(StrEnum):
    """What ``mrl encode`` does with tokens that the vocabulary has not."""

    RAISE = "raise"
    UNK = "unk"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    file: Annotated[
        Path | None, typer.Argument(help="Your molecules (.csv, .smi, ...); the bundled sample if not given.")
    ] = None,
    property: Annotated[
        str, typer.Option("--property", "-p", help="What to fine-tune towards: qed, logp, tpsa, molwt, sa_score ...")
    ] = "qed",
    seed: Seed = 0,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path("mrl-demo"),
    smiles_column: Column = None,
    steps: Steps = STEPS,
    samples: Annotated[int, typer.Option("-n", "--samples", help="Molecules to sample.", min=1)] = 1000,
    rounds: Annotated[int, typer.Option(help="Rounds of fine-tuning.", min=0)] = 5,
    json: Json = False,
) -> None:
    """The main job: train a language model on molecules, sample, screen, fine-tune, report.

    Leaves vocab.json, the models, samples.csv and report.html in a folder; about 3 minutes on two CPU cores.
    """
    from mrl.cli.demo import run

    run(file, property, seed, out, smiles_column, steps, samples, rounds, json)


@app.command()
def train(
    file: File,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for vocab.json and model.safetensors.")],
    smiles_column: Column = None,
    steps: Steps = STEPS,
    lr: Annotated[float, typer.Option(help="Highest learning rate of the cycle.")] = 1.2e-2,
    hidden: Annotated[int, typer.Option(help="Numbers per LSTM layer.", min=1)] = 256,
    max_length: Annotated[int, typer.Option(help="Leave out molecules of more tokens.", min=3)] = 128,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train a language model on a file of molecules."""
    from mrl.cli.train import run

    run(file, out, smiles_column, steps, lr, hidden, max_length, seed, json)


@app.command()
def sample(
    model: Annotated[Path, typer.Argument(help="A folder that mrl train or mrl demo left, or its .safetensors file.")],
    n: Annotated[int, typer.Option("-n", help="How many texts to sample.", min=1)] = 1000,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A .csv with every text, valid or not, and why.")
    ] = None,
    temperature: Annotated[float, typer.Option(help="Above 1 more varied, below 1 more typical.")] = 1.0,
    max_length: Annotated[int, typer.Option(help="Cut after so many tokens.", min=3)] = 128,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Sample molecules from a trained model: one canonical SMILES a line, invalid texts left out and counted."""
    from mrl.cli.sample import run

    run(model, n, out, temperature, max_length, seed, json)


@app.command()
def inspect(
    file: Annotated[
        Path, typer.Argument(help="A table of molecules (.csv, .smi, .parquet ...), or a vocabulary file.")
    ],
    smiles_column: Column = None,
    vocab: Annotated[Path | None, typer.Option("--vocab", help="A vocab.json whose coverage is to be told.")] = None,
    json: Json = False,
) -> None:
    """Look at a file of molecules, or at a vocabulary.

    Molecules: rows, invalid ones, duplicates, lengths, elements, coverage.
    A vocabulary: kind, engine, rules, tokens, fingerprint.

    Exits with 1 if some rows are no molecules or the vocabulary does not cover all.
    """
    from mrl.cli.inspect import run

    run(file, smiles_column, vocab, json)


@app.command(epilog='Read back: a = numpy.load("ids.npz"); ids = Ragged(a["values"], a["offsets"])')
def encode(
    vocab: Vocabulary,
    file: File,
    out: Annotated[Path, typer.Option("--out", "-o", help="The .npz file to be written.")],
    smiles_column: Column = None,
    on_unknown: Annotated[
        OnUnknown, typer.Option("--on-unknown", help="Tokens that are not known: stop, or write the id 3.")
    ] = OnUnknown.RAISE,
    json: Json = False,
) -> None:
    """Turn a file of molecules into token ids: NumPy arrays in one .npz file.

    values and offsets: the ids of all rows, and where those of each begin.
    rows: the number of each row in the file; what cannot be read is left out.
    n_tokens and fingerprint: whose ids they are, for vocab.accepts.
    """
    from mrl.cli.encode import run

    run(vocab, file, out, smiles_column, on_unknown, json)


@vocabularies.command()
def learn(
    files: Annotated[
        list[Path], typer.Argument(help="Tables of molecules: .csv, .tsv, .smi, .parquet ..., also compressed.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .json file to be written.")],
    kind: Annotated[
        Kind,
        typer.Option(
            metavar="KIND", help=f"Where tokens end: {', '.join(Kind)}. In a smiles vocabulary nothing is unknown."
        ),
    ] = Kind.SMILES,
    pattern: Annotated[
        str | None,
        typer.Option(help="For --kind regex: what a token is; SMILES_PATTERN if not given.", show_default=False),
    ] = None,
    k: Annotated[
        int | None, typer.Option("-k", help="For --kind kmer: letters of a word; 3 if not given.", min=1)
    ] = None,
    min_count: Annotated[
        int | None, typer.Option(help="Leave out rarer tokens; if not given, 2 for smiles, else 1.", min=1)
    ] = None,
    max_size: Annotated[int | None, typer.Option(help="Have at most so many tokens, the specials included.")] = None,
    smiles_column: Column = None,
    json: Json = False,
) -> None:
    """Learn a vocabulary from files of molecules; the most frequent tokens come first.

    The same rows give the same vocabulary, byte for byte, in whatever order or files they come.
    """
    from mrl.cli.vocab import learn

    learn(files, out, kind, pattern, k, min_count, max_size, smiles_column, json)


@vocabularies.command()
def check(vocab: Vocabulary, file: File, smiles_column: Column = None, json: Json = False) -> None:
    """Is any molecule changed? Encode and decode every row, and name those that do not come back exactly.

    Exits with 1 if there are some, or if rows could not be read.
    """
    from mrl.cli.vocab import check

    check(vocab, file, smiles_column, json)


@caches.command("show")
def cache_show(folder: CacheFolder = None, json: Json = False) -> None:
    """Say what a folder of features holds: molecules and size for each featurizer."""
    from mrl.cli.cache import show

    show(folder, json)


@caches.command("clear")
def cache_clear(folder: CacheFolder = None) -> None:
    """Remove all features from a folder, and nothing else; they are computed again when they are asked for."""
    from mrl.cli.cache import clear

    clear(folder)
