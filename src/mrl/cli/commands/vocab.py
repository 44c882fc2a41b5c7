"""``mrl vocab``: learn a vocabulary from files, check a file against one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from typer import Exit

from mrl.cli.console import DATA, USAGE, note, print_grid, print_json, print_text, stop, success
from mrl.cli.options import CheckOptions, LearnOptions, VocabKind
from mrl.cli.tables import notation_of, print_tokens, read_table, require_writable, rows_named
from mrl.corpus import Table
from mrl.errors import RowError, UnknownTokenError, VocabError
from mrl.messages import format_count, format_value
from mrl.ragged import Text
from mrl.text import (
    SMILES_PATTERN,
    UNK,
    AminoAcidVocab,
    CharacterVocab,
    KmerVocab,
    NucleotideVocab,
    RegexVocab,
    SelfiesVocab,
    SmilesVocab,
    TextSample,
    Unknown,
    Vocab,
)

_SHOWN = 10
_KINDS: dict[VocabKind, Callable[[LearnOptions], Vocab]] = {
    VocabKind.SMILES: lambda _: SmilesVocab(),
    VocabKind.REGEX: lambda options: RegexVocab([], SMILES_PATTERN if options.pattern is None else options.pattern),
    VocabKind.CHARACTER: lambda _: CharacterVocab([]),
    VocabKind.SELFIES: lambda _: SelfiesVocab(),
    VocabKind.AMINO_ACID: lambda _: AminoAcidVocab(),
    VocabKind.NUCLEOTIDE: lambda _: NucleotideVocab(),
    VocabKind.KMER: lambda options: KmerVocab(options.k or 3, options.stride),
}


def learn(options: LearnOptions) -> None:
    """Count the tokens of all files, make a vocabulary of them, and save it."""
    try:
        vocab = _KINDS[options.kind](options)
    except VocabError as error:
        stop(str(error), USAGE)
    try:
        vocab.add_control(options.control or ())
    except VocabError as error:
        stop(f"--control: {error}", USAGE)
    require_writable(options.out, inputs=options.files)
    is_smiles = options.kind == VocabKind.SMILES
    least = (2 if is_smiles else 1) if options.min_count is None else options.min_count
    before = len(vocab)
    if options.max_size is not None and options.max_size < before:
        stop(
            f"--max-size is {options.max_size}, but a vocabulary of the kind {options.kind} begins with {before} "
            f"tokens; give {before} or more",
            USAGE,
        )
    counts: Counter[str] = Counter()
    rows = not_read = 0
    sample = TextSample()
    for file in options.files:
        table = read_table(file, options, notation=notation_of(vocab))
        rows, not_read = rows + len(table), not_read + len(table.rejects)
        with rows_named(file, table):
            counts += vocab.count_tokens(table.smiles)
        if options.merges:
            sample.add(table.smiles)
    learned = vocab.update_from_counts(counts, min_count=least, max_size=options.max_size)
    merged = _learn_merges(vocab, sample, options, least)
    left_out = Counter({token: n for token, n in counts.items() if token not in vocab.stoi})
    vocab.save(options.out)
    if left_out:
        _report_left_out(left_out, is_smiles)
    saved = f"{format_count(len(vocab), 'token')} to {options.out}"
    pieces = f" and {merged:,} of several pieces" if options.merges else ""
    success(f"saved {saved}, {learned:,} of them{pieces} learned from {format_count(rows, 'row')}")
    if options.json:
        print_json(
            {
                "path": str(options.out),
                "kind": options.kind,
                "tokens": len(vocab),
                "learned": learned,
                **({"merges": merged} if options.merges else {}),
                "left_out": {"tokens": len(left_out), "occurrences": left_out.total()},
                "rows": rows,
                "not_read": not_read,
                "fingerprint": vocab.fingerprint(),
                "engine": vocab.engine,
                "engine_reason": vocab.engine_reason,
            }
        )


def _learn_merges(vocab: Vocab, sample: TextSample, options: LearnOptions, min_count: int) -> int:
    most = options.merges or 0
    if options.max_size is not None:
        most = min(most, max(options.max_size - len(vocab), 0))
    try:
        return vocab.learn_merges(sample, most, min_count=max(min_count, 2)) if most else 0
    except VocabError as error:
        stop(f"--merges: {error}", USAGE)


def _report_left_out(left_out: Counter[str], is_smiles: bool) -> None:
    tokens = sorted(left_out, key=lambda token: (-left_out[token], token))
    examples = ", ".join(f"{token!r} ({left_out[token]:,})" for token in tokens[:5])
    more = f" and {len(tokens) - 5:,} more" if len(tokens) > 5 else ""
    effect = "is cut into its parts" if is_smiles else "becomes unk and is lost; lower --min-count or raise --max-size"
    note(f"  left out, so that each {effect}: {examples}{more}")


class Changed(NamedTuple):
    """A row that does not come back: its text, what comes back (None if it cannot be encoded), and why."""

    row: int
    text: str
    back: str | None
    reason: str


def check(options: CheckOptions) -> None:
    """Show which rows of a file do not come back from a vocabulary; exit with 1 if there are any."""
    vocab = Vocab.load(options.vocab)
    table = read_table(options.file, options, notation=notation_of(vocab))
    changed, tokens = _find_changed(vocab, table.smiles)
    changed = [one._replace(row=int(table.rows[one.row])) for one in changed]
    unknown = _find_unknown(vocab, changed)
    if options.json:
        print_json(
            {
                "vocabulary": str(options.vocab),
                "file": str(options.file),
                "rows": len(table) + len(table.rejects),
                "not_read": [reject._asdict() for reject in table.rejects],
                "tokens": tokens,
                "changed": [item._asdict() for item in changed],
                "unknown": [item._asdict() for item in unknown],
            }
        )
    else:
        _show_changed(changed, unknown, table, tokens)
    if changed or table.rejects:
        raise Exit(DATA)


def _find_changed(vocab: Vocab, texts: Text) -> tuple[list[Changed], int]:
    """Return the rows that do not come back, and the number of tokens of those that can be encoded."""
    try:
        ids = vocab.encode(texts, on_unknown="unk")
    except (RowError, UnknownTokenError) as error:
        if len(texts) == 1:
            return [Changed(0, texts[0], None, str(error).removeprefix("row 0: "))], 0
        half = len(texts) // 2
        (first, n), (second, m) = _find_changed(vocab, texts[:half]), _find_changed(vocab, texts[half:])
        return first + [one._replace(row=half + one.row) for one in second], n + m
    lossy = set((np.searchsorted(ids.offsets, np.flatnonzero(ids.values == UNK), side="right") - 1).tolist())
    changed = [
        Changed(row, text, back, "unknown token" if row in lossy else "another text")
        for row, (text, back) in enumerate(zip(texts, vocab.decode(ids), strict=True))
        if row in lossy or text != back
    ]
    return changed, len(ids.values) - 2 * len(ids)  # bos and eos aside


def _find_unknown(vocab: Vocab, changed: Sequence[Changed]) -> list[Unknown]:
    """Return the unknown tokens of the rows that have some, with the first such row of the file."""
    rows = [item for item in changed if item.reason == "unknown token"]
    return [item._replace(row=rows[item.row].row) for item in vocab.coverage([row.text for row in rows]).unknown]


def _show_changed(changed: Sequence[Changed], unknown: Sequence[Unknown], table: Table, tokens: int) -> None:
    rows = len(table)
    if changed:
        print_text(
            f"{len(changed):,} of {format_count(rows, 'row')} {'does' if len(changed) == 1 else 'do'} not come back:"
        )
        shown = [
            (f"{one.row:,}", _short(one.text), _short(one.back) if one.back is not None else f"nothing: {one.reason}")
            for one in changed[:_SHOWN]
        ]
        print_grid(shown, ("row", "text", "comes back as"), numbers=(0,))
        if len(changed) > _SHOWN:
            print_text(f"and {format_count(len(changed) - _SHOWN, 'row')} more; --json prints all")
        if unknown:
            print_text("")
            print_text("Tokens that are not in the vocabulary:")
            print_tokens(unknown)
            print_text("")
            print_text("Learn them with mrl vocab learn; with --kind smiles, no token is unknown.")
    elif rows:
        every = "the one row comes" if rows == 1 else f"all {rows:,} rows come"
        print_text(f"No molecule is changed: {every} back exactly, from {tokens / rows:.1f} tokens each.")
    if table.rejects:
        verb = "was" if len(table.rejects) == 1 else "were"
        print_text(f"{format_count(len(table.rejects), 'row')} could not be read, and {verb} not checked.")


def _short(text: str) -> str:
    return format_value(text, most=60)
