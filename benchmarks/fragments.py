"""SAFE and back: how many molecules change, how many are rejected and why, beside the reference package."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from measuring import Contestant, compare, facts, peer
from rdkit import Chem, RDLogger

import mrl
from mrl.chem import to_safe
from mrl.errors import MoleculeError

CHUNK = 500
SAMPLE = 20_000  # molecules that the reference package writes
SPEED = 200  # molecules of the comparison of speeds
Found: TypeAlias = tuple[Counter[str], list[str]]


def fragments(muv: Sequence[str], first: int) -> None:
    """Write the first molecules of muv and zinc250k (0: all) as SAFE, and read them back by RDKit alone.

    safe-mol writes the first 20,000 at most.
    """
    sets = {"muv" if "MRL_DATA" in os.environ else "the sample": list(muv)}
    if (zinc := Path(os.environ.get("MRL_DATA", ""), "zinc250k.smi.gz")).exists():
        sets["zinc250k"] = mrl.read(zinc).smiles.tolist()
    writers: dict[str, Callable[[list[str]], Found]] = {"mrl": with_mrl}
    if (version := peer("safe-mol", "safe")) is not None:
        writers[f"safe-mol {version}"] = with_reference
    for name, smiles in sets.items():
        some = smiles[: first or None]
        there_and_back(f"{name}, {len(some):,} molecules", some, {"mrl": with_mrl})
        if len(writers) > 1:
            sample = some[:SAMPLE]
            there_and_back(f"{name}, the first {len(sample):,}, beside the reference package", sample, writers)
    some = list(muv)[:SPEED]
    compare(
        "Write a SAFE, and read it back",
        [Contestant(name, lambda write=write: write(some), SPEED) for name, write in writers.items()],
    )


def there_and_back(which: str, smiles: list[str], writers: dict[str, Callable[[list[str]], Found]]) -> None:
    """Print what becomes of some molecules, in as many processes as there are cores."""
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    chunks = [smiles[k : k + CHUNK] for k in range(0, len(smiles), CHUNK)]
    rows = []
    for writer, write in writers.items():
        counts, examples = Counter[str](), list[str]()
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            for more, shown in pool.map(write, chunks):
                counts += more
                examples += shown
        changed, same = counts.pop("changed", 0), counts.pop("same", 0)
        assert changed + same + counts.total() == len(smiles)
        targets = ("none", "below 0.5%") if writer == "mrl" else ("", "")
        rows.append((f"{writer}: changed", f"{changed:,}", targets[0]))
        rows.append((f"{writer}: rejected", f"{counts.total():,} ({counts.total() / len(smiles):.3%})", targets[1]))
        rows += [(f"{writer}: rejected, {reason}", f"{n:,}", "") for reason, n in counts.most_common(8)]
        rows += [(f"{writer}: changed, such as", f"`{example}`", "") for example in examples[:3]]
    facts(f"SAFE and back: {which}", rows)


def canonical(text: str) -> str | None:
    """Return the canonical SMILES of a text, by RDKit alone; None if it is not a molecule."""
    mol = Chem.MolFromSmiles(text)
    return None if mol is None else Chem.MolToSmiles(mol)


def counted(smiles: list[str], results: Iterator[tuple[str | None, str]]) -> Found:
    """Count what became of molecules: each result is a SAFE, or None and the reason."""
    RDLogger.DisableLog("rdApp.*")
    counts, examples = Counter[str](), list[str]()
    for text, (safe, reason) in zip(smiles, results, strict=True):
        is_same = safe is not None and canonical(safe) == canonical(text)
        counts[reason if safe is None else "same" if is_same else "changed"] += 1
        if safe is not None and not is_same:
            examples.append(f"{text} -> {canonical(safe)}")
    return counts, examples


def with_mrl(smiles: list[str]) -> Found:
    """Write molecules by `mrl.chem.to_safe`."""

    def write(text: str) -> tuple[str | None, str]:
        try:
            return to_safe(text), ""
        except MoleculeError as error:
            return None, error.reason.partition(" '")[0]

    return counted(smiles, map(write, smiles))


def with_reference(smiles: list[str]) -> Found:
    """Write molecules by ``safe.encode`` of safe-mol, with its defaults."""
    logging.disable()
    import safe
    from loguru import logger

    logger.remove()

    def write(text: str) -> tuple[str | None, str]:
        try:
            return safe.encode(text), ""
        except Exception as error:  # whatever it raises
            return None, f"{type(error).__name__} {str(error).splitlines()[0] if str(error) else ''}".strip()[:60]

    return counted(smiles, map(write, smiles))
