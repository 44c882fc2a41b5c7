"""`Vocab`: what each method returns, which errors it raises, and their messages."""

from __future__ import annotations

import copy
import re
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from mrl.errors import (
    ColumnError,
    DuplicateTokenError,
    RowError,
    TokenIdError,
    UnknownTokenError,
    UnknownTokenWarning,
    VocabError,
)
from mrl.ragged import Ragged, Text
from mrl.text import (
    HALOGEN_REPLACE,
    SMILE_REGEX,
    CharacterReplaceVocab,
    CharacterVocab,
    Coverage,
    RegexVocab,
    Unknown,
    Vocab,
    test_reconstruction,
    tokenize_with_replacements,
)


def carbon_and_oxygen() -> CharacterVocab:
    return CharacterVocab(["C", "O"])


# --- making one --------------------------------------------------------------------------------------------------


def test_specials_come_first_wherever_they_stand() -> None:
    for itos in (["C", "O"], ["eos", "C", "unk", "O", "pad", "bos"], "CO", iter("CO")):
        vocab = CharacterVocab(itos)
        assert vocab.itos == ["bos", "eos", "pad", "unk", "C", "O"]
        assert (len(vocab), vocab.unks) == (6, Counter())
    assert repr(vocab) == "CharacterVocab(6 tokens)"


def test_the_users_lists_are_left_alone() -> None:
    itos, replacements = ["C"], {"Br": "R"}
    vocab = CharacterReplaceVocab(itos, replacements)
    vocab.update_vocab_from_data(["NOS"])
    vocab.replace_dict["Cl"] = "L"
    assert (itos, replacements) == (["C"], {"Br": "R"})


@pytest.mark.parametrize("make", [Vocab, CharacterVocab, lambda itos: RegexVocab(itos, SMILE_REGEX)])
def test_invalid_tokens(make: Any) -> None:
    with pytest.raises(DuplicateTokenError, match=r"'C' is given twice.*give each token once") as error:
        make(["C", "O", "C"])
    assert error.value.token == "C"
    assert isinstance(error.value, ValueError)
    for token, words in (
        (None, "token 1 is None"),
        ("", "token 1 is ''"),
        (3, "token 1 is 3"),
        ("\ud800", "surrogate"),
    ):
        with pytest.raises(VocabError, match=words):
            make(["C", token])


@pytest.mark.parametrize(
    ("replacements", "words"),
    [
        ({"": "R"}, "the key ''"),
        ({7: "R"}, "the key 7"),
        ({"\ud800": "R"}, "the key '\\\\ud800'"),
        ({"Br": "RR"}, "maps 'Br' to 'RR'; expected a single character"),
        ({"Br": ""}, "maps 'Br' to ''"),
        ({"Br": None}, "maps 'Br' to None"),
        ({"Br": "R", "Cl": "R"}, "both 'Br' and 'Cl' to 'R'.*give each its own"),
    ],
)
def test_replacements_that_cannot_be_undone(replacements: Any, words: str) -> None:
    with pytest.raises(VocabError, match=words):
        CharacterReplaceVocab(["C"], replacements)


@pytest.mark.parametrize("pattern", ["(", "[", "*", "\ud800", None, b"C", re.compile("C")])
def test_invalid_patterns(pattern: Any) -> None:
    with pytest.raises(VocabError, match="pattern"):
        RegexVocab(["C"], pattern)


def test_two_classes_cannot_be_of_one_kind() -> None:
    with pytest.raises(VocabError, match=r"kind 'regex' of Mine is that of mrl\..*\.RegexVocab already"):

        class Mine(Vocab):
            kind = "regex"

    assert Vocab.kinds["regex"] is RegexVocab
    for _ in range(2):  # the same cell of a Jupyter notebook, twice

        class Cell(Vocab):
            kind = "cell"

    assert Vocab.kinds.pop("cell") is Cell


# --- encode ------------------------------------------------------------------------------------------------------


def test_encode_literally() -> None:
    ids = carbon_and_oxygen().encode(["CO", "", "OCC"])
    assert isinstance(ids, Ragged)
    assert ids.values.tolist() == [0, 4, 5, 1, 0, 1, 0, 5, 4, 4, 1]
    assert ids.offsets.tolist() == [0, 4, 6, 11]
    assert ids.values.dtype == np.uint8
    assert carbon_and_oxygen().encode([]).lengths.tolist() == []


