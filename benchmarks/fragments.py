"""SAFE and back: how many molecules change, how many are rejected and why, beside the reference package."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeAlias

from measuring import Contestant, compare, facts, peer
from rdkit import Chem, RDLogger

import mrl
from mrl.chem import to_safe
from mrl.errors import MoleculeError

CHUNK = 500
SPEED = 1_000  # molecules of the comparison of speeds
Found: TypeAlias = tuple[Counter[str], list[str]]


def fragments(muv: Sequence[str], first: int) -> None:
    """Write the first molecules of muv and zinc250k (0: all) as SAFE, and read them back by RDKit alone."""
    sets = {"muv" if "MRL_DATA" in os.environ else "the sample": list(muv)}
    if (zinc := Path(os.environ.get("MRL_DATA", ""), "zinc250k.smi.gz")).exists():
        sets["zinc250k"] = mrl.read(zinc).smiles.tolist()
    writers: dict[str, Callable[[list[str]], Found]] = {"mrl": with_mrl}
    if (version := peer("safe-mol", "safe")) is not None:
        writers[f"safe-mol {version}"] = with_reference
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    for name, smiles in sets.items():
        some = smiles[: first or None]
        rows = []
        for writer, write in writers.items():
            counts, examples = Counter[str](), list[str]()
            with ProcessPoolExecutor(processes) as pool:
                for more, shown in pool.map(write, [some[k : k + CHUNK] for k in range(0, len(some), CHUNK)]):
                    counts += more
                    examples += shown
            changed, same = counts.pop("changed", 0), counts.pop("same", 0)
            assert changed + same + counts.total() == len(some)
            rows.append((f"{writer}: changed", f"{changed:,} of {len(some):,}", "none" if writer == "mrl" else ""))
            target = "below 0.5%" if writer == "mrl" else ""
            rows.append((f"{writer}: rejected", f"{counts.total():,} ({counts.total() / len(some):.3%})", target))
            rows += [(f"{writer}: rejected, {reason}", f"{n:,}", "") for reason, n in counts.most_common(8)]
            rows += [(f"{writer}: changed, such as", f"`{example}`", "") for example in examples[:3]]
        facts(f"SAFE and back: {name}", rows)
    some = list(muv)[:SPEED]
    compare(
        "Write a SAFE that is checked",
        [
            Contestant(name if name == "mrl" else f"{name}, as its check needs", lambda write=write: write(some), SPEED)
            for name, write in writers.items()
        ],
    )


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
