"""Encoding and decoding with tables and tokens written by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mrl import kernels
from mrl.kernels import NO_BYTES, UNK, TokenTable

pytestmark = pytest.mark.usefixtures("way")


def table_by_hand() -> TokenTable:
    """Tokens a (4) and ab...bc (5); b and c alone are pieces without an id. Classes: a, b, c."""
    columns = np.full(256, 3 * 10, np.uint32)
    columns[[ord(letter) for letter in "abc"]] = [0, 10, 20]
    start, a, ab, abc, other = range(0, 10, 2)
    nothing = [0, NO_BYTES, 0, 0]
    go, id_4, id_5, backtrack, reject = range(0, 20, 4)
    rows = [  # the next state by class a, b, c, else; END; CODE; and what is written
        ([a, other, other, other, start, 0], [go, go, go, go, reject, go]),
        ([a, ab, other, other, 0, 4], [id_4, go, id_4, id_4, id_4, go]),
        ([ab, ab, abc, ab, ab, 1], [reject, go, go, reject, reject, go]),
        ([a, other, other, other, 0, 5], [id_5, id_5, id_5, id_5, id_5, go]),
        ([other, other, other, other, other, UNK], [*[backtrack] * 5, go]),
    ]
    return TokenTable(
        columns=columns,
        entries=np.array(rows, np.uint32).transpose(2, 0, 1).ravel(),
        writes=np.array([nothing, [1, 0, 4, 0], [1, 0, 5, 0], nothing, nothing], np.uint32).ravel(),
        byte_ids=np.array([4 if byte == ord("a") else UNK for byte in range(256)], np.uint32),
        backtrack=backtrack,
        reject=reject,
        n_states=5,
        n_incomplete=2,
        trie_root=0,
    )


def encode(*rows: bytes, max_reported: int = 10, threads: int = 1) -> tuple[list[list[int]], list[list[int]], int]:
    values = np.frombuffer(b"".join(rows), np.uint8)
    offsets = np.cumsum([0, *map(len, rows)])
    offsets.flags.writeable = False
    ids, ends, missing, count = kernels.encode(
        values, offsets, table_by_hand(), "uint8", max_reported=max_reported, threads=threads
    )
    assert ids.dtype == np.uint8
    assert ends.dtype == missing.dtype == np.int64
    return [ids[a:b].tolist() for a, b in pairwise(ends)], missing.tolist(), count


def test_encode() -> None:
    assert encode(b"", b"a", b"aabc", b"abbbca") == ([[0, 1], [0, 4, 1], [0, 4, 5, 1], [0, 5, 4, 1]], [], 0)


def test_encode_backtracks_to_the_last_end() -> None:
    assert encode(b"abb", b"abbabc") == (
        [[0, 4, 3, 3, 1], [0, 4, 3, 3, 5, 1]],
        [[0, 1, 2], [0, 2, 3], [1, 1, 2], [1, 2, 3]],
        4,
    )


@pytest.mark.parametrize("threads", [1, 3])
def test_encode_reports_as_many_missing_pieces_as_requested(threads: int) -> None:
    rows = [b"a", b"cca", b"", b"ac", b"cc"]
    ids, missing, count = encode(*rows, max_reported=2, threads=threads)
    assert ids == [[0, 4, 1], [0, 3, 3, 4, 1], [0, 1], [0, 4, 3, 1], [0, 3, 3, 1]]
    assert missing[:2] == [[1, 0, 1], [1, 1, 2]]
    assert count == 5
    assert encode(*rows, max_reported=0, threads=threads)[1:] == ([], 5)


def test_encode_keeps_rows_apart() -> None:
    assert encode(b"ab", b"c", b"ab", b"bc")[0] == [[0, 4, 3, 1], [0, 3, 1], [0, 4, 3, 1], [0, 3, 3, 1]]


def decode(*rows: list[int], dtype: str = "uint8") -> tuple[bytes, list[int], int]:
    tokens = [b"", b"", b"", b"?", b"C", b"[nH]"]
    ids = np.array([i for row in rows for i in row], dtype)
    offsets = np.cumsum([0, *map(len, rows)])
    ids.flags.writeable = offsets.flags.writeable = False
    bounds = np.cumsum([0, *map(len, tokens)])
    values, ends, wrong = kernels.decode(ids, offsets, np.frombuffer(b"".join(tokens), np.uint8), bounds)
    return values.tobytes(), ends.tolist(), wrong


def test_decode() -> None:
    assert decode([0, 4, 5, 1, 4], [], [2, 2, 3], [1], [5]) == (b"C[nH]?[nH]", [0, 5, 5, 6, 6, 10], -1)
    assert decode() == (b"", [0], -1)


@pytest.mark.parametrize(("dtype", "wrong"), [("uint8", 6), ("int64", -1), ("int64", 1 << 40)])
def test_decode_finds_the_first_row_with_a_wrong_id(dtype: str, wrong: int) -> None:
    assert decode([4, 1, wrong], [4], [4, wrong], [4, wrong], dtype=dtype)[2] == 2


def test_decode_long_tokens() -> None:
    rows = [[4] * 100, *[[5] * 100] * 5]
    assert decode(*rows) == (b"C" * 100 + b"[nH]" * 500, [0, 100, 500, 900, 1300, 1700, 2100], -1)


def test_decode_more_ids_than_numpy_takes_at_a_time() -> None:
    rows = [[4] * 100_000, [5] * 100_000] * 3
    assert decode(*rows, [4]) == (
        (b"C" * 100_000 + b"[nH]" * 100_000) * 3 + b"C",
        [0, 100_000, 500_000, 600_000, 1_000_000, 1_100_000, 1_500_000, 1_500_001],
        -1,
    )
    assert decode(*rows, [4, 6], [7])[2] == 6