@pytest.mark.parametrize(
    "column",
    [
        ["CO", "C"],
        ("CO", "C"),
        np.array(["CO", "C"]),
        pd.Series(["CO", "C"], index=[5, 5]),
        pl.Series(["CO", "C"]),
        pa.array(["CO", "C"]),
        pa.chunked_array([["CO"], ["C"]]),
        Text.of(["CO", "C"]),
        {"CO": 0, "C": 1}.keys(),
    ],
    ids=lambda column: type(column).__name__,
)
def test_columns_of_every_kind(column: Any) -> None:
    vocab = carbon_and_oxygen()
    assert vocab.encode(column).tolist() == [[0, 4, 5, 1], [0, 4, 1]]
    assert vocab.coverage(column).rows == 2
    learned = CharacterVocab([])
    assert learned.update_vocab_from_data(column) == 2
    assert learned.itos[4:] == ["C", "O"]


def test_an_iterator_is_a_column() -> None:
    assert carbon_and_oxygen().encode(text for text in ["CO", "C"]).tolist() == [[0, 4, 5, 1], [0, 4, 1]]
    vocab = CharacterVocab([])
    assert vocab.update_vocab_from_data("CO" for _ in range(500)) == 2


@pytest.mark.parametrize("method", ["encode", "coverage", "update_vocab_from_data"])
def test_rows_that_are_not_strings(method: str) -> None:
    vocab = CharacterVocab(["C"])
    run = getattr(vocab, method)
    with pytest.raises(RowError, match=r"row 1 .*None.*dropna") as error:
        run(["C", None])
    assert (error.value.row, error.value.value) == (1, None)
    with pytest.raises(RowError, match=r"row 2 .*nan"):
        run(pd.Series(["C", "N", float("nan")]))
    with pytest.raises(RowError, match=r"row 0 .*7"):
        run([7])
    with pytest.raises(RowError, match=r"row 0 .*surrogate"):
        run(["C\ud800"])
    with pytest.raises(ColumnError, match="single string, 'CCO': wrap it in a list"):
        run("CCO")
    assert (vocab.itos[4:], vocab.unks) == (["C"], Counter())  # nothing half-done


def test_a_row_of_an_iterator_is_named_by_its_number_in_all() -> None:
    with pytest.raises(RowError) as error:
        CharacterVocab([]).update_vocab_from_data(None if i == 70_000 else "C" for i in range(70_001))
    assert error.value.row == 70_000


@pytest.mark.parametrize(("n", "dtype"), [(256, np.uint8), (257, np.uint16), (65_536, np.uint16), (65_537, np.uint32)])
def test_ids_are_of_the_smallest_type_that_holds_every_one(n: int, dtype: type) -> None:
    vocab = CharacterVocab(chr(0x10000 + i) for i in range(n - 4))
    assert (len(vocab), vocab.dtype) == (n, np.dtype(dtype))
    text = vocab.itos[4] + vocab.itos[-1]
    ids = vocab.encode([text])
    assert ids.values.dtype == dtype
    assert ids[0].tolist() == [0, 4, n - 1, 1]
    assert vocab.decode(ids) == [text]


def test_one_warning_per_call_has_counts_and_a_remedy() -> None:
    vocab = carbon_and_oxygen()
    with pytest.warns(UnknownTokenWarning) as caught:
        ids = vocab.encode(["CN", "NS", "C"])
    assert ids.tolist() == [[0, 4, 3, 1], [0, 3, 3, 1], [0, 4, 1]]
    assert [str(warning.message) for warning in caught] == [
        "3 tokens are not in the vocabulary and became 'unk': 'N' (2), 'S' (1); these texts cannot be recovered from "
        "their ids. Learn the tokens first, vocab.update_vocab_from_data(texts); vocab.coverage(texts).unknown has "
        "their rows; if it is intended, vocab.encode(texts, on_unknown='unk') does not warn, nor does a dataset after "
        "warnings.simplefilter('ignore', mrl.errors.UnknownTokenWarning)"
    ]
    assert caught[0].filename == __file__
    assert vocab.unks == Counter()
    with pytest.warns(UnknownTokenWarning, match="^1 token is not"):
        vocab.encode(["N"])
    with pytest.warns(UnknownTokenWarning, match=r"'a' \(1\), 'b' \(1\), 'c' \(1\), 'd' \(1\), 'e' \(1\) and 2 more;"):
        vocab.encode(["gfedcba"])


