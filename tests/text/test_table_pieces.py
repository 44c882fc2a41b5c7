"""The table against `re`: the same pieces and ids, for every pattern that compiles and every text."""

from __future__ import annotations

import random
import re
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from table_oracle import CLEAN, SPECIALS, WAYS, ids_of, pieces_of, run_by

from mrl.kernels import TokenTable
from mrl.ragged import Text
from mrl.text import MAPPING_REGEX, MAPPING_REPLACE, SMILE_REGEX
from mrl.text._engine import Engine, decode


def check(pattern: str | None, texts: list[str], tokens: list[str], closed: bool = False) -> None:
    stoi = {token: i for i, token in enumerate(tokens, 4)}
    bytes_ids = {byte: stoi.get(chr(byte), 4 + len(tokens) + byte) for byte in range(256)} if closed else None
    engine = Engine(pattern, stoi, n_ids=260 + len(tokens), closed_bytes=bytes_ids)
    assert engine.kind == "table", engine.reason
    expected = [ids_of(pattern, text, stoi, bytes_ids) for text in texts]
    unknown = [
        (row, piece)
        for row, text in enumerate(texts)
        for piece in pieces_of(pattern, text)
        if piece not in stoi and not (closed and len(piece) == 1 and piece.isascii())
    ]
    column = Text.of(texts)
    for way in WAYS:
        with run_by(way):
            ids, missing, n_missing = engine.encode(column)
            assert [row.tolist() for row in ids] == expected, (way, pattern)
            told = [(row, texts[row].encode()[a:b].decode()) for row, a, b in missing.tolist()]
            assert told == unknown[: len(told)]
            assert n_missing == len(unknown)
            assert list(engine.missing(column)) == unknown
    assert [engine.split(text) for text in texts] == [pieces_of(pattern, text) for text in texts]
    assert [[0, *(i for p in engine.split(t) for i in engine.numbers(p)), 1] for t in texts] == expected


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
    data: st.DataObject, flag: str, pattern: str, texts: list[str], closed: bool, memo: int
) -> None:
    pattern = flag + pattern
    assume(Engine(pattern, {}, n_ids=4).kind == "table")
    seen = sorted({piece for text in texts for piece in pieces_of(pattern, text)} - set(SPECIALS))
    tokens = data.draw(st.lists(st.sampled_from(seen), unique=True)) if seen else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TokenTable, "max_memo_cells", memo)  # a memo of failures that is fine, or coarse
        check(pattern, texts, tokens, closed)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=30), max_size=5),
    st.sampled_from([None, SMILE_REGEX, CLEAN, r"[\s\S]{1,3}"]),
    st.booleans(),
)
def test_any_unicode(texts: list[str], pattern: str | None, closed: bool) -> None:
    seen = sorted({piece for text in texts for piece in pieces_of(pattern, text)} - set(SPECIALS))
    check(pattern, texts, seen[::2], closed)


REPLACEMENTS = "|".join([*map(re.escape, sorted(MAPPING_REPLACE, key=len, reverse=True)), r"[\s\S]"])


