"""What the table has to do, slowly and obviously; and both ways of running it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from mrl import kernels
from mrl.kernels import _jit

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
    """Encode and decode of any size by the interpreter, or by machine code."""
    with pytest.MonkeyPatch.context() as patch:
        if way == "interpreter":
            patch.setattr(_jit, "_loaded", {})
            patch.setattr(_jit, "_SMALL_ROWS", 1 << 60)
            patch.setattr(_jit, "_SMALL_VALUES", 1 << 60)
        else:
            patch.setattr(_jit, "_SMALL_ROWS", 0)
        yield


WAYS = ["interpreter", *(["compiled"] if kernels.available() else [])]