def test_unknown_tokens_that_are_intended() -> None:
    vocab = carbon_and_oxygen()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert vocab.encode(["CN"], on_unknown="unk").tolist() == [[0, 4, 3, 1]]
        assert vocab.encode(["CO"]).tolist() == [[0, 4, 5, 1]]


@pytest.mark.parametrize(
    ("vocab", "text", "token", "position"),
    [
        (CharacterVocab("CO"), "COOC N", " ", 4),
        (CharacterVocab("CO"), "C\u2212", "\u2212", 1),
        (CharacterReplaceVocab("[]", HALOGEN_REPLACE), "BrCl[u]", "u", 5),
        (CharacterReplaceVocab("[]u", HALOGEN_REPLACE), "Br[Ru]", "\\R", 3),
        (RegexVocab(["C", "Cl"], SMILE_REGEX), "ClC[Si]C", "[Si]", 3),
    ],
)
def test_unknown_tokens_can_be_errors(vocab: Vocab, text: str, token: str, position: int) -> None:
    with pytest.raises(UnknownTokenError, match=r"row 1: .*not in the vocabulary; learn it") as error:
        vocab.encode(["", text], on_unknown="raise")
    assert (error.value.row, error.value.token, error.value.position) == (1, token, position)
    assert repr(token) in str(error.value)
    assert repr(text) in str(error.value)
    assert vocab.unks == Counter()


def test_on_unknown_has_three_values() -> None:
    with pytest.raises(ValueError, match="on_unknown is 'ignore'; expected 'warn', 'unk' or 'raise'"):
        carbon_and_oxygen().encode(["C"], on_unknown="ignore")  # type: ignore[arg-type]


# --- decode ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids",
    [
        [[0, 4, 1, 2], [0, 4, 5, 1]],
        [np.array([4]), np.array([4, 5, 1], np.uint8)],
        np.array([[0, 4, 1, 2], [0, 4, 5, 1]], np.int16),
        torch.tensor([[0, 4, 1, 5], [2, 4, 2, 5]]),
        [torch.tensor([4]), torch.tensor([4, 5])],
        Ragged([0, 4, 1, 0, 4, 5], [0, 3, 6]),
        Ragged(np.array([9, 4, 4, 5], np.uint8), [1, 2, 4]),
    ],
    ids=lambda ids: type(ids).__name__,
)
def test_decode_takes_rows_of_every_kind(ids: Any) -> None:
    vocab = carbon_and_oxygen()
    assert vocab.decode(ids) == ["C", "CO"]
    assert isinstance(vocab.decode_bytes(ids), Text)
    assert vocab.decode_bytes(ids).tolist() == ["C", "CO"]


def test_decode_of_nothing() -> None:
    vocab = carbon_and_oxygen()
    assert vocab.decode([]) == []
    assert vocab.decode([[], [1]]) == ["", ""]
    assert vocab.decode(np.zeros((2, 0), int)) == ["", ""]
    assert vocab.decode(vocab.encode([])) == []


def test_specials_in_text() -> None:
    vocab = carbon_and_oxygen()
    assert vocab.reconstruct([0, 4, 2, 5, 0, 2, 1, 4]) == "CO"
    assert vocab.reconstruct([3, 4]) == "\ufffdC"
    assert vocab.reconstruct([3, 4], unk="") == "C"
    assert vocab.decode([[3, 4]], unk="<?>") == ["<?>C"]
    assert vocab.decode_bytes([[3, 4]], unk="é").tolist() == ["éC"]
    assert vocab.reconstruct(torch.tensor([4, 5])) == vocab.reconstruct(np.array([4, 5], np.uint8)) == "CO"
    assert vocab.prefixes([0, 4, 3, 5, 1, 4]) == ["", "C", "C\ufffd", "C\ufffdO", "C\ufffdO", "C\ufffdO"]
    assert vocab.prefixes(torch.tensor([4, 5])) == ["C", "CO"]