@pytest.mark.parametrize("closed", [False, True])
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
def test_texts_of_four_kilobytes(pattern: str | None, closed: bool) -> None:
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
    check(pattern, [*texts, ""], rng.sample(seen, len(seen) // 2), closed)


# --- what a token is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        ("C|Cl", "CCl", ["C", "C", "l"]),  # the first choice that fits, not the longest
        ("Cl|C", "CCl", ["C", "Cl"]),
        ("ab|abcd", "abcd", ["ab", "c", "d"]),
        ("a*?b|a", "aab", ["aab"]),
        ("a+?", "aaa", ["a", "a", "a"]),
        ("x*", "axxb", ["a", "xx", "b"]),  # where nothing matches, one code point
        ("|a", "aa", ["a", "a"]),  # an empty match is none
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


def test_ids_are_as_written_here() -> None:
    engine = Engine(CLEAN, {"C": 4, "Cl": 5, "[nH]": 6, "é": 7}, n_ids=300)
    ids, missing, n_missing = engine.encode(Text.of(["CCl[nH]", "", "C[Si]é−"]))
    assert ids.values.tolist() == [0, 4, 5, 6, 1, 0, 1, 0, 4, 3, 7, 3, 1]
    assert ids.offsets.tolist() == [0, 5, 7, 13]
    assert ids.values.dtype == np.uint16
    assert (missing.tolist(), n_missing) == ([[2, 1, 5], [2, 7, 10]], 2)


def test_a_closed_alphabet_cuts_longest_first_and_ends_in_bytes() -> None:
    tokens = {"C": 4, "[": 5, "]": 6, "13": 7, "@@": 8, "@": 9, "H": 10, "[nH]": 11, "Si": 12}
    engine = Engine(
        CLEAN, tokens, n_ids=300, closed_bytes={byte: tokens.get(chr(byte), 20 + byte) for byte in range(256)}
    )
    ids = engine.encode(Text.of(["[nH]", "[13C@@H]", "[SiH3-]", "−"])).ids
    assert [row.tolist()[1:-1] for row in ids] == [
        [11],
        [5, 7, 4, 8, 10, 6],
        [5, 12, 10, 20 + ord("3"), 20 + ord("-"), 6],
        [20 + byte for byte in "−".encode()],
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


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("pattern", [None, SMILE_REGEX, MAPPING_REGEX, CLEAN, REPLACEMENTS, r"[\s\S]{1,3}"])
def test_hard_cases_come_back(pattern: str | None, closed: bool) -> None:
    texts = HARD + [form.format(element) for element in ELEMENTS for form in FORMS]
    tokens = sorted({piece for text in texts for piece in pieces_of(pattern, text)})
    if closed:
        tokens = [token for token in tokens if len(token) == 1 and token.isascii()]
    check(pattern, texts, tokens, closed)
    stoi = {token: i for i, token in enumerate(tokens, 4)}
    n = len(tokens) + 4
    closed_bytes = {byte: n + byte for byte in range(256)} if closed else None
    engine = Engine(pattern, stoi, n_ids=n + 256, closed_bytes=closed_bytes)
    spelled = [*SPECIALS, *tokens, *(bytes([byte]) for byte in range(256))]
    spelled = [token.encode() if isinstance(token, str) else token for token in spelled]
    for way in WAYS:
        with run_by(way):
            assert decode(engine.encode(Text.of(texts)).ids, spelled, b"?").tolist() == texts


# --- linear time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("unit", ["[", "C", "%", "(", "[C", "ab"])
def test_failed_look_aheads_take_linear_time(way: str, unit: str) -> None:
    engine = Engine(SMILE_REGEX + "|(?:ab)+c", {"C": 4, "[": 5, "%": 6, "(": 7, "a": 8, "b": 9}, n_ids=10)
    size = 1_000_000 if way == "compiled" else 100_000
    with run_by(way):
        engine.encode(Text.of(["C"]))
        column = Text.of([unit * (size // len(unit))])
        begin = time.perf_counter()
        ids = engine.encode(column).ids
        assert time.perf_counter() - begin < 1
    stoi = engine.pieces
    assert ids.values.tolist() == [0, *[stoi[c] for c in unit] * (size // len(unit)), 1]


@pytest.mark.parametrize("memo", [1, 20, 40, 80, 160, 240, 320, 640, 1000])
@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        ("p.{5}[no]m|aa[no]m", "paanmyoQ", ["p", "aanm", "y", "o", "Q"]),  # 'o' at 6 was in vain, 'n' at 3 is not
        ("p..[noa]m|aa[no]m", "pyyaanm", ["p", "y", "y", "aanm"]),  # 'a' at 3 was in vain, 'n' at 5 is not
    ],
)
def test_a_failure_counts_for_its_own_place(
    monkeypatch: pytest.MonkeyPatch, memo: int, pattern: str, text: str, pieces: list[str]
) -> None:
    monkeypatch.setattr(TokenTable, "max_memo_cells", memo)
    assert pieces_of(pattern, text) == pieces
    check(pattern, [text, "C" + text, text + text], sorted(set(pieces)))


def test_the_memo_of_failures_may_be_coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenTable, "max_memo_cells", 1000)
    check(
        "(?:ab)+c|" + CLEAN,
        ["ab" * 2000, "[" * 4000, "[[C]" * 1000, "ab" * 500 + "c" + "ab" * 500, "%1" * 2000],
        ["a", "["],
    )


def test_a_class_without_characters_leads_nowhere() -> None:
    from mrl.text import RegexVocab

    vocab = RegexVocab(["C", "CC"], r"CC[^\s\S]|CC")
    assert vocab.engine == "table"
    assert vocab.decode(vocab.encode(["CCC", ""])) == ["CCC", ""]
    assert vocab.encode(["CCC"])[0].tolist() == [0, 5, 4, 1]
