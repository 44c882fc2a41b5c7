"""A slow and obvious reference implementation of the compiled table, and both ways of running the table."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

from mrl import kernels
from mrl.text.compile.engine import CompiledEngine
from mrl.text.compile.segmentation import Segmentation

CLEAN = r"\[[^\[\]]+\]|Br|Cl|%[0-9]{2}|%\([0-9]+\)|->|<-|>>|[BCNOSPFIbcnosp]"
SPECIALS = ("bos", "eos", "pad", "unk")


def pieces_of(pattern: str | None, text: str) -> list[str]:
    """At each position what the pattern matches there, else one code point; no empty matches; no special names."""
    regex = re.compile("(?!)" if pattern is None else pattern)
    pieces, at = [], 0
    while at < len(text):
        match = regex.match(text, at)
        piece = match.group() if match and match.group() else text[at]
        pieces += list(piece) if piece in SPECIALS else [piece]
        at += len(piece)
    return pieces


def ids_of(
    pattern: str | None, text: str, tokens: Mapping[str, int], byte_ids: Mapping[int, int] | None = None
) -> list[int]:
    """An id for each piece; with byte fallback the longest tokens that fit, in the end bytes."""
    ids = [0]
    for piece in pieces_of(pattern, text):
        if piece in tokens or byte_ids is None:
            ids.append(tokens.get(piece, 3))
            continue
        rest = piece
        while rest:
            head = next((rest[:n] for n in range(len(rest), 0, -1) if rest[:n] in tokens), None)
            ids += [tokens[head]] if head else [byte_ids[byte] for byte in rest[0].encode()]
            rest = rest[len(head or "1") :]
    return [*ids, 1]


def byte_names() -> list[str]:
    """The tokens of the 256 bytes."""
    return [chr(byte) if byte < 0x80 else f"<0x{byte:02X}>" for byte in range(256)]


def make_engine(
    pattern: str | None, tokens: Sequence[str] = (), *, byte_fallback: bool = False, n_ids: int = 0
) -> CompiledEngine:
    """An engine for tokens with ids from 4; with byte fallback the missing bytes follow, then unused tokens."""
    itos = [*SPECIALS, *tokens]
    texts: dict[str, str] = {}
    if byte_fallback:
        itos += [name for name in byte_names() if name not in tokens]
        texts = {name: chr(0xDC00 + byte) for byte, name in enumerate(byte_names()) if byte >= 0x80}
    itos += [f"unused {i}" for i in range(n_ids - len(itos))]
    return CompiledEngine(Segmentation(pattern, texts, byte_fallback), itos)


def byte_ids_of(engine: CompiledEngine) -> dict[int, int]:
    """The id of each byte."""
    return {raw[0]: i for i, raw in enumerate(engine.token_bytes) if i > 3 and len(raw) == 1}


@contextmanager
def run_by(way: str) -> Iterator[None]:
    """Encode and decode in the interpreter, or by machine code, whatever the size."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        if way == "compiled":
            import numba  # noqa: F401  # from now on, calls of any size are compiled
        else:
            warnings.simplefilter("ignore", RuntimeWarning)  # large calls report that they are slow
            patch.setenv("NUMBA_DISABLE_JIT", "1")
        kernels.numba_available.cache_clear()
        yield
    kernels.numba_available.cache_clear()


WAYS = ["fallback", *(["compiled"] if kernels.numba_available() else [])]
