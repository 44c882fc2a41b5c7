"""Messages of datasets advise something: here each advice is followed to the letter."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mrl
from mrl.data import (
    ConditionalDataset,
    Padding,
    PairDataset,
    TextDataset,
    VecReconDataset,
    VectorDataset,
    split,
    split_rows,
)
from mrl.errors import ColumnError, DatasetError, RowError, UnknownTokenWarning
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CO")
SMILES = ["C", "CCO", "CC"]


def lengths_of_texts(text: str) -> list[float]:
    return [float(len(text))]


WITH_TOKENS: dict[str, Callable[[], Any]] = {
    "text": lambda: TextDataset(SMILES, VOCAB),
    "pairs": lambda: PairDataset(SMILES, ["C", "C", "CC"], VOCAB),
    "condition": lambda: ConditionalDataset(SMILES, np.ones((3, 1)), VOCAB),
    "vectors": lambda: VecReconDataset(SMILES, VOCAB, lengths_of_texts),
}


@pytest.mark.parametrize("kind", WITH_TOKENS)
def test_long_rows_are_left_out_as_the_message_says(kind: str) -> None:
    ds = WITH_TOKENS[kind]()
    for options, width in (({"padding": Padding(to=4)}, 4), ({"max_tokens": 4}, 4)):
        with pytest.raises(ValueError, match=r"leave out long rows: ds\.view\(ds\.lengths\(\) <= 4\)$") as caught:
            next(iter(ds.dataloader(3, **options)))
        short = eval(str(caught.value).partition("rows: ")[2], {"ds": ds})
        assert len(short) == 2
        assert [len(batch) for batch in short.dataloader(3, **options)] in ([2], [2, 2]), width


def test_unknown_tokens_of_a_dataset() -> None:
    vocab = CharacterVocab("C")
    ds = TextDataset(["CO", "CN"], vocab)
    with pytest.warns(UnknownTokenWarning, match="a dataset after warnings.simplefilter") as caught:
        ds.batch()
    assert caught[0].filename == __file__
    assert [(one.token, one.row) for one in vocab.coverage(ds.smiles).unknown] == [("N", 1), ("O", 0)]
    with warnings.catch_warnings(record=True) as after:
        warnings.simplefilter("ignore", mrl.errors.UnknownTokenWarning)
        ds.view([0, 1]).batch()
    assert not after
    vocab.update_vocab_from_data(ds.smiles)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ds.batch()[0].tolist() == [[0, 4, 6, 1], [0, 4, 5, 1]]


def test_a_column_that_is_taken() -> None:
    ds: Any = TextDataset(SMILES, VOCAB)
    ds.add_column("year", [1, 2, 3])
    with pytest.raises(ColumnError, match=r"column 'year' already; .* by ds\.new\(\.\.\., year=values\), or choose"):
        ds.add_column("year", [4, 5, 6])
    assert ds.new(ds.smiles, year=[4, 5, 6]).year.tolist() == [4, 5, 6]
    with pytest.raises(ColumnError, match=r"'vocab' is an attribute of a TextDataset, .* such as 'vocab_2'$"):
        ds.add_column("vocab", [4, 5, 6])
    ds.add_column("vocab_2", [4, 5, 6])
    assert ds.view([2]).vocab_2.tolist() == [6]


def test_an_attribute_that_looks_like_a_column() -> None:
    ds: Any = TextDataset(SMILES, VOCAB)
    ds.names = ["a", "b", "c"]
    with pytest.warns(UserWarning, match=r"make it a column: del ds\.names; ds\.add_column\('names', values\)"):
        ds.view([1])
    values = ds.names
    del ds.names
    ds.add_column("names", values)
    assert ds.view([1]).names.tolist() == ["b"]


def test_an_order_by_length_without_tokens() -> None:
    ds = VectorDataset(SMILES, lengths_of_texts)
    with pytest.raises(DatasetError, match=r"leave out max_tokens and bucket$"):
        ds.dataloader(2, max_tokens=10)
    assert len(ds.dataloader(2)) == 2


@pytest.mark.parametrize("name", ["groups", "stratify", "sort_by"])
def test_a_split_by_the_name_of_a_column(name: str) -> None:
    ds = TextDataset(["C", "CC", "O", "OO"], CharacterVocab("CO"))
    ds.add_column("year", [2, 2, 1, 1])
    named = split(ds, (0.5, 0.5), **{name: "year"})  # type: ignore[arg-type]
    given = split(ds, (0.5, 0.5), **{name: ds.columns["year"]})
    assert [part.smiles.tolist() for part in named] == [part.smiles.tolist() for part in given]
    assert [len(part) for part in named] == [2, 2]
    words = r"^there is no column 'yaer' \(did you mean 'year'\?\); the columns are 'smiles', 'year'$"
    with pytest.raises(ColumnError, match=words):
        split(ds, (0.5, 0.5), **{name: "yaer"})  # type: ignore[arg-type]
    with pytest.raises(
        ColumnError, match=rf"^{name} is 'year', expected one value for each row: give the column itself"
    ):
        split_rows(4, (0.5, 0.5), **{name: "year"})  # type: ignore[arg-type]


def test_dates_of_another_notation() -> None:
    ds = TextDataset(["C", "CC"], VOCAB)
    values = ["9/1/2019", "2/1/2020"]
    with pytest.raises(RowError, match=r"pandas\.to_datetime\(values, format='%m/%d/%Y'\)$"):
        split(ds, (0.5, 0.5), sort_by=values)
    first, last = split(ds, (0.5, 0.5), sort_by=pd.to_datetime(values, format="%m/%d/%Y"))
    assert (first.smiles.tolist(), last.smiles.tolist()) == (["C"], ["CC"])