@pytest.mark.parametrize("wrong", [-1, 6, 10**6, -(10**6)])
def test_ids_out_of_range(wrong: int) -> None:
    vocab = carbon_and_oxygen()
    with pytest.raises(TokenIdError, match=f"^id {wrong} is not in this .* 0 to 5.*another vocabulary") as error:
        vocab.reconstruct([4, wrong])
    assert error.value.id == wrong
    assert isinstance(error.value, IndexError)
    with pytest.raises(TokenIdError, match=rf"row 1\b.* {wrong}\b.* 0 to 5") as error:
        vocab.decode([[4], [4, wrong]])
    assert (error.value.row, error.value.id) == (1, wrong)
    assert vocab.decode([[4, 1, wrong]]) == vocab.decode([[4, 1]])  # ids after eos are ignored


@pytest.mark.parametrize("wrong", [4.0, 4.7, "4", None])
def test_ids_that_are_not_integers(wrong: Any) -> None:
    vocab = carbon_and_oxygen()
    with pytest.raises(TypeError, match="integer"):
        vocab.reconstruct([wrong])
    with pytest.raises(RowError, match=r"row 1 of the ids .* expected whole numbers"):
        vocab.decode([[4], [wrong, 1]])
    with pytest.raises((RowError, ColumnError), match=r"expected (whole )?numbers"):
        vocab.decode(np.array([[wrong, wrong]]))
    assert vocab.decode([np.zeros(0), []]) == ["", ""]  # of nothing the type does not matter


def test_one_row_is_not_a_batch() -> None:
    for row in ([0, 4, 1], np.array([0, 4, 1]), torch.tensor([0, 4, 1])):
        with pytest.raises(ValueError, match="reconstruct"):
            carbon_and_oxygen().decode(row)


# --- growing -----------------------------------------------------------------------------------------------------


def test_counts_of_what_numericalize_did_not_know() -> None:
    vocab = carbon_and_oxygen()
    assert vocab.numericalize(["N", "C", "N", "F", "S", "S"]) == [3, 4, 3, 3, 3, 3]
    assert vocab.unks == {"N": 2, "F": 1, "S": 2}
    assert vocab.update_vocab_from_data(["FB"]) == 2  # counts its rows only
    assert vocab.itos[6:] == ["B", "F"]
    assert vocab.unks == {"N": 2, "S": 2}
    assert vocab.update_vocab() == 2
    assert vocab.itos[6:] == ["B", "F", "N", "S"]
    assert vocab.update_vocab() == 0
    assert vocab.update_vocab_from_data(["CONS"]) == 0


def test_an_invalid_token_changes_nothing() -> None:
    vocab = carbon_and_oxygen()
    vocab.numericalize(["N", "\ud800"])
    with pytest.raises(VocabError, match="surrogate"):
        vocab.update_vocab()
    assert vocab.itos[4:] == ["C", "O"]
    assert {*vocab.stoi} == {"bos", "eos", "pad", "unk", "C", "O"}
    assert vocab.unks == {"N": 1, "\ud800": 1}


def test_sizes_for_embeddings() -> None:
    sizes = [CharacterVocab("CNOFPSI"[:n]).rounded() for n in range(8)]
    assert sizes == [8, 8, 8, 8, 8, 16, 16, 16]
    assert CharacterVocab("C").rounded(1) == 5
    with pytest.raises(ValueError, match="multiple is 0"):
        CharacterVocab("C").rounded(0)


def test_ids_follow_the_vocabulary_as_it_grows() -> None:
    vocab = RegexVocab(["C"], SMILE_REGEX)
    assert vocab.encode(["C[Si]"], on_unknown="unk").tolist() == [[0, 4, 3, 1]]
    vocab.update_vocab_from_data(["[Si]"])
    assert vocab.encode(["C[Si]"], on_unknown="raise").tolist() == [[0, 4, 5, 1]]
    assert vocab.decode([[4, 5]]) == ["C[Si]"]


