"""How other tokenizers change molecules, compared with mrl.

    python benchmarks/peers.py

Encodes and decodes a few texts with each installed peer (``pip install '.[bench]'``) and prints the table of
docs/tokenizing.md. Exits with 1 if mrl changes a text, or if the page lacks a row of this table.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from mrl.errors import UnknownTokenError
from mrl.text import SMILE_REGEX, SelfiesVocab, SmilesVocab, Vocab

PAGE = Path(__file__).resolve().parent.parent / "docs" / "tokenizing.md"
TRAINING = ["CCO", "c1ccccc1", "CC(=O)N", "C[NH3+]", "N-[Pt]", "N#Cc1ccccc1Cl"]


class Peer(NamedTuple):
    """Another tokenizer: its package, a function that makes its round trip, texts to try, and the vocabulary of mrl."""

    name: str
    package: str | None
    made: Callable[[], Callable[[str], str]]
    texts: list[str]
    ours: Vocab


def findall() -> Callable[[str], str]:
    """Return the round trip through the usual regular expression, as most code applies it."""
    pattern = re.compile(SMILE_REGEX)
    return lambda text: "".join(pattern.findall(text))


def word_level() -> Callable[[str], str]:
    """HuggingFace: tokens by the usual regular expression; those of the training data are known."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(SMILE_REGEX), "removed", invert=True)
    tokenizer.decoder = decoders.Fuse()
    tokenizer.train_from_iterator(TRAINING, trainers.WordLevelTrainer(special_tokens=["[UNK]"], show_progress=False))
    return lambda text: tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False)


def byte_pairs() -> Callable[[str], str]:
    """HuggingFace: byte-pair encoding of the characters of the training data; no unknown token by default."""
    from tokenizers import Tokenizer, decoders, models, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.decoder = decoders.Fuse()
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(show_progress=False))
    return lambda text: tokenizer.decode(tokenizer.encode(text).ids)


def smirk() -> Callable[[str], str]:
    """smirk: its own closed vocabulary of parts of atoms."""
    from smirk import SmirkTokenizerFast

    tokenizer = SmirkTokenizerFast()
    return lambda text: tokenizer.decode(tokenizer(text)["input_ids"])


def split_selfies() -> Callable[[str], str]:
    """selfies: its own function that splits SELFIES into symbols."""
    import selfies

    return lambda text: "".join(selfies.split_selfies(text))


def through_selfies() -> Callable[[str], str]:
    """selfies: SMILES to SELFIES and back."""
    import selfies

    return lambda text: selfies.decoder(selfies.encoder(text))


SMILES, SELFIES = SmilesVocab(), SelfiesVocab()
PEERS = [
    Peer("regex and `findall`", None, findall, ["CAlC", "C%(123)C", "N<-[Pt]", "[C", "C−C"], SMILES),
    Peer("tokenizers, WordLevel", "tokenizers", word_level, ["CAlC", "N<-[Pt]", "CC[Si]"], SMILES),
    Peer("tokenizers, BPE", "tokenizers", byte_pairs, ["CC[Si]X", "[Na+].[Cl-]", "C/C=C/F"], SMILES),
    Peer("smirk", "smirk", smirk, ["C~[C]", "[NH3+]->[Pt]", "[Cu++]", "N<-[Pt]", " C ", "C−C", "C😀[C]"], SMILES),
    Peer("selfies, from SMILES", "selfies", through_selfies, ["[CH3:1]C", "[Cu++]"], SMILES),
    Peer("selfies, into symbols", "selfies", split_selfies, ["CCO"], SELFIES),
]


def answer(peer: Callable[[str], str], text: str) -> str:
    """Return what a peer returns, or how it fails."""
    try:
        with quiet():
            return code(peer(text))
    except BaseException as error:  # a panic in Rust is not an Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        words = str(error).split("\n")[0].strip()
        return f"{type(error).__name__}: {words}"


@contextmanager
def quiet() -> Iterator[None]:
    """Discard what compiled code writes to standard error: a panic writes pages."""
    sys.stderr.flush()
    original = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)


def ours(vocab: Vocab, text: str) -> tuple[str, bool]:
    """Return what mrl returns, and whether it is right: the text itself, or an error that says why."""
    try:
        back = vocab.decode(vocab.encode([text], on_unknown="raise"))[0]
    except UnknownTokenError as error:
        return f"{type(error).__name__}: `{error.token}` at position {error.position}", True
    return code(back), back == text


def code(text: str) -> str:
    """Format as code in a Markdown table; a space becomes an open box."""
    shown = text.replace(" ", "␣").replace("|", "\\|")
    return f"`{shown}`" if shown else "nothing"


def main() -> int:
    """Print the table and compare it with the page."""
    page = PAGE.read_text() if PAGE.exists() else ""
    missing = {peer.package for peer in PEERS if peer.package and importlib.util.find_spec(peer.package) is None}
    for package in sorted(missing):
        print(f"{package} is not installed and is left out: pip install '.[bench,selfies]'", file=sys.stderr)
    there = [peer for peer in PEERS if peer.package not in missing]
    versions = {peer.package: importlib.metadata.version(peer.package) for peer in there if peer.package}
    print(", ".join(f"{package} {version}" for package, version in versions.items()))
    print("\n| | text | comes back as | with mrl |\n|---|---|---|---|")
    problems = []
    for peer in there:
        run = peer.made()
        for text in peer.texts:
            back, right = ours(peer.ours, text)
            row = f"| {peer.name} | {code(text)} | {answer(run, text)} | {back} |"
            print(row)
            problems += [] if right else [f"mrl changes {text!r}"]
            problems += [] if row in page else [f"{PAGE.name} lacks the row of {peer.name} and {text!r}"]
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
