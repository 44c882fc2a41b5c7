"""The table against `re`: the same pieces and ids, for every pattern that compiles and every text."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from table_oracle import CLEAN, SPECIALS, WAYS, byte_ids_of, ids_of, make_engine, pieces_of, run_by

from mrl import kernels
from mrl.ragged import Text
from mrl.text import MAPPING_REGEX, MAPPING_REPLACE, SMILE_REGEX
from mrl.text.compile.decode import decode


def check(
    pattern: str | None,
    texts: list[str],
    tokens: list[str],
    byte_fallback: bool = False,
    memo_cells: int | None = None,
) -> None:
    engine = make_engine(pattern, tokens, byte_fallback=byte_fallback)
    assert engine.table is not None, engine.reason
    stoi = {token: i for i, token in enumerate(tokens, 4)}
    expected = [ids_of(pattern, text, stoi, byte_ids_of(engine) if byte_fallback else None) for text in texts]
    unknown = [
        (row, piece)
        for row, text in enumerate(texts)
        for piece in pieces_of(pattern, text)
        if piece not in stoi and not (byte_fallback and len(piece) == 1 and piece.isascii())
    ]
    column = Text.of(texts)
    for way in WAYS:
        with run_by(way):
            ids, pieces, n_unknown = engine.encode_pieces(column)
            assert [row.tolist() for row in ids] == expected, (way, pattern)
            reported = [(row, texts[row].encode()[a:b].decode()) for row, a, b in pieces.tolist()]
            assert reported == unknown[: len(reported)]
            assert n_unknown == len(unknown)
            assert list(engine.unknown_tokens(column)) == unknown
            if memo_cells is not None:  # failed look-aheads are remembered for some positions only
                values, _, _, n_unknown = kernels.encode(
                    column.values, column.offsets, engine.table, engine.dtype, max_memo_cells=memo_cells
                )
                assert values.tolist() == ids.values.tolist()
                assert n_unknown == len(unknown)
    rule = engine.segmentation
    assert [rule.pieces(text) for text in texts] == [pieces_of(pattern, text) for text in texts]
    assert [[0, *(i for p in rule.pieces(t) for i in engine.piece_ids(p)), 1] for t in texts] == expected


# --- differential tests -----------------------------------------------------------------------------------------------

ALPHABET = "Cl[]%B1é−🙂\n"
ATOMS = st.sampled_from(
    [*map(re.escape, ALPHABET), ".", r"[^\]]", "[A-Z]", "[^Cl]", "[0-9]", "[é-🙂]", r"[\[l]", r"[\s\S]"]
)
REPEATS = st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}", "{1,}?", "{0}"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner | st.just(""), min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.builds("({}){}".format, inner, REPEATS),
    ),
    max_leaves=7,
)
SHORT = st.lists(st.text(ALPHABET, max_size=14), max_size=4)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from(["", "(?s)", "(?x)"]), PATTERNS, SHORT, st.booleans(), st.sampled_from([1 << 25, 40]))
def test_random_patterns(
    data: st.DataObject, flag: str, pattern: str, texts: list[str], byte_fallback: bool, memo: int
) -> None:
    pattern = flag + pattern
    assume(make_engine(pattern).kind == "table")
    seen = sorted({piece for text in texts for piece in pieces_of(pattern, text)} - set(SPECIALS))
    tokens = data.draw(st.lists(st.sampled_from(seen), unique=True)) if seen else []
    check(pattern, texts, tokens, byte_fallback, memo)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=30), max_size=5),
    st.sampled_from([None, SMILE_REGEX, CLEAN, r"[\s\S]{1,3}"]),
    st.booleans(),
)
def test_any_unicode(texts: list[str], pattern: str | None, byte_fallback: bool) -> None:
    seen = sorted({piece for text in texts for piece in pieces_of(pattern, text)} - set(SPECIALS))
    check(pattern, texts, seen[::2], byte_fallback)


REPLACEMENTS = "|".join([*map(re.escape, sorted(MAPPING_REPLACE, key=len, reverse=True)), r"[\s\S]"])


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize(
    "pattern",
    [
        None,
        SMILE_REGEX,
        MAPPING_REGEX,
        CLEAN,
        REPLACEMENTS,
        r"[\s\S]{1,3}",
        "(?:CC)+?O|C+N",
        "(?:ab|c)*d",
        r"\[[^\]]+]",
    ],
)
def test_texts_of_four_kilobytes(pattern: str | None, byte_fallback: bool) -> None:
    rng = random.Random(0)
    words = [
        "C",
        "c",
        "(",
        ")",
        "[",
        "]",
        "[nH]",
        "%1",
        "%12",
        "Cl",
        "B",
        "[1*:1]",
        "ab",
        "=",
        "\n",
        "é",
        "🙂",
        "O",
        "N",
    ]
    texts = ["".join(rng.choices(words, k=rng.choice([30, 900])))[:4096] for _ in range(6)]
    seen = sorted({piece for text in texts for piece in pieces_of(pattern, text)})
    check(pattern, [*texts, ""], rng.sample(seen, len(seen) // 2), byte_fallback)


# --- what a token is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        ("C|Cl", "CCl", ["C", "C", "l"]),  # the first choice that matches, not the longest
        ("Cl|C", "CCl", ["C", "Cl"]),
        ("ab|abcd", "abcd", ["ab", "c", "d"]),
        ("a*?b|a", "aab", ["aab"]),
        ("a+?", "aaa", ["a", "a", "a"]),
        ("x*", "axxb", ["a", "xx", "b"]),  # where nothing matches, one code point
        ("|a", "aa", ["a", "a"]),  # an empty match is ignored
        ("(?:|ab)c?", "abc", ["a", "b", "c"]),
        ("%[0-9]{2}", "C%123", ["C", "%12", "3"]),
        ("%[0-9]{2}", "C%1", ["C", "%", "1"]),  # a look-ahead that fails
        (r"\[[^\]]+]", "[C[O]]", ["[C[O]", "]"]),
        (r"\[[^\]]+]", "[C", ["[", "C"]),
        ("bos|unk", "boxbosunk", ["b", "o", "x", "b", "o", "s", "u", "n", "k"]),  # specials are ids, never text
        ("[a-z]+", "pad padding", ["p", "a", "d", " ", "padding"]),
        (".", "a\nb", ["a", "\n", "b"]),
        ("a.c", "a\nc", ["a", "\n", "c"]),
        ("(?s)a.c", "a\nc", ["a\nc"]),
        ("(?s:a.)c|(?-s:a.)", "a\nca\n", ["a\nc", "a", "\n"]),
        ("[^−]+", "C−é🙂", ["C", "−", "é🙂"]),
        ("[\u0700-\u0900]", "\u06ff\u0700\u0800\u0900\u0901", ["\u06ff", "\u0700", "\u0800", "\u0900", "\u0901"]),
    ],
)
def test_a_piece_is_what_re_matches(pattern: str, text: str, pieces: list[str]) -> None:
    assert pieces_of(pattern, text) == pieces
    check(pattern, [text], sorted(set(pieces)))
    check(pattern, [text], [])


def test_ids_literally() -> None:
    engine = make_engine(CLEAN, ["C", "Cl", "[nH]", "é"], n_ids=300)
    ids, unknown, n_unknown = engine.encode_pieces(Text.of(["CCl[nH]", "", "C[Si]é−"]))
    assert ids.values.tolist() == [0, 4, 5, 6, 1, 0, 1, 0, 4, 3, 7, 3, 1]
    assert ids.offsets.tolist() == [0, 5, 7, 13]
    assert ids.values.dtype == np.uint16
    assert (unknown.tolist(), n_unknown) == ([[2, 1, 5], [2, 7, 10]], 2)


def test_byte_fallback_takes_the_longest_token_and_in_the_end_bytes() -> None:
    engine = make_engine(CLEAN, ["C", "[", "]", "13", "@@", "@", "H", "[nH]", "Si"], byte_fallback=True)
    byte_ids = byte_ids_of(engine)
    ids = engine.encode_pieces(Text.of(["[nH]", "[13C@@H]", "[SiH3-]", "−"]))[0]
    assert [row.tolist()[1:-1] for row in ids] == [
        [11],
        [5, 7, 4, 8, 10, 6],
        [5, 12, 10, byte_ids[ord("3")], byte_ids[ord("-")], 6],
        [byte_ids[byte] for byte in "−".encode()],
    ]


HARD = re.findall(
    r"\S+",
    """[Cu++] [Fe+++] [NH4+:005] [002H] [0S] [HH1] F[As@TB15](Cl)(S)(Br)N [Co@OH30] C$C C%00CCCCC%00 C%123
