"""Tokens of several pieces: the table against a slow reference, for every pattern that compiles and every text."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from table_oracle import CLEAN, SPECIALS, WAYS, byte_names, ids_of, pieces_of, run_by

from mrl.ragged import Text
from mrl.text import SMILES_PATTERN, Segmentation
from mrl.text.compile.engine import CompiledEngine


def make_engine(pattern: str | None, tokens: Sequence[str], byte_fallback: bool) -> CompiledEngine:
    itos, texts = [*SPECIALS, *tokens], {}
    if byte_fallback:
        itos += [name for name in byte_names() if name not in tokens]
        texts = {name: chr(0xDC00 + byte) for byte, name in enumerate(byte_names()) if byte >= 0x80}
    return CompiledEngine(Segmentation(pattern, texts, byte_fallback), itos, merging=True)


def joined(pieces: list[str], merges: set[str], joins: Callable[[str], bool]) -> list[str]:
    """At each piece the longest token that its successors spell, piece by piece."""
    found, at = [], 0
    while at < len(pieces):
        ends = [
            end
            for end in range(at + 2, len(pieces) + 1)
            if "".join(pieces[at:end]) in merges and all(map(joins, pieces[at:end]))
        ]
        end = max(ends, default=at + 1)
        found.append("".join(pieces[at:end]))
        at = end
    return found


def check(pattern: str | None, texts: list[str], tokens: list[str], byte_fallback: bool) -> None:
    engine = make_engine(pattern, tokens, byte_fallback)
    assert engine.table is not None, engine.reason
    stoi = {token: i for i, token in enumerate(engine.tokens)}
    singles = {i: name for name, i in stoi.items()}
    byte_ids = {byte: stoi[name] for byte, name in enumerate(byte_names())} if byte_fallback else None
    expected = []
    for text in texts:
        row = [0]
        for one in joined(pieces_of(pattern, text), set(engine.merges), engine.joins):
            known = one in engine.merges
            row += [stoi[one]] if known else ids_of(pattern, one, {t: stoi[t] for t in tokens}, byte_ids)[1:-1]
        expected.append([*row, 1])
    for way in WAYS:
        with run_by(way):
            ids = engine.encode_pieces(Text.of(texts))[0]
            assert ids.tolist() == expected, (way, pattern, [[singles[i] for i in row] for row in ids.tolist()])
            assert engine.decode(ids, "\ufffd").tolist() == texts or 3 in ids.values
    for text, row in zip(texts, expected, strict=True):
        assert [0, *(i for piece in engine.pieces(text) for i in engine.piece_ids(piece)), 1] == row


ALPHABET = "Cl[]%1(-é"
PATTERNS = st.sampled_from(
    [
        None,
        SMILES_PATTERN,
        CLEAN,
        r"\[[^\]]+]|Cl|C1?",
        r"\[[^\[\]]*]",
        r"[C\[]{1,3}",
        "C(?:l1)?|1-%",
        "Cl*",
        "(?:Cl)+|C",
        "é|-é?",
        r"[^C]C|l\[",
    ]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PATTERNS, st.lists(st.text(ALPHABET, max_size=14), max_size=4), st.data(), st.booleans())
def test_any_tokens_are_joined_as_the_reference_joins_them(
    pattern: str | None, texts: list[str], data: st.DataObject, byte_fallback: bool
) -> None:
    parts = {text[a : a + n] for text in texts for a in range(len(text)) for n in range(1, 7)} | set(ALPHABET)
    tokens = data.draw(st.lists(st.sampled_from(sorted(parts - {"é"} if byte_fallback else parts)), unique=True))
    assume(not byte_fallback or all(token.isascii() for token in tokens))
    check(pattern, texts, tokens, byte_fallback)


@pytest.mark.parametrize("byte_fallback", [True, False])
def test_long_texts_of_many_tokens(byte_fallback: bool) -> None:
    draw = random.Random(5)
    texts = [
        "".join(draw.choices(["C", "Cl", "[C@H]", "c1", "(", ")", "=O", "N", "[", "%12", "%"], k=60))
        for _ in range(200)
    ]
    parts = {text[a : a + n] for text in texts[:50] for a in range(len(text)) for n in range(1, 12)}
    check(
        SMILES_PATTERN,
        texts,
        sorted({*"CcN()=O[%1", "Cl", "[C@H]", "%12", *draw.sample(sorted(parts), 700)}),
        byte_fallback,
    )


def test_what_ends_only_further_on_is_not_part_of_a_token() -> None:
    engine = make_engine(SMILES_PATTERN, ["C", "[", "l", "Cl", "N", "[N]", "C[", "[N", "CC", "Cl[N]", "CCl"], False)
    assert set(engine.merges) == {"CC", "Cl[N]", "CCl"}
    assert engine.pieces("CCCl[N]CCl[CC") == ["CC", "Cl[N]", "CCl", "[", "CC"]


def test_the_names_of_special_tokens_are_not_joined() -> None:
    engine = make_engine("[a-z]{3}|[a-z]", ["b", "o", "s", "x", "xb", "so", "bo", "xx"], False)
    assert "xb" not in engine.merges  # whether a letter is a piece depends on those after it
    engine = make_engine("bos|[a-z]", ["b", "o", "s", "x", "xx", "bo", "sx", "xo"], False)
    assert engine.pieces("xxbosxo") == ["xx", "b", "o", "s", "xo"]
    texts = ["xxbosxo", "bos", "xbosbosx", "sxbo"]
    for way in WAYS:
        with run_by(way):
            for text, ids in zip(texts, engine.encode_pieces(Text.of(texts))[0], strict=True):
                assert [engine.tokens[i] for i in ids.tolist()[1:-1]] == engine.pieces(text)
