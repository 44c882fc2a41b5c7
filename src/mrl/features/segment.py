"""A file of rows that were computed: written once, checked when opened, searched where it lies.

Magic; the length (8 bytes, little-endian) of a JSON object that says what follows, and the object; for each form the
sorted digests of the texts (16 bytes each) and their rows; the digests of refused texts, and their reasons as JSON; the
SHA-256 of everything before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mrl.features.computing import Block, Part
from mrl.features.keys import Digests
from mrl.features.packing import Bytes, Form
from mrl.files import atomic

__all__ = ["Broken", "Segment", "write"]

MAGIC = b"mrl features 1\n"
HASH = hashlib.sha256


class Broken(Exception):
    """A segment that is not what was written."""


class Segment:
    """An open segment; its rows stay on disk until they are asked for.

    With `verify` off only what it says of itself is read: enough to count.
    """

    def __init__(self, path: Path, *, verify: bool = True) -> None:
        self.path = path
        try:
            raw: Bytes = np.memmap(path, np.uint8, mode="r")
        except ValueError:  # mmap refuses an empty file
            raise Broken("it is empty") from None
        if verify and HASH(raw[:-32].data).digest() != raw[-32:].tobytes():
            raise Broken("its checksum does not agree")
        try:
            self._parse(raw)
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(f"its header makes no sense ({error})") from None
        self.size = len(raw)

    def _parse(self, raw: Bytes) -> None:
        at = len(MAGIC) + 8
        if raw[: len(MAGIC)].tobytes() != MAGIC:
            raise ValueError("it is of another format")
        length = int.from_bytes(raw[len(MAGIC) : at].tobytes(), "little")
        said = json.loads(raw[at : at + length].tobytes())
        at += length
        self.parts: list[tuple[Digests, Form, Bytes]] = []
        for n, size, dtype, bits in said["parts"]:
            form = Form(size, np.dtype(dtype).str, bits)
            keys = np.frombuffer(raw, "S16", n, at)
            data = raw[at + 16 * n : at + (16 + form.width) * n].reshape(n, form.width)
            self.parts.append((keys, form, data))
            at += (16 + form.width) * n
        n, length = said["refused"]
        self.refused: Digests = np.frombuffer(raw, "S16", n, at) if n else np.zeros(0, "S16")
        self.reasons: list[str] = json.loads(raw[at + 16 * n : at + 16 * n + length].tobytes())

    def texts(self) -> list[Digests]:
        """The digests of all texts that it knows of."""
        return [*(keys for keys, _, _ in self.parts), self.refused]

    def find(self, keys: Digests) -> Block:
        """What it knows of these texts."""
        parts = []
        for known, form, data in self.parts:
            rows, places = _matches(known, keys)
            if len(rows):
                parts.append(Part(rows, form, np.asarray(data[places])))
        rows, places = _matches(self.refused, keys)
        return Block(parts, {int(row): self.reasons[place] for row, place in zip(rows, places, strict=True)})


def _matches(known: Digests, keys: Digests) -> tuple[Any, Any]:
    if not len(known):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    rows = np.flatnonzero(known[places] == keys)
    return rows, places[rows]


def write(path: Path, blocks: Iterable[tuple[Digests, Block]]) -> None:
    """Write what blocks know of their texts, each text once, as a segment: whole or not at all."""
    rows: dict[Form, tuple[list[Digests], list[Bytes]]] = {}
    reasons: dict[bytes, str] = {}
    for keys, block in blocks:
        for part in block.parts:
            known, data = rows.setdefault(part.form, ([], []))
            known.append(keys[part.rows])
            data.append(part.data)
        reasons.update({keys[row]: reason for row, reason in block.refused.items()})
    pieces: list[bytes | memoryview] = []
    parts = [(form, *_sorted(known, data)) for form, (known, data) in rows.items()]
    for _, texts, packed in parts:
        pieces += [texts.tobytes(), packed.data]
    refused = sorted(reasons)
    listed = json.dumps([reasons[key] for key in refused]).encode()
    pieces += [np.array(refused, "S16").tobytes(), listed]
    said = {
        "parts": [[len(texts), form.size, form.dtype, form.bits] for form, texts, _ in parts],
        "refused": [len(refused), len(listed)],
    }
    head = json.dumps(said).encode()
    checksum = HASH()
    with atomic(path) as temporary, open(temporary, "wb") as file:
        for piece in (MAGIC, len(head).to_bytes(8, "little"), head, *pieces):
            checksum.update(piece)
            file.write(piece)
        file.write(checksum.digest())


def _sorted(known: Sequence[Digests], data: Sequence[Bytes]) -> tuple[Digests, Bytes]:
    keys, order = np.unique(np.concatenate(known), return_index=True)
    return keys, np.ascontiguousarray(np.concatenate(data)[order])
