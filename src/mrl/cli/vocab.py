"""``mrl vocab``: learn a vocabulary, check a file against one; and what ``mrl inspect`` says of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table as Grid
from rich.text import Text as Plain
from typer import Exit

from mrl.cli.console import DATA, USAGE, note, out, reported, stop, success, write_json
from mrl.cli.tables import blocks, count, read_table
from mrl.corpus import Table
from mrl.errors import RowError, UnknownTokenError
from mrl.ragged import Text
from mrl.text import (
    SMILES_PATTERN,
    SPECIAL_TOKENS,
    UNK,
    AminoAcidVocab,
    CharacterVocab,
    KmerVocab,
    NucleotideVocab,
    RegexVocab,
    SelfiesVocab,
    SmilesVocab,
    Unknown,
    Vocab,
)
from mrl.text.file import FORMAT

__all__ = ["check", "describe", "in_file", "is_vocabulary", "learn", "require_target"]

_SHOWN = 10
_ENDS = 8


def require_target(path: Path, suffix: str) -> None:
    """Refuse, before any work, a path that the result cannot be written to."""
    if path.is_dir() or path.suffix != suffix:
        stop(f"--out is {path}; expected the name of a file, ending in {suffix}", USAGE)


def in_file(error: RowError | UnknownTokenError, file: Path, table: Table, first: int) -> str:
    """The words of an error about a row of the block that begins at `first`, with the row of the file instead."""
    if error.row is None:
        return f"{file}: {error}"
    return f"{file}, row {table.rows[first + error.row]}: {str(error).removeprefix(f'row {error.row}: ')}"


# --- learn -----------------------------------------------------------------------------------------------------------


def learn(
    files: Sequence[Path],
    target: Path,
    kind: str,
    pattern: str | None,
    k: int | None,
    min_count: int | None,
    max_size: int | None,
    smiles_column: str | None,
    json: bool,
) -> None:
    """Count the tokens of all files, make a vocabulary of them, and save it."""
    require_target(target, ".json")
    with reported(USAGE):
        vocab = _empty(kind, pattern, k)
    least = (2 if kind == "smiles" else 1) if min_count is None else min_count
    before = len(vocab)
    if max_size is not None and max_size < before:
        stop(f"--max-size is {max_size}; a vocabulary of the kind {kind} has {before} tokens to begin with", USAGE)
    with reported():
        counts: Counter[str] = Counter()
        rows = not_read = 0
        for file in files:
            table = read_table(file, smiles_column)
            rows, not_read = rows + len(table), not_read + len(table.rejects)
            counts += _counted(vocab, file, table)
        learned = vocab.update_from_counts(counts, min_count=least, max_size=max_size)
        left_out = Counter({token: n for token, n in counts.items() if token not in vocab.stoi})
        vocab.save(target)
        facts = {
            "path": str(target),
            "kind": kind,
            "tokens": len(vocab),
            "learned": learned,
            "left_out": {"tokens": len(left_out), "occurrences": left_out.total()},
            "rows": rows,
            "not_read": not_read,
            "fingerprint": vocab.fingerprint(),
            "engine": vocab.engine,
            "engine_reason": vocab.engine_reason,
        }
        if left_out:
            _tell_left_out(left_out, closed=kind == "smiles")
        success(
            f"saved {count(len(vocab), 'token')} to {target}, {learned:,} of them learned from {count(rows, 'row')}"
        )
        if json:
            write_json(facts)


def _empty(kind: str, pattern: str | None, k: int | None) -> Vocab:
    """A vocabulary of this kind that has learned nothing yet."""
    if pattern is not None and kind != "regex":
        stop(f"--pattern says where tokens of --kind regex end; the kind here is {kind}", USAGE)
    if k is not None and kind != "kmer":
        stop(f"-k is the length of the words of --kind kmer; the kind here is {kind}", USAGE)
    match kind:
        case "smiles":
            return SmilesVocab()
        case "regex":
            return RegexVocab([], SMILES_PATTERN if pattern is None else pattern)
        case "character":
            return CharacterVocab([])
        case "selfies":
            return SelfiesVocab()
        case "amino-acid":
            return AminoAcidVocab()
        case "nucleotide":
            return NucleotideVocab()
    return KmerVocab(3 if k is None else k)


def _counted(vocab: Vocab, file: Path, table: Table) -> Counter[str]:
    counts: Counter[str] = Counter()
    for first, texts in blocks(table.smiles, "counting tokens"):
        try:
            counts += vocab.count_tokens(texts)
        except (RowError, UnknownTokenError) as error:
            stop(in_file(error, file, table, first), DATA)
    return counts


def _tell_left_out(left_out: Counter[str], closed: bool) -> None:
    tokens = sorted(left_out, key=lambda token: (-left_out[token], token))
    examples = ", ".join(f"{token!r} ({left_out[token]:,})" for token in tokens[:5])
    more = f" and {len(tokens) - 5:,} others" if len(tokens) > 5 else ""
    fate = "is cut into its parts" if closed else "becomes 'unk' and is lost; lower --min-count or raise --max-size"
    note(f"  left out, so that each {fate}: {examples}{more}")


# --- check -----------------------------------------------------------------------------------------------------------


class Changed(NamedTuple):
    """A row that does not come back: its text, what comes instead (None if it is refused), and why."""

    row: int
    text: str
    back: str | None
    reason: str


def check(vocabulary: Path, file: Path, smiles_column: str | None, json: bool) -> None:
    """Tell which rows of a file a vocabulary does not give back; exit with 1 if there are some."""
    with reported():
        vocab = Vocab.load(vocabulary)
        table = read_table(file, smiles_column)
        changed: list[Changed] = []
        tokens = 0
        for first, texts in blocks(table.smiles, "encoding and decoding"):
            found, n = _changed(vocab, texts)
            changed += [item._replace(row=int(table.rows[first + item.row])) for item in found]
            tokens += n
        unknown = _unknown(vocab, changed)
        if json:
            facts = {
                "vocabulary": str(vocabulary),
                "file": str(file),
                "rows": len(table) + len(table.rejects),
                "not_read": [reject._asdict() for reject in table.rejects],
                "tokens": tokens,
                "changed": [item._asdict() for item in changed],
                "unknown": [item._asdict() for item in unknown],
            }
            write_json(facts)
        else:
            _show_changed(changed, unknown, table, tokens)
        if changed or table.rejects:
            raise Exit(DATA)


def _changed(vocab: Vocab, texts: Text) -> tuple[list[Changed], int]:
    """The rows of a block that do not come back, and how many tokens the others have, bos and eos left out."""
    try:
        ids = vocab.encode(texts, on_unknown="unk")
        backs = vocab.decode(ids)
    except (RowError, UnknownTokenError) as error:
        if len(texts) == 1:
            reason = str(error).removeprefix("row 0: ")
            return [Changed(0, texts[0], None, reason)], 0
        rows = [_changed(vocab, texts[i : i + 1]) for i in range(len(texts))]
        return [item._replace(row=row) for row, (found, _) in enumerate(rows) for item in found], sum(
            n for _, n in rows
        )
    lossy = set((np.searchsorted(ids.offsets, np.flatnonzero(ids.values == UNK), side="right") - 1).tolist())
    found = [
        Changed(row, text, back, "unknown token" if row in lossy else "another text")
        for row, (text, back) in enumerate(zip(texts, backs, strict=True))
        if row in lossy or text != back
    ]
    return found, len(ids.values) - 2 * len(ids)


def _unknown(vocab: Vocab, changed: Sequence[Changed]) -> list[Unknown]:
    """The unknown tokens of the rows that have some, with the first row of the file that does."""
    rows = [item for item in changed if item.reason == "unknown token"]
    return [item._replace(row=rows[item.row].row) for item in vocab.coverage([row.text for row in rows]).unknown]


def _show_changed(changed: Sequence[Changed], unknown: Sequence[Unknown], table: Table, tokens: int) -> None:
    rows = len(table)
    if changed:
        verb = "does" if rows == 1 else "do"
        out.print(f"[bold]{len(changed):,} of {count(rows, 'row')} {verb} not come back[/]:")
        for item in changed[:_SHOWN]:
            instead = f"is refused: {item.reason}" if item.back is None else f"comes back as {_short(item.back)}"
            out.print(f"  row {item.row}: {_short(item.text)} {instead}", markup=False)
        if len(changed) > _SHOWN:
            out.print(f"  and {count(len(changed) - _SHOWN, 'row')} more; --json names all")
        if unknown:
            out.print("\n[bold]Tokens that are not in the vocabulary[/]:")
            for token in unknown[:_SHOWN]:
                out.print(f"  {token.token!r} {count(token.count, 'time')}, first in row {token.row}", markup=False)
            if len(unknown) > _SHOWN:
                out.print(f"  and {len(unknown) - _SHOWN:,} others; --json names all")
            out.print("\nLearn them with mrl vocab learn, or take --kind smiles, in which nothing is unknown.")
    elif rows:
        out.print(f"No molecule is changed: {_all(rows)} back exactly, from {tokens / rows:.1f} tokens each.")
    if table.rejects:
        out.print(f"{count(len(table.rejects), 'row')} could not be read, and {_were(len(table.rejects))} not checked.")


def _all(rows: int) -> str:
    return "the one row comes" if rows == 1 else f"all {rows:,} rows come"


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def _short(text: str) -> str:
    return repr(text) if len(text) <= 60 else repr(text[:59] + "…")


# --- inspect ---------------------------------------------------------------------------------------------------------


def is_vocabulary(file: Path) -> bool:
    """Whether a file says of itself that it is a vocabulary, whatever its name."""
    try:
        with file.open("rb") as opened:
            return f'"{FORMAT}"'.encode() in opened.read(4096)
    except OSError:
        return False


def describe(file: Path, json: bool) -> None:
    """Print what is in a vocabulary file."""
    with reported():
        vocab = Vocab.load(file)
        tokens = vocab.itos[len(SPECIAL_TOKENS) :]
        facts: dict[str, Any] = {
            "file": str(file),
            "kind": vocab.kind,
            "tokens": len(vocab),
            "specials": vocab.special_tokens,
            "dtype": str(vocab.dtype),
            "engine": vocab.engine,
            "engine_reason": vocab.engine_reason,
            "rules": vocab.rules(),
            "fingerprint": vocab.fingerprint(),
            "first": tokens[:_ENDS],
            "last": tokens[-_ENDS:],
        }
        if json:
            write_json(facts)
        else:
            _show_vocabulary(facts)


def _show_vocabulary(facts: dict[str, Any]) -> None:
    said = {
        "vocabulary": facts["file"],
        "kind": facts["kind"],
        "tokens": f"{facts['tokens']:,}, the specials {', '.join(facts['specials'])} first; {facts['dtype']}",
        "engine": f"{facts['engine']}: {facts['engine_reason']}",
        **{name: value if isinstance(value, str) else repr(value) for name, value in facts["rules"].items()},
        "first": "  ".join(map(repr, facts["first"])),
        "last": "  ".join(map(repr, facts["last"])),
        "fingerprint": facts["fingerprint"],
    }
    grid = Grid(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in said.items():
        grid.add_row(name, Plain(value))  # markup would take the backslash from the pattern
    out.print(grid)