C%2112
C1CCC%(100)CC%(100) N->[Pt]<-N CC>>CC C~[C] c1cc[se]c1 [te] [si] [asH] Sc1ccccc1 [Sc] Cn1cnc2c1 [Cn] [] [C
C] [C[O]] C−C 🙂[C]
<pad>C unk [UNK] _ bos bosunkpad [C@@H1][=Branch1][C].[nop] [C]x[N] ACGTA
[10*:1] [1*:10] [*:1] [Ru] [Li] CC[Si]X""",
)
HARD += ["", " C ", "CC |c:1|", "\n" + " " * 17 + "#", "C\x00C", "\u2028"]
ELEMENTS = re.findall(
    r"\S+",
    """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr
Nb
Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg
Tl Pb Bi
Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og""",
)
FORMS = ["[{}]", "[{}@]", "[{}@@]", "[{}+2]", "[{}H]", "[13{}]"]


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize("pattern", [None, SMILE_REGEX, MAPPING_REGEX, CLEAN, REPLACEMENTS, r"[\s\S]{1,3}"])
def test_hard_cases_come_back(pattern: str | None, byte_fallback: bool) -> None:
    texts = HARD + [form.format(element) for element in ELEMENTS for form in FORMS]
    tokens = sorted({piece for text in texts for piece in pieces_of(pattern, text)})
    if byte_fallback:
        tokens = [token for token in tokens if len(token) == 1 and token.isascii()]
    check(pattern, texts, tokens, byte_fallback)
    engine = make_engine(pattern, tokens, byte_fallback=byte_fallback)
    for way in WAYS:
        with run_by(way):
            assert decode(engine.encode_pieces(Text.of(texts))[0], engine.token_bytes, b"?").tolist() == texts


# --- linear time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("unit", ["[", "C", "%", "(", "[C", "ab"])
def test_a_megabyte_of_failing_look_aheads_is_encoded(way: str, unit: str) -> None:
    tokens = ["C", "[", "%", "(", "a", "b"]
    engine = make_engine(SMILE_REGEX + "|(?:ab)+c", tokens)
    size = 1_000_000 if way == "compiled" else 100_000  # it would take hours in quadratic time
    with run_by(way):
        ids = engine.encode_pieces(Text.of([unit * (size // len(unit))]))[0]
    assert ids.values.tolist() == [0, *[4 + tokens.index(c) for c in unit] * (size // len(unit)), 1]


@pytest.mark.parametrize("memo", [1, 20, 40, 80, 160, 240, 320, 640, 1000])
@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        (
            "p.{5}[no]m|aa[no]m",
            "paanmyoQ",
            ["p", "aanm", "y", "o", "Q"],
        ),  # fails from 'o' at 6, not from 'n' at 3
        (
            "p..[noa]m|aa[no]m",
            "pyyaanm",
            ["p", "y", "y", "aanm"],
        ),  # fails from 'a' at 3, not from 'n' at 5
    ],
)
def test_a_failure_counts_for_its_own_position(memo: int, pattern: str, text: str, pieces: list[str]) -> None:
    assert pieces_of(pattern, text) == pieces
    check(pattern, [text, "C" + text, text + text], sorted(set(pieces)), memo_cells=memo)


def test_the_memo_of_failures_may_be_coarse() -> None:
    check(
        "(?:ab)+c|" + CLEAN,
        ["ab" * 2000, "[" * 4000, "[[C]" * 1000, "ab" * 500 + "c" + "ab" * 500, "%1" * 2000],
        ["a", "["],
        memo_cells=1000,
    )


def test_a_class_without_characters_matches_nothing() -> None:
    from mrl.text import RegexVocab

    vocab = RegexVocab(["C", "CC"], r"CC[^\s\S]|CC")
    assert vocab.engine == "table"
    assert vocab.decode(vocab.encode(["CCC", ""])) == ["CCC", ""]
    assert vocab.encode(["CCC"])[0].tolist() == [0, 5, 4, 1]