def test_a_token_that_is_never_used_does_not_take_the_place_of_another() -> None:
    vocab = CharacterReplaceVocab(["R", "Br", "C", "\\N", "N"], {"Br": "R", "N": "C", "C": "N"})
    rows = [vocab.numericalize(vocab.tokenize(text)) for text in ("BrCN", "BrRBr")]
    assert rows == [[0, 4, 8, 6, 1], [0, 4, 3, 4, 1]]
    assert vocab.encode(["BrCN", "BrRBr"], on_unknown="unk").tolist() == rows
    assert vocab.decode([[4, 8, 6]]) == ["BrCN"]


# --- identity ----------------------------------------------------------------------------------------------------


def test_fingerprints_distinguish_vocabularies() -> None:
    class Other(RegexVocab):
        def tokenize(self, smile: str) -> list[str]:
            return ["bos", *smile, "eos"]

    made = [
        Vocab(["C", "O"]),
        CharacterVocab(["C", "O"]),
        CharacterVocab(["O", "C"]),
        CharacterVocab(["C"]),
        CharacterReplaceVocab(["C", "O", "R"], {"Br": "R"}),
        CharacterReplaceVocab(["C", "O", "R"], {"Cl": "R"}),
        RegexVocab(["C", "O"], "C"),
        RegexVocab(["C", "O"], "O"),
        Other(["C", "O"], "C"),
    ]
    assert len({vocab.fingerprint() for vocab in made}) == len(made)
    for i, a in enumerate(made):
        for j, b in enumerate(made):
            assert (a == b) == (i == j)
    assert made[1].fingerprint(5) == made[3].fingerprint()
    assert made[1].accepts(5, made[3].fingerprint())
    assert not made[3].accepts(6, made[1].fingerprint())
    assert not made[2].accepts(5, made[3].fingerprint())
    assert CharacterVocab(["C"]) != "C"
    for n in (3, 6):
        with pytest.raises(ValueError, match=f"n is {n}; expected 4 to 5, the number of tokens"):
            made[3].fingerprint(n)
    # Kept by data and models, so that it may never change.
    assert made[1].fingerprint() == "9abd33e6398b68c8e07fff9429f44d474c7c1ac8241103ed32eb43e1a46d332c"


def test_a_vocabulary_grows_and_so_is_not_hashable() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(CharacterVocab(["C"]))
    deep = copy.deepcopy(vocab := CharacterVocab(["C"]))
    deep.update_vocab_from_data(["O"])
    assert vocab.itos[4:] == ["C"]


# --- coverage ----------------------------------------------------------------------------------------------------


def test_coverage_literally() -> None:
    vocab = RegexVocab(["C", "O"], SMILE_REGEX)
    texts = ["CCO", "C[Si]C[Si]", "", "N[Si]", "CO"]
    found = vocab.coverage(texts)
    assert found == Coverage(5, 11, 2, 4, [Unknown("[Si]", 3, 1, "C[Si]C[Si]"), Unknown("N", 1, 3, "N[Si]")])
    assert not found.complete
    assert repr(found) == (
        "Coverage(2 of 5 rows and 4 of 11 tokens unknown: '[Si]' (3, first in row 1: 'C[Si]C[Si]'), "
        "'N' (1, first in row 3: 'N[Si]'))"
    )
    assert found.to_dict() == {
        "rows": 5,
        "tokens": 11,
        "unknown_rows": 2,
        "unknown_tokens": 4,
        "unknown": [
            {"token": "[Si]", "count": 3, "row": 1, "text": "C[Si]C[Si]"},
            {"token": "N", "count": 1, "row": 3, "text": "N[Si]"},
        ],
    }
    assert vocab.unks == Counter()
    full = vocab.coverage(["CO", "C"])
    assert full.complete
    assert repr(full) == "Coverage(all of 2 rows and 3 tokens known)"
    assert repr(CharacterVocab([]).coverage(["abcdefg"])).endswith("and 2 more)")
    assert CharacterReplaceVocab([], {"Br": "R"}).coverage(["RBr"]).unknown == [Unknown("\\R", 1, 0, "RBr")]


# --- subclasses of users -------------------------------------------------------------------------------------------


class Pairs(Vocab):
    """Only `tokenize`."""

    def tokenize(self, input: str) -> list[str]:
        return ["bos", *(input[i : i + 2] for i in range(0, len(input), 2)), "eos"]


class Lower(CharacterVocab):
    """Only `numericalize`: upper-case letters are looked up as lower-case ones."""

    def numericalize(self, input: Any) -> list[int]:
        return super().numericalize(token.lower() for token in input)


