"""``mrl sample``: molecules from a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mrl.chem import Screened, screen
from mrl.cli.commands.models.train import load_model
from mrl.cli.console import USAGE, note, print_json, print_lines, stop, success
from mrl.cli.options import Notation, SampleOptions
from mrl.cli.tables import notation_of, require_writable
from mrl.corpus import Table, TableColumn, write_table
from mrl.errors import UnknownTokenError
from mrl.lm import Samples, SequenceModel, encode_prompts, one_thread, sample
from mrl.messages import format_count
from mrl.ragged import Text
from mrl.text import Vocab

_CUT = "…"  # after a text that was cut, which no notation takes for a whole one


def run(options: SampleOptions) -> None:
    """Sample, and print the molecules; with `out`, write them to a file instead."""
    require_writable(options.out)
    model, vocab = load_model(options.model)
    limit = options.max_length or model.config.max_length
    with one_thread():
        samples = sample(
            model,
            options.n,
            prompt=_prompt(model, vocab, options.prompt, limit),
            max_length=limit,
            temperature=options.temperature,
            top_k=options.top_k,
            top_p=options.top_p,
            seed=options.seed,
        )
    texts = samples.decode(vocab)
    if notation_of(vocab) not in (Notation.SMILES, None):
        _give_sequences(texts, samples, options)
        return
    screened = screen(texts, finished=samples.finished)
    molecules = [smiles for smiles in screened.smiles if smiles is not None]
    if options.out is not None:
        _write(options.out, texts, samples, screened)
    if options.json:
        print_json(screened.summary() | {"max_length": limit, "seed": options.seed, "smiles": molecules})
    elif options.out is None:
        print_lines(molecules)
    valid = f"{format_count(len(molecules), 'valid molecule')} among {format_count(options.n, 'sample')}"
    note(f"{valid}, {screened.unique.sum():,} of them distinct")
    if screened.unfinished:
        note(
            f"{format_count(screened.unfinished, 'sample')} had not ended after {limit} tokens, bos and eos included: "
            "the beginnings of molecules, left out"
        )


def _give_sequences(texts: list[str], samples: Samples, options: SampleOptions) -> None:
    """Print or write texts that are not SMILES: as they are, those without an end left out of the list."""
    whole = [text for text, finished in zip(texts, samples.finished, strict=True) if finished]
    if options.out is not None:
        columns: dict[str, TableColumn] = {"smiles": Text.of(whole)}
        if options.out.suffix.lower() != ".smi":
            columns = {
                "text": _marked(texts, samples),
                "sequence": Text.of([text if done else "" for text, done in zip(texts, samples.finished, strict=True)]),
                "finished": samples.finished.astype(np.int64),
                "log_likelihood": samples.log_likelihood,
            }
        table = Table(columns, smiles_column="smiles" if "smiles" in columns else "sequence")
        write_table(table, options.out)
        success(f"wrote {format_count(len(table), 'sample')} to {options.out}")
    if options.json:
        print_json({"n": len(texts), "finished": len(whole), "distinct": len({*whole}), "sequences": whole})
    elif options.out is None:
        print_lines(whole)
    note(f"{format_count(len(texts), 'sample')}, {len(whole):,} of them ended, {len({*whole}):,} of these distinct")


def _marked(texts: list[str], samples: Samples) -> Text:
    return Text.of([text if done else text + _CUT for text, done in zip(texts, samples.finished, strict=True)])


def _prompt(model: SequenceModel, vocab: Vocab, text: str | None, limit: int) -> Any:
    if model.config.condition:
        stop("the model was trained with conditions: sample it in Python, mrl.lm.sample(model, n, condition=)", USAGE)
    if text is None:
        return None
    try:
        ids = encode_prompts(model, vocab, text)
    except UnknownTokenError as error:
        stop(f"--prompt is {text!r}: {error}", USAGE)
    if len(ids[0]) >= limit:
        stop(f"--prompt has {len(ids[0])} tokens, bos included, and --max-length is {limit}: raise --max-length", USAGE)
    return ids


def _write(path: Path, texts: list[str], samples: Samples, screened: Screened) -> None:
    """Write a list of the valid molecules (``.smi``), or a table of all samples, each with its reason if not valid."""
    if path.suffix.lower() == ".smi":
        table = Table({"smiles": Text.of([smiles for smiles in screened.smiles if smiles is not None])})
        what = format_count(len(table), "valid molecule")
    else:
        reasons = {reject.row: reject.reason for reject in screened.rejects}
        columns: dict[str, TableColumn] = {
            "text": _marked(texts, samples),
            "smiles": Text.of([smiles or "" for smiles in screened.smiles]),
            "valid": screened.valid.astype(np.int64),
            "unique": screened.unique.astype(np.int64),
            "finished": samples.finished.astype(np.int64),
            "log_likelihood": samples.log_likelihood,
            "reason": Text.of([reasons.get(row, "") for row in range(len(texts))]),
        }
        table, what = Table(columns, smiles_column="smiles"), format_count(len(texts), "sample")
    write_table(table, path)
    success(f"wrote {what} to {path}")
