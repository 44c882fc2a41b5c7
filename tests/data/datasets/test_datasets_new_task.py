"""A new task is one value in one module, from which everything else follows: reactions."""

from __future__ import annotations

from pathlib import Path

import pytest
import reactions
import torch
from reactions import REACTIONS

from mrl.data import BaseDataset, Padding, dict_collate, split
from mrl.errors import ColumnError, RowError, StateError
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CO.=N")
REACTANTS = ["CO.C=O", "CC", "N.C", "O.O"]
PRODUCTS = ["COCO", "C=C", "NC", "OO"]
ECONOMY = [1.0, 0.93, None, 0.94]


def dataset() -> BaseDataset:
    return BaseDataset.from_task(
        REACTIONS, {"reactants": REACTANTS, "products": PRODUCTS, "economy": ECONOMY}, vocab=VOCAB
    )


def test_the_module_has_at_most_40_lines() -> None:
    assert len(Path(reactions.__file__).read_text().splitlines()) <= 40


def test_a_batch_written_out() -> None:
    (source, x), y, economy = dataset().batch([1, 2])
    assert source.tolist() == [[0, 4, 4, 1, 2], [0, 8, 6, 4, 1]]
    assert x.tolist() == [[0, 4, 7, 4, 1], [0, 8, 4, 1, 2]]
    assert y.tolist() == [[4, 7, 4, 1, 2], [8, 4, 1, 2, 2]]
    assert torch.allclose(economy, torch.tensor([0.93, torch.nan]), equal_nan=True)


def test_samples_collated_are_the_batch() -> None:
    ds = dataset()
    (source, x), y, economy = ds.collate_function([ds[0], ds[1]])
    (source2, x2), y2, economy2 = ds.batch([0, 1])
    assert source.equal(source2)
    assert x.equal(x2)
    assert y.equal(y2)
    assert economy.equal(economy2)
    assert dict_collate(ds.__getitems__([1]))["labels"].tolist() == [[0, 4, 7, 4, 1]]


def test_new_rows_and_sampled_ids() -> None:
    made = dataset().new(["CC"])
    assert made.columns["products"].tolist() == [""]
    assert made.batch()[2].isnan().all()
    sampled = dataset().from_ids([[0, 4, 4, 1, 2]], reactants=["C.C"])
    assert sampled.columns["products"].tolist() == ["CC"]
    assert [part.tolist() for part in sampled[0][:2]] == [[0, 4, 6, 4, 1], [0, 4, 4, 1]]


def test_views_splits_and_loaders() -> None:
    ds = dataset()
    train, valid = ds.split(0.25)
    assert sorted([*train.columns["products"], *valid.columns["products"]]) == sorted(PRODUCTS)
    assert [len(part) for part in split(ds, (0.5, 0.5), groups=[0, 0, 1, 1])] == [2, 2]
    assert sum(len(y) for _, y, _ in ds.dataloader(3, shuffle=True, padding=Padding(multiple=8))) == 4
    loader = ds.dataloader(2, bucket=True)
    whole = [y.tolist() for _, y, _ in ds.dataloader(2, bucket=True)]
    next(iter(loader))
    other = dataset().dataloader(2, bucket=True)
    other.load_state_dict(loader.state_dict())
    assert [y.tolist() for _, y, _ in other] == whole[1:]
    with pytest.raises(StateError, match="the data differ"):
        ds.new(REACTANTS, PRODUCTS).dataloader(2, bucket=True).load_state_dict(loader.state_dict())


def test_mistakes_are_named() -> None:
    with pytest.raises(RowError, match="row 1 of column 'products'"):
        dataset().new(["C", "C"], ["C", None])
    with pytest.raises(ColumnError, match="reactants has 1, products has 2"):
        dataset().new(["C"], ["C", "C"])
    with pytest.raises(ColumnError, match="the column 'reactants' is missing"):
        BaseDataset.from_task(REACTIONS, {}, vocab=VOCAB)
    with pytest.raises(AttributeError, match="the rows were made with 'vocab'"):
        dataset().vocab = CharacterVocab("C")
