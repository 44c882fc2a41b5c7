"""What the table has to do, slowly and obviously; and both ways of running it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from mrl import kernels

CLEAN = r"\[[^\[\]]+\]|Br|Cl|%[0-9]{2}|%\([0-9]+\)|->|<-|>>|[BCNOSPFIbcnosp]"
SPECIALS = ("bos", "eos", "pad", "unk")


def pieces_of(pattern: str | None, text: str) -> list[str]:
    """At each place what the pattern matches there, else one code point; no empty matches; no specials."""
    regex = re.compile("(?!)" if pattern is None else pattern)
    pieces, at = [], 0
    while at < len(text):
        match = regex.match(text, at)
        piece = match.group() if match and match.group() else text[at]
        pieces += list(piece) if piece in SPECIALS else [piece]
        at += len(piece)
    return pieces


def ids_of(pattern: str | None, text: str, tokens: Mapping[str, int], closed: Mapping[int, int] | None) -> list[int]:
    """An id for each piece; in a closed alphabet the longest tokens that fit, at the end bytes."""
    ids = [0]
    for piece in pieces_of(pattern, text):
        if piece in tokens or closed is None:
            ids.append(tokens.get(piece, 3))
            continue
        rest = piece
        while rest:
            head = next((rest[:n] for n in range(len(rest), 0, -1) if rest[:n] in tokens), None)
            ids += [tokens[head]] if head else [closed[byte] for byte in rest[0].encode()]
            rest = rest[len(head or "1") :]
    return [*ids, 1]


@contextmanager
def run_by(way: str) -> Iterator[None]:
    """Encode and decode in the interpreter, or by machine code, whatever the size."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        if way == "compiled":
            import numba  # noqa: F401  # from now on, calls of any size are compiled
        else:
            warnings.simplefilter("ignore", RuntimeWarning)  # large calls report that they are slow
            patch.setenv("NUMBA_DISABLE_JIT", "1")
        yield


WAYS = ["interpreter", *(["compiled"] if kernels.numba_available() else [])]