class Shouted(CharacterVocab):
    """Only `reconstruct`, as the notebook writes it."""

    def reconstruct(self, input: Any) -> str:  # type: ignore[override]
        return super().reconstruct(input).upper()


@pytest.mark.parametrize(
    ("vocab", "changed"),
    [(Pairs(["CC", "CO"]), "tokenize"), (Lower(["c"]), "numericalize"), (Shouted(["c"]), "reconstruct")],
)
def test_a_subclass_of_one_method_is_used_everywhere(vocab: Vocab, changed: str) -> None:
    texts = ["CCCO", "ccc", "CcN"]
    with pytest.warns(UnknownTokenWarning):
        ids = vocab.encode(texts)
    rows = [vocab.numericalize(vocab.tokenize(text)) for text in texts]
    assert ids.tolist() == rows
    assert vocab.decode(ids) == vocab.decode_bytes(ids).tolist() == [vocab.reconstruct(row) for row in rows]
    assert vocab.prefixes(rows[0])[-1] == vocab.reconstruct(rows[0])
    assert (vocab.engine, vocab.engine_reason) == ("python", f"{type(vocab).__name__} overrides {changed}")


def test_unknown_tokens_of_a_subclass_are_those_that_it_does_not_know() -> None:
    vocab = Lower(["c"])
    with pytest.raises(UnknownTokenError, match="'N' at position 2 of 'CcN'") as error:
        vocab.encode(["Cc", "CcN"], on_unknown="raise")
    assert (error.value.row, error.value.token, error.value.position) == (1, "N", 2)
    with pytest.warns(UnknownTokenWarning, match=r"2 tokens are .*'N' \(1\), 'O' \(1\)"):
        vocab.encode(["NC", "O"])
    assert vocab.unks == Counter()
    assert Pairs(["CC"]).update_vocab_from_data(["CCOO"]) == 1


def test_vocabularies_report_how_they_run() -> None:
    for vocab in (carbon_and_oxygen(), CharacterReplaceVocab("C", HALOGEN_REPLACE), RegexVocab(["C"], SMILE_REGEX)):
        assert vocab.engine == "table"
        assert "states" in vocab.engine_reason
    vocab = RegexVocab(["C"], "(?<=C)l")
    assert (vocab.engine, "look-around" in vocab.engine_reason) == ("re", True)


def test_reconstruction_names_what_did_not_come_back() -> None:
    assert test_reconstruction(carbon_and_oxygen(), ["CO", "CNC", ""]) == [("CNC", "C\ufffdC")]
    assert test_reconstruction(carbon_and_oxygen(), iter(["CO"])) == []


def test_replacing_leaves_the_dictionary_alone() -> None:
    replacements = {"Br": "R"}
    assert tokenize_with_replacements("BrR", replacements) == ["R", "\\R"]
    assert replacements == {"Br": "R"}
    assert tokenize_with_replacements("BrR", {}) == ["B", "r", "R"]


def test_an_iterator_is_encoded_block_by_block() -> None:
    vocab = CharacterVocab(["C", "O"])
    texts = ["CO", "", "OCC", "C", "CCCC"] * 30_000
    assert vocab.encode(iter(texts)) == vocab.encode(texts)
    assert vocab.encode(iter([])).tolist() == []
    with pytest.raises(UnknownTokenError, match="row 100000: the token 'N' at position 1"):
        vocab.encode(iter([*texts[:100_000], "CN"]), on_unknown="raise")
    with pytest.warns(UnknownTokenWarning, match="2 tokens are not") as caught:
        vocab.encode(iter(["N", *texts[:100_000], "N"]))
    assert [one.category for one in caught].count(UnknownTokenWarning) == 1


def test_many_unknown_tokens_of_one_long_row_are_located() -> None:
    vocab = CharacterVocab(["C", "é"])
    text = "é" * 100_000 + "NéC" * 100_000
    with pytest.raises(UnknownTokenError, match="row 1: the token 'N' at position 100000") as error:
        vocab.encode(["", text], on_unknown="raise")
    assert error.value.position == 100_000
    with pytest.warns(UnknownTokenWarning, match="100000 tokens are .*'N';"):
        vocab.encode([text])
