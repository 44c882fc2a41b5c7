"""A long list is converted to text piece by piece, with the same result as all at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mrl.errors import RowError, UnknownTokenError
from mrl.ragged import AsciiRows, Text
from mrl.text import SMILES_PATTERN, CharacterVocab, RegexVocab, SmilesVocab, Vocab

MANY = 25_001


def rows(seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    kinds = ["CCO", "", "C[Si](C)C", "c1ccccc1Br", "C" * 300, "CX"]
    return [kinds[k] for k in random.integers(0, len(kinds), MANY)]


@pytest.fixture(params=["character", "regex", "smiles"])
def vocab(request: pytest.FixtureRequest) -> Vocab:
    made: dict[str, Callable[[], Vocab]] = {
        "character": lambda: CharacterVocab("CO()[]Sic1Br"),
        "regex": lambda: RegexVocab(["C", "O", "c", "1", "Br", "(", ")"], SMILES_PATTERN),
        "smiles": SmilesVocab,
    }
    return made[request.param]()


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("odd", [None, "C−C", "C😀", "C" * 70_000])
def test_a_list_gives_what_its_text_gives(vocab: Vocab, threads: int, odd: str | None) -> None:
    column = rows()
    if odd is not None:
        column[MANY - 7] = odd
    whole = vocab.encode(Text.of(column), on_unknown="unk")
    assert vocab.encode(column, on_unknown="unk", threads=threads) == whole


@pytest.mark.parametrize("threads", [1, 2])
def test_an_unknown_token_is_named_by_its_row(threads: int) -> None:
    column = ["C"] * MANY
    column[20_123] = "CCX"
    with pytest.raises(UnknownTokenError, match=r"row 20123: the token 'X' at position 2"):
        CharacterVocab("C").encode(column, on_unknown="raise", threads=threads)


@pytest.mark.parametrize("wrong", [None, float("nan"), 7, b"C", ["C"]])
def test_a_row_that_is_no_text_is_named(wrong: object) -> None:
    column: list[object] = ["C"] * MANY
    column[20_123] = wrong
    with pytest.raises(RowError, match="row 20123 of column 'smiles'"):
        CharacterVocab("C").encode(column)


def test_pieces_are_the_text() -> None:
    column = ["CC", "", "C" * 300, "O"]
    pieces, text = AsciiRows(column), Text.of(column)
    assert (pieces.offsets == text.offsets).all()
    assert pieces.values(1, 4).tobytes() == text[1:4].flat.tobytes()
