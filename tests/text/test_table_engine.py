"""The engine around the table: what runs through `re`, threads and processes, hostile input, decoding."""

from __future__ import annotations

import multiprocessing
import pickle
import random
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_oracle import SPECIALS, WAYS, ids_of, pieces_of, run_by

from mrl.errors import RowError, TokenIdError
from mrl.ragged import Ragged, Text
from mrl.text import SMILE_REGEX
from mrl.text._engine import Engine, decode

# --- what goes through `re` -------------------------------------------------------------------------------------------


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
        (r"(?:[ab])*a(?:[ab]){12}", "1,000 places"),
        (r"(?:abc){1,5000}", "10,000 states"),
    ],
)
def test_other_patterns_run_through_re_with_the_same_ids(pattern: str, reason: str) -> None:
    texts = ["CClC", "clCLxaa", "", "C l aab\nC", "12abab", "unk −"]
    tokens = {piece: i for i, piece in enumerate(sorted({p for t in texts for p in pieces_of(pattern, t)})[::2], 4)}
    engine = Engine(pattern, tokens, n_ids=60)
    assert engine.kind == "re"
    assert reason in engine.reason
    ids, missing, n_missing = engine.encode(Text.of(texts))
    assert [row.tolist() for row in ids] == [ids_of(pattern, text, tokens, None) for text in texts]
    unknown = [(row, p) for row, text in enumerate(texts) for p in pieces_of(pattern, text) if p not in tokens]
    assert [(row, texts[row].encode()[a:b].decode()) for row, a, b in missing.tolist()] == unknown
    assert n_missing == len(unknown)
    assert list(engine.missing(Text.of(texts))) == unknown


def test_a_closed_alphabet_runs_through_re_with_the_same_ids() -> None:
    tokens = {"C": 4, "Cl": 5, "é": 6}
    arguments = {"n_ids": 266, "closed_bytes": {byte: tokens.get(chr(byte), 10 + byte) for byte in range(256)}}
    by_table, by_re = Engine(r"\[[^\]]+]|Cl", tokens, **arguments), Engine(r"\[[^\]]+]|Cl\b|Cl", tokens, **arguments)
    assert (by_table.kind, by_re.kind) == ("table", "re")
    text = Text.of(["CCl[C@@Cl]", "", "[Cl]é−", "O"])
    one, other = by_table.encode(text), by_re.encode(text)
    assert one.ids == other.ids
    assert one.missing.tolist() == other.missing.tolist() == [[0, 3, 10], [2, 0, 4], [2, 6, 9]]
    assert one.n_missing == other.n_missing == 3


def test_a_special_that_is_a_piece_by_the_rules_stays_one() -> None:
    for pattern, kind in (("unk|.", "table"), (r"\bunk|.", "re")):
        engine = Engine(pattern, {"unk": 4, "u": 5}, n_ids=6)
        assert engine.kind == kind
        assert engine.split("unk") == ["unk"]
        assert engine.encode(Text.of(["unk", "u"])).ids.values.tolist() == [0, 4, 1, 0, 5, 1]


def test_too_many_tokens_run_through_re() -> None:
    tokens = {f"{number:07d}": i for i, number in enumerate(range(0, 10**7, 50), 4)}
    engine = Engine("[0-9]{7}", tokens, n_ids=len(tokens) + 4)
    assert engine.kind == "re"
    assert "4,194,304 entries" in engine.reason
    assert engine.encode(Text.of(["00000500000051"])).ids.values.tolist() == [0, 5, 3, 1]
    assert engine.dtype == np.uint32
    closed = Engine(
        "C", tokens, n_ids=len(tokens) + 260, closed_bytes={byte: len(tokens) + 4 + byte for byte in range(256)}
    )
    assert "4,194,304 entries" in closed.reason  # the tree alone is too large
    assert closed.numbers("00000500000051") == [5, *(len(tokens) + 4 + byte for byte in b"0000051")]


# --- threads, processes, and hostile input ----------------------------------------------------------------------------


def corpus(n: int) -> list[str]:
    rng = random.Random(1)
    words = ["C", "c1ccccc1", "(", ")", "[nH]", "Cl", "=O", "[Si", "N", "%10", "é"]
    return ["".join(rng.choices(words, k=rng.randrange(12))) for _ in range(n)]


@pytest.fixture(scope="module")
def engine() -> Engine:
    tokens = ["C", "c", "1", "(", ")", "[nH]", "Cl", "=", "O", "N", "%10"]
    return Engine(SMILE_REGEX, {token: i for i, token in enumerate(tokens, 4)}, n_ids=15)


@pytest.mark.parametrize("way", WAYS)
def test_threads_and_slices_change_nothing(way: str, engine: Engine) -> None:
    texts = ["", *corpus(3000), "", ""]
    column = Text.of(["not", "there", *texts])[2:]  # offsets that begin above 0
    with run_by(way):
        one = engine.encode(Text.of(texts))
        assert [row.tolist() for row in one.ids[:100]] == [
            ids_of(SMILE_REGEX, t, engine.pieces, None) for t in texts[:100]
        ]
        for threads in (1, 2, 3, 5000):
            many = engine.encode(column, threads=threads)
            assert many.ids == one.ids
            assert many.n_missing == one.n_missing
            assert many.missing[:4096].tolist() == one.missing.tolist()[: len(many.missing[:4096])]
        assert engine.encode(texts, threads=2).ids == one.ids
        for nothing in (Text.of([]), Text.of(["", ""])):
            assert engine.encode(nothing, threads=2).ids.values.tolist() == [0, 1] * len(nothing)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_long_list_is_encoded_piece_by_piece(threads: int, engine: Engine) -> None:
    texts = [*["CCl"] * 9_000, *["(O)"] * 10_999, "[Au]", "C=O", "[Ag]C"]
    ids, missing, n_missing = engine.encode(texts, threads=threads)
    assert ids == engine.encode(Text.of(texts)).ids
    assert missing.tolist() == [[19_999, 0, 4], [20_001, 0, 4]]
    assert n_missing == 2
    texts[15_000] = None  # type: ignore[call-overload]
    with pytest.raises(RowError, match=r"row 15000 .*None"):
        engine.encode(texts, threads=threads)


