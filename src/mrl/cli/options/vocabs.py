"""The options of commands about vocabularies."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option

from mrl.cli.options.shared import (
    TABLE,
    File,
    Json,
    ReadingOptions,
    VocabFile,
    argument,
    number,
    out_option,
    require_suffix,
)


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


@dataclass(frozen=True, kw_only=True)
class EncodeOptions(ReadingOptions):
    """Turn a file of molecules into token ids: NumPy arrays in one .npz file.

    values and offsets: the ids of all rows, and where those of each row begin.
    rows: the number of each row in the file; rows that cannot be read are left out.
    n_tokens and fingerprint: which vocabulary the ids belong to, for vocab.accepts.

    Read back: a = numpy.load("ids.npz"); ids = Ragged(a["values"], a["offsets"])
    """

    parses_molecules = False

    vocab: VocabFile
    file: File
    out: Annotated[Path, out_option("The .npz file to write.")]
    on_unknown: Annotated[OnUnknown, Option(help="If a token is not in the vocabulary: stop, or write the id 3.")] = (
        OnUnknown.RAISE
    )
    json: Json = False

    def __post_init__(self) -> None:
        require_suffix(self.out, ".npz")


@dataclass(frozen=True, kw_only=True)
class LearnOptions(ReadingOptions):
    """Learn a vocabulary from files of molecules; the most frequent tokens come first.

    The same rows give the same vocabulary, byte for byte, in any order and any number of files.
    """

    parses_molecules = False

    files: Annotated[list[Path], argument("FILES", f"Tables {TABLE}")]
    out: Annotated[Path, out_option("The .json file to write.")]
    kind: Annotated[
        VocabKind, Option(metavar="KIND", help=f"{', '.join(VocabKind)}. In a smiles vocabulary no token is unknown.")
    ] = VocabKind.SMILES
    pattern: Annotated[str | None, Option(help="For --kind regex: what a token is.", show_default="SMILES_PATTERN")] = (
        None
    )
    k: Annotated[int | None, number("For --kind kmer: letters of a word.", "-k", default="3")] = None
    stride: Annotated[
        int | None, number("For --kind kmer: from one word to the next; fewer than -k: words overlap.", default="-k")
    ] = None
    min_count: Annotated[int | None, number("Leave out rarer tokens.", default="2 for smiles, else 1")] = None
    max_size: Annotated[int | None, number("Most tokens, special ones included.")] = None
    merges: Annotated[int | None, number("Tokens of several pieces to learn besides.", default="none")] = None
    control: Annotated[
        list[str] | None,
        Option(
            metavar="NAME",
            help="Name of a token that no text can spell, such as mask; repeat the option for each.",
            show_default="none",
        ),
    ] = None
    json: Json = False

    def __post_init__(self) -> None:
        require_suffix(self.out, ".json")
        if self.pattern is not None and self.kind != VocabKind.REGEX:
            raise ValueError(f"--pattern belongs to --kind regex, but the kind is {self.kind}: leave out --pattern")
        if self.k is not None and self.kind != VocabKind.KMER:
            raise ValueError(f"-k belongs to --kind kmer, but the kind is {self.kind}: leave out -k")
        if self.stride is not None and self.kind != VocabKind.KMER:
            raise ValueError(f"--stride belongs to --kind kmer, but the kind is {self.kind}: leave out --stride")


@dataclass(frozen=True, kw_only=True)
class CheckOptions(ReadingOptions):
    """Encode and decode every row of a file, and show those that do not come back exactly.

    Exits with 1 if there are any, or if rows could not be read.
    """

    parses_molecules = False

    vocab: VocabFile
    file: File
    json: Json = False
