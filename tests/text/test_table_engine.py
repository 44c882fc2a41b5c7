"""The engine: patterns that run by `re`, threads and processes, hostile input, decoding."""

from __future__ import annotations

import multiprocessing
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_oracle import SPECIALS, WAYS, ids_of, make_engine, pieces_of, run_by

from mrl.errors import RowError, TokenIdError
from mrl.ragged import Ragged, Text
from mrl.text import SMILE_REGEX
from mrl.text.compile.decode import decode
from mrl.text.compile.engine import CompiledEngine
from mrl.text.compile.segmentation import Segmentation

# --- patterns that run by `re` ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"C(?!l)", "look-around"),
        (r"(?<=C)l", "look-around"),
        (r"\bC", r"\b"),
        (r"^C", "anchors"),
        (r"(a)\1", "back-references"),
        (r"(a)?(?(1)b|c)", "conditional"),
        (r"\w+", r"\w"),
        (r"[\dx]", r"\d"),
        (r"(?i)cl", "ignores case"),
        (r"(?i:cl)", "ignores case"),
        (r"C*+", "possessive"),
        (r"(?>C*)", "atomic"),
        (r"(?:C?)*", "can be empty"),
        (r"(?:C?){1,3}", "can be empty"),
        (r"(?:[ab])*a(?:[ab]){12}", "over 1,000 states"),
        (r"(?:abc){1,5000}", "over 10,000 states"),
    ],
)
def test_other_patterns_run_by_re_with_the_same_ids(pattern: str, reason: str) -> None:
    texts = ["CClC", "clCLxaa", "", "C l aab\nC", "12abab", "unk −"]
    known = sorted({p for t in texts for p in pieces_of(pattern, t)})[::2]
    tokens = {piece: i for i, piece in enumerate(known, 4)}
    engine = make_engine(pattern, known)
    assert engine.kind == "re"
    assert reason in engine.reason
    ids, unknown_pieces, n_unknown = engine.encode_pieces(Text.of(texts))
    assert [row.tolist() for row in ids] == [ids_of(pattern, text, tokens) for text in texts]
    unknown = [(row, p) for row, text in enumerate(texts) for p in pieces_of(pattern, text) if p not in tokens]
    assert [(row, texts[row].encode()[a:b].decode()) for row, a, b in unknown_pieces.tolist()] == unknown
    assert n_unknown == len(unknown)
    assert list(engine.unknown_tokens(Text.of(texts))) == unknown


def test_byte_fallback_runs_by_re_with_the_same_ids() -> None:
    tokens = ["C", "Cl", "é"]
    by_table, by_re = (make_engine(p, tokens, byte_fallback=True) for p in (r"\[[^\]]+]|Cl", r"\[[^\]]+]|Cl\b|Cl"))
    assert (by_table.kind, by_re.kind) == ("table", "re")
    text = Text.of(["CCl[C@@Cl]", "", "[Cl]é−", "O"])
    one, other = by_table.encode_pieces(text), by_re.encode_pieces(text)
    assert one[0] == other[0]
    assert one[1].tolist() == other[1].tolist() == [[0, 3, 10], [2, 0, 4], [2, 6, 9]]
    assert one[2] == other[2] == 3


def test_a_special_name_that_is_the_text_of_a_token_stays_whole() -> None:
    for pattern, kind in (("unk|.", "table"), (r"\bunk|.", "re")):
        engine = CompiledEngine(Segmentation(pattern, {"X": "unk"}), [*SPECIALS, "X", "u"])
        assert engine.kind == kind
        assert engine.segmentation.pieces("unk") == ["unk"]
        assert engine.encode_pieces(Text.of(["unk", "u"]))[0].values.tolist() == [0, 4, 1, 0, 5, 1]


@pytest.mark.slow
def test_too_many_tokens_run_by_re() -> None:
    tokens = [f"{number:07d}" for number in range(0, 10**7, 50)]
    engine = make_engine("[0-9]{7}", tokens)
    assert engine.kind == "re"
    assert "4,194,304 entries" in engine.reason
    assert engine.encode_pieces(Text.of(["00000500000051"]))[0].values.tolist() == [0, 5, 3, 1]
    assert engine.dtype == np.uint32
    engine = make_engine("C", tokens, byte_fallback=True)
    assert "4,194,304 entries" in engine.reason  # the trie alone is too large
    assert engine.piece_ids("00000500000051") == [5, *(len(tokens) + 4 + byte for byte in b"0000051")]


# --- threads, processes, and hostile input ----------------------------------------------------------------------------


def ids_by_token(engine: CompiledEngine) -> dict[str, int]:
    return {token: i for i, token in enumerate(engine.tokens) if i > 3}


def corpus(n: int) -> list[str]:
    rng = random.Random(1)
    words = ["C", "c1ccccc1", "(", ")", "[nH]", "Cl", "=O", "[Si", "N", "%10", "é"]
    return ["".join(rng.choices(words, k=rng.randrange(12))) for _ in range(n)]


@pytest.fixture(scope="module")
def engine() -> CompiledEngine:
    tokens = ["C", "c", "1", "(", ")", "[nH]", "Cl", "=", "O", "N", "%10"]
    return make_engine(SMILE_REGEX, tokens)


