"""The two loops on tables and tokens written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from mrl import kernels
from mrl.kernels import TokenTable, _jit
from mrl.kernels.scan import CARE, EMIT, FAIL, GO, UNK


@pytest.fixture(params=["interpreter", *(["compiled"] if kernels.available() else [])], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "interpreter":
        monkeypatch.setattr(_jit, "_loaded", {})
    monkeypatch.setattr(_jit, "_SMALL_ROWS", 0 if request.param == "compiled" else 1 << 60)
    return request.param


def by_hand() -> TokenTable:
    """Tokens a (4) and ab...bc (5); b and c alone are pieces without an id. Classes: a, b, c."""
    classes = np.full(256, 3, np.uint8)
    classes[[ord(letter) for letter in "abc"]] = [0, 1, 2]
    start, a, ab, abc, other = range(0, 30, 6)
    rows = [  # follow by class a, b, c, else; END; CODE                   action
        ([a, other, other, other, 0, 0], [GO, GO, GO, GO, FAIL, GO]),
        ([a, ab, other, other, 0, 4], [EMIT, GO, EMIT, EMIT, EMIT, GO]),
        ([start, ab, abc, start, 0, 1], [FAIL, GO, GO, FAIL, FAIL, GO]),
        ([a, other, other, other, 0, 5], [EMIT, EMIT, EMIT, EMIT, EMIT, GO]),
        ([start, start, start, start, 0, UNK], [CARE, CARE, CARE, CARE, CARE, GO]),
    ]
    return TokenTable(
        classes=classes,
        follow=np.array([follow for follow, _ in rows], np.uint32).ravel(),
        action=np.array([action for _, action in rows], np.uint8).ravel(),
        single=np.array([4 if byte == ord("a") else UNK for byte in range(256)], np.uint32),
        width=6,
        waiting=2,
        tree=0,
    )


def encode(*rows: bytes, room: int = 10, threads: int = 1) -> tuple[list[list[int]], list[list[int]], int]:
    values = np.frombuffer(b"".join(rows), np.uint8)
    offsets = np.cumsum([0, *map(len, rows)])
    offsets.flags.writeable = False
    ids, ends, missing, count = kernels.encode(values, offsets, by_hand(), "uint8", room=room, threads=threads)
    assert ids.dtype == np.uint8
    assert ends.dtype == missing.dtype == np.int64
    return [ids[a:b].tolist() for a, b in pairwise(ends)], missing.tolist(), count


def test_encode() -> None:
    assert encode(b"", b"a", b"aabc", b"abbbca") == ([[0, 1], [0, 4, 1], [0, 4, 5, 1], [0, 5, 4, 1]], [], 0)


def test_encode_goes_back_to_the_last_end() -> None:
    assert encode(b"abb", b"abbabc") == (
        [[0, 4, 3, 3, 1], [0, 4, 3, 3, 5, 1]],
        [[0, 1, 2], [0, 2, 3], [1, 1, 2], [1, 2, 3]],
        4,
    )


@pytest.mark.parametrize("threads", [1, 3])
def test_encode_tells_as_many_missing_pieces_as_there_is_room_for(threads: int) -> None:
    rows = [b"a", b"cca", b"", b"ac", b"cc"]
    ids, missing, count = encode(*rows, room=2, threads=threads)
    assert ids == [[0, 4, 1], [0, 3, 3, 4, 1], [0, 1], [0, 4, 3, 1], [0, 3, 3, 1]]
    assert missing[:2] == [[1, 0, 1], [1, 1, 2]]
    assert count == 5
    assert encode(*rows, room=0, threads=threads)[1:] == ([], 5)


def test_encode_keeps_rows_apart() -> None:
    assert encode(b"ab", b"c", b"ab", b"bc")[0] == [[0, 4, 3, 1], [0, 3, 1], [0, 4, 3, 1], [0, 3, 3, 1]]


def decode(*rows: list[int], dtype: str = "uint8", threads: int = 1) -> tuple[bytes, list[int], int]:
    tokens = [b"", b"", b"", b"?", b"C", b"[nH]"]
    ids = np.array([i for row in rows for i in row], dtype)
    offsets = np.cumsum([0, *map(len, rows)])
    ids.flags.writeable = offsets.flags.writeable = False
    bounds = np.cumsum([0, *map(len, tokens)])
    values, ends, wrong = kernels.decode(
        ids, offsets, np.frombuffer(b"".join(tokens), np.uint8), bounds, threads=threads
    )
    return values.tobytes(), ends.tolist(), wrong


@pytest.mark.parametrize("threads", [1, 2, 9])
def test_decode(threads: int) -> None:
    assert decode([0, 4, 5, 1, 4], [], [2, 2, 3], [1], [5], threads=threads) == (b"C[nH]?[nH]", [0, 5, 5, 6, 6, 10], -1)
    assert decode(threads=threads) == (b"", [0], -1)


@pytest.mark.parametrize("threads", [1, 2, 9])
@pytest.mark.parametrize(("dtype", "wrong"), [("uint8", 6), ("int64", -1), ("int64", 1 << 40)])
def test_decode_finds_the_first_row_with_a_wrong_id(threads: int, dtype: str, wrong: int) -> None:
    assert decode([4, 1, wrong], [4], [4, wrong], [4, wrong], dtype=dtype, threads=threads)[2] == 2


def test_decode_makes_room_for_long_tokens() -> None:
    rows = [[4] * 100, *[[5] * 100] * 5]
    assert decode(*rows) == (b"C" * 100 + b"[nH]" * 500, [0, 100, 500, 900, 1300, 1700, 2100], -1)