def _encode_and_decode(engine: Engine, texts: list[str], spelled: list[bytes]) -> tuple[list[int], list[str]]:
    ids = engine.encode(Text.of(texts), threads=2).ids
    return ids.values.tolist(), decode(ids, spelled, b"?", threads=2).tolist()


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_other_processes_agree_after_the_kernels_ran_here(start: str, engine: Engine) -> None:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {start}")
    texts = corpus(3000)  # enough for compiled kernels
    spelled = [token.encode() for token in (*SPECIALS, *engine.pieces)]
    here = _encode_and_decode(engine, texts, spelled)
    with ThreadPoolExecutor(4) as pool:
        assert all(there == here for there in pool.map(lambda _: _encode_and_decode(engine, texts, spelled), range(8)))
    with multiprocessing.get_context(start).Pool(2) as pool:
        assert pool.starmap(_encode_and_decode, [(engine, texts, spelled)] * 2) == [here, here]


def test_an_engine_and_its_table_survive_pickling(engine: Engine) -> None:
    text = Text.of(["CCl[nH]", "[Si]"])
    assert pickle.loads(pickle.dumps(engine)).encode(text).ids == engine.encode(text).ids
    assert len(pickle.dumps(engine)) < 1000
    table = engine._compiled[0]
    again = pickle.loads(pickle.dumps(table))
    assert np.array_equal(again.transitions, table.transitions)
    assert not again.transitions.flags.writeable


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("closed", [False, True])
@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.binary(max_size=12), max_size=5))
def test_bytes_that_are_no_text_do_no_harm(way: str, closed: bool, rows: list[bytes]) -> None:
    closed_bytes = {byte: 10 + byte for byte in range(256)} if closed else None
    engine = Engine(r"\[[^\]]+]|[é-🙂]C|C", {"C": 4, "é": 5}, n_ids=266, closed_bytes=closed_bytes)
    text = Text(np.frombuffer(b"".join(rows), np.uint8), np.cumsum([0, *map(len, rows)]))
    with run_by(way):
        ids = engine.encode(text).ids
    assert len(ids) == len(rows)
    assert all(row[0] == 0 and row[-1] == 1 and len(row) <= len(raw) + 2 for row, raw in zip(ids, rows, strict=True))
    for row, raw in zip(ids, rows, strict=True):
        if closed:  # not even then is anything lost
            spelled = {4: b"C", 5: "é".encode()} | {10 + byte: bytes([byte]) for byte in range(256)}
            assert b"".join(spelled[i] for i in row.tolist()[1:-1]) == raw


# --- decode -----------------------------------------------------------------------------------------------------------

SPELLED = [b"", b"", b"", b"", b"C", b"[C@@H]", "é".encode(), b"\xe2", b"\x88", b"\x92", b""]


def naive_decode(row: list[int], unk: bytes) -> str:
    row = row[: row.index(1)] if 1 in row else row
    return b"".join(unk if i == 3 else SPELLED[i] for i in row).decode(errors="replace")


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(st.integers(0, len(SPELLED) - 1), max_size=20), max_size=6), threads=st.sampled_from([1, 3])
)
def test_decoding_stops_at_eos_and_skips_bos_and_pad(dtype: str, rows: list[list[int]], threads: int) -> None:
    ids = Ragged.from_rows(rows, dtype)
    for way in WAYS:
        with run_by(way):
            text = decode(ids, SPELLED, "\ufffd".encode(), threads=threads)
            assert text.tolist() == [naive_decode(row, "\ufffd".encode()) for row in rows]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("wrong", [len(SPELLED), 300, -1])
def test_an_id_that_is_none_is_named_with_its_row(way: str, threads: int, wrong: int) -> None:
    ids = Ragged.from_rows([[0, 4, 1], [0, 4, 1, wrong], [4, wrong, 1], [wrong]], "int64")
    with run_by(way):
        assert decode(ids[:2], SPELLED, b"?").tolist() == ["C", "C"]  # behind the end of a row nothing counts
        with pytest.raises(TokenIdError, match=rf"row 2 has the id {wrong}.* 0 to 10") as error:
            decode(ids, SPELLED, b"?", threads=threads)
    assert (error.value.row, error.value.id) == (2, wrong)


@pytest.mark.parametrize("way", WAYS)
def test_long_tokens_find_room(way: str) -> None:
    spelled = [b"", b"", b"", b"", b"x" * 1000, b"y"]
    rows = [[5] * 50, [4] * 30, [], [4, 5] * 20]
    with run_by(way):
        text = decode(Ragged.from_rows(rows, "uint8"), spelled, b"?")
    assert text.tolist() == ["y" * 50, "x" * 30_000, "", ("x" * 1000 + "y") * 20]


@pytest.mark.parametrize("pattern", [None, SMILE_REGEX])
def test_a_table_is_made_in_a_tenth_of_a_second(pattern: str | None) -> None:
    begin = time.perf_counter()
    assert Engine(pattern, {token: i for i, token in enumerate(["C", "[nH]"], 4)}, n_ids=6).kind == "table"
    assert time.perf_counter() - begin < 0.1