@pytest.mark.parametrize("way", WAYS)
def test_threads_and_slices_change_nothing(way: str, engine: CompiledEngine) -> None:
    texts = ["", *corpus(3000), "", ""]
    column = Text.of(["not", "there", *texts])[2:]  # offsets that begin above 0
    with run_by(way):
        one = engine.encode_pieces(Text.of(texts))
        assert [row.tolist() for row in one[0][:100]] == [
            ids_of(SMILE_REGEX, t, ids_by_token(engine)) for t in texts[:100]
        ]
        for threads in (1, 2, 3, 5000):
            many = engine.encode_pieces(column, threads=threads)
            assert many[0] == one[0]
            assert many[2] == one[2]
            assert many[1][:4096].tolist() == one[1].tolist()[: len(many[1][:4096])]
        assert engine.encode_pieces(texts, threads=2)[0] == one[0]
        for nothing in (Text.of([]), Text.of(["", ""])):
            assert engine.encode_pieces(nothing, threads=2)[0].values.tolist() == [0, 1] * len(nothing)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_long_list_is_encoded_piece_by_piece(threads: int, engine: CompiledEngine) -> None:
    texts = [*["CCl"] * 9_000, *["(O)"] * 10_999, "[Au]", "C=O", "[Ag]C"]
    ids, unknown, n_unknown = engine.encode_pieces(texts, threads=threads)
    assert ids == engine.encode_pieces(Text.of(texts))[0]
    assert unknown.tolist() == [[19_999, 0, 4], [20_001, 0, 4]]
    assert n_unknown == 2
    texts[15_000] = None  # type: ignore[call-overload]
    with pytest.raises(RowError, match=r"row 15000 .*None"):
        engine.encode_pieces(texts, threads=threads)


def _encode_and_decode(
    engine: CompiledEngine, texts: list[str], token_bytes: list[bytes]
) -> tuple[list[int], list[str]]:
    ids = engine.encode_pieces(Text.of(texts), threads=2)[0]
    return ids.values.tolist(), decode(ids, token_bytes, b"?").tolist()


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_other_processes_agree_after_the_kernels_ran_here(start: str, engine: CompiledEngine) -> None:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {start}")
    texts = corpus(3000)  # enough for compiled kernels
    token_bytes = engine.token_bytes
    here = _encode_and_decode(engine, texts, token_bytes)
    with ThreadPoolExecutor(4) as pool:
        assert all(
            there == here for there in pool.map(lambda _: _encode_and_decode(engine, texts, token_bytes), range(8))
        )
    with multiprocessing.get_context(start).Pool(2) as pool:
        assert pool.starmap(_encode_and_decode, [(engine, texts, token_bytes)] * 2) == [here, here]


def test_an_engine_and_its_table_survive_pickling(engine: CompiledEngine) -> None:
    text = Text.of(["CCl[nH]", "[Si]"])
    assert pickle.loads(pickle.dumps(engine)).encode_pieces(text)[0] == engine.encode_pieces(text)[0]
    assert len(pickle.dumps(engine)) < 1000
    table = engine.table
    assert table is not None
    again = pickle.loads(pickle.dumps(table))
    assert np.array_equal(again.entries, table.entries)
    assert not again.entries.flags.writeable


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("byte_fallback", [False, True])
@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.binary(max_size=12), max_size=5))
def test_bytes_that_are_not_utf8_do_no_harm(way: str, byte_fallback: bool, rows: list[bytes]) -> None:
    engine = make_engine(r"\[[^\]]+]|[é-🙂]C|C", ["C", "é"], byte_fallback=byte_fallback)
    text = Text(np.frombuffer(b"".join(rows), np.uint8), np.cumsum([0, *map(len, rows)]))
    with run_by(way):
        ids = engine.encode_pieces(text)[0]
    assert len(ids) == len(rows)
    assert all(row[0] == 0 and row[-1] == 1 and len(row) <= len(raw) + 2 for row, raw in zip(ids, rows, strict=True))
    for row, raw in zip(ids, rows, strict=True):
        if byte_fallback:  # nothing is lost even then
            assert b"".join(engine.token_bytes[i] for i in row.tolist()[1:-1]) == raw


# --- decode -----------------------------------------------------------------------------------------------------------

TOKEN_BYTES = [b"", b"", b"", b"", b"C", b"[C@@H]", "é".encode(), b"\xe2", b"\x88", b"\x92", b""]


def naive_decode(row: list[int], unk: bytes) -> str:
    row = row[: row.index(1)] if 1 in row else row
    return b"".join(unk if i == 3 else TOKEN_BYTES[i] for i in row).decode(errors="replace")


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(st.integers(0, len(TOKEN_BYTES) - 1), max_size=20), max_size=6))
def test_decoding_stops_at_eos_and_skips_bos_and_pad(dtype: str, rows: list[list[int]]) -> None:
    ids = Ragged.from_rows(rows, dtype)
    for way in WAYS:
        with run_by(way):
            text = decode(ids, TOKEN_BYTES, "\ufffd".encode())
            assert text.tolist() == [naive_decode(row, "\ufffd".encode()) for row in rows]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrong", [len(TOKEN_BYTES), 300, -1])
def test_an_id_out_of_range_is_named_with_its_row(way: str, wrong: int) -> None:
    ids = Ragged.from_rows([[0, 4, 1], [0, 4, 1, wrong], [4, wrong, 1], [wrong]], "int64")
    with run_by(way):
        assert decode(ids[:2], TOKEN_BYTES, b"?").tolist() == ["C", "C"]  # ids after the end of a row are ignored
        with pytest.raises(TokenIdError, match=rf"row 2: id {wrong} is not in .* 0 to 10") as error:
            decode(ids, TOKEN_BYTES, b"?")
    assert (error.value.row, error.value.id) == (2, wrong)


@pytest.mark.parametrize("way", WAYS)
def test_long_tokens(way: str) -> None:
    token_bytes = [b"", b"", b"", b"", b"x" * 1000, b"y"]
    rows = [[5] * 50, [4] * 30, [], [4, 5] * 20]
    with run_by(way):
        text = decode(Ragged.from_rows(rows, "uint8"), token_bytes, b"?")
    assert text.tolist() == ["y" * 50, "x" * 30_000, "", ("x" * 1000 + "y") * 20]
