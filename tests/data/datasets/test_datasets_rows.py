"""Rows of datasets: `new`, views, added columns, subclasses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from mrl.data import (
    BaseDataset,
    PackedDataset,
    TextDataset,
    TextPredictionDataset,
    VecPredictionDataset,
    VectorDataset,
    lm_collate,
    sequence_prediction_collate,
)
from mrl.errors import ColumnError, DatasetError, RowError
from mrl.ragged import Text
from mrl.text import CharacterVocab, Vocab

VOCAB = CharacterVocab("CON=")
SMILES = ["C", "CO", "N=O", "CC"]


def rows_of(ds: Any) -> list[list[int]]:
    return [ids.tolist() for ids in ds]


# --- new -----------------------------------------------------------------------------------------------------------


def test_new_keeps_the_configuration() -> None:
    collate = partial(lm_collate, pad_idx=2, batch_first=False)
    ds = TextDataset(SMILES, VOCAB, collate, max_length=5, on_long="reject").new(["CCCC", "C"])
    assert (ds.vocab, ds.collate_function, ds.max_length) == (VOCAB, collate, 5)
    assert ds.smiles.tolist() == ["C"]
    assert [tuple(r) for r in ds.rejects] == [(0, "CCCC", "length", "too long: 6 tokens, more than max_length 5")]
    labelled = TextPredictionDataset(SMILES, [0, 1, 2, 0], VOCAB, y_dtype=torch.int64).new(["C", "O"], [1, 2])
    assert labelled.batch()[1].tolist() == [1, 2]
    vectors = VectorDataset(SMILES, len, n_jobs=2, cache=None, on_error="mask").new(["CCC"])
    assert (vectors.n_jobs, vectors.cache, vectors.on_error) == (2, None, "mask")
    assert vectors.batch().tolist() == [[3.0]]


def test_labels_that_are_left_out_are_missing() -> None:
    y = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB).new(["C", "O"]).batch()[1]
    assert y.isnan().tolist() == [True, True]
    y = VecPredictionDataset(SMILES, np.ones((4, 3)), len).new(["C", "O"]).batch()[1]
    assert y.isnan().tolist() == [[True] * 3] * 2
    y = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB, y_dtype=torch.int64).new(smiles=["C"]).batch()[1]
    assert y.tolist() == [-100]
    ds = TextPredictionDataset(SMILES, np.ones((4, 2)), VOCAB, y_dtype=torch.int32)
    assert ds.new([]).new(["C"]).batch()[1].tolist() == [[-100, -100]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda ds: ds.new(), "new needs the column 'smiles'"),
        (lambda ds: ds.new(["C"], [1], [2]), r"new takes 2 column\(s\) \(smiles, y_vals\), got 3"),
        (lambda ds: ds.new(["C"], smiles=["C"]), "got the column 'smiles' twice"),
        (lambda ds: ds.new(["C"], weights=[1]), "'weights', which is not a column of this dataset: smiles, y_vals"),
        (lambda ds: ds.from_ids([[0, 4, 1]], weights=[1]), "'weights', which is not a column"),
    ],
)
def test_new_names_columns_that_it_does_not_take(call: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call(TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB))


def test_on_error_of_new_is_checked() -> None:
    for ds in (VectorDataset(SMILES, len), TextDataset(SMILES, VOCAB)):
        with pytest.raises(ValueError, match="on_error is 'skip'; expected 'raise', 'drop' or 'mask'"):
            ds.new(["C"], on_error="skip")  # type: ignore[arg-type]


def test_on_error_of_new_decides_about_long_rows() -> None:
    ds = TextDataset(["C"], CharacterVocab(["C"]), max_length=4)
    made = ds.new(["CC", "CCC"], on_error="drop")
    assert made.smiles.tolist() == ["CC"]
    assert [(reject.row, reject.stage) for reject in made.rejects] == [(1, "length")]
    assert len(ds.from_ids([[4, 4, 4, 1]], on_error="drop")) == 0
    lenient = TextDataset(["C"], CharacterVocab(["C"]), max_length=4, on_long="reject")
    with pytest.raises(RowError, match="max_length 4"):
        lenient.new(["CCC"], on_error="raise")
    with pytest.raises(RowError, match="max_length 4"):
        ds.new(["CCC"], on_error="mask")  # which has no meaning for long rows: on_long decides


def test_on_error_of_new_goes_on_to_later_new_rows_and_not_back() -> None:
    ds = TextDataset(["C"], VOCAB, max_length=4)
    dropping = ds.new(["CCC"], on_error="drop")
    assert (ds.on_error, dropping.on_error, dropping.new(["C"]).on_error, dropping.view([]).on_error) == (
        None,
        "drop",
        "drop",
        "drop",
    )
    assert len(dropping.new(["CCC", "C"])) == 1
    with pytest.raises(RowError, match="max_length 4"):
        dropping.new(["CCC"], on_error="raise")
    with pytest.raises(RowError, match="max_length 4"):
        ds.new(["CCC"])


@pytest.mark.parametrize("on_error", ["raise", "drop", "mask"])
def test_on_error_is_about_rows_that_cannot_be_computed_not_about_wrong_values(on_error: Any) -> None:
    labelled = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB)
    with pytest.raises(RowError, match="row 1 of y_vals is 'high'"):
        labelled.new(["C", "O"], [1, "high"], on_error=on_error)
    with pytest.raises(RowError, match="row 1 of column 'smiles' is None"):
        labelled.new(["C", None], on_error=on_error)
    made = labelled.new(["C", "O"], [1, None], on_error=on_error)
    assert (made.ok.tolist(), len(made.rejects)) == ([True, True], 0)
    blocks = PackedDataset(["C"], VOCAB, 4, on_long="reject")
    if on_error == "raise":
        with pytest.raises(RowError, match="more than block 4"):
            blocks.new(["C", "CCC"], on_error=on_error)
    else:
        assert [reject.row for reject in blocks.new(["C", "CCC"], on_error=on_error).rejects] == [1]


@pytest.mark.parametrize("made", [np.array, torch.tensor], ids=["array", "tensor"])
def test_a_view_keeps_its_rows_when_the_numbers_it_was_made_from_change(made: Any) -> None:
    rows = made([0, 1])
    view, (train, valid) = TextDataset(SMILES, VOCAB).view(rows), TextDataset(SMILES, VOCAB).split_on_idxs(rows, rows)
    rows[:] = 3
    for ds in (view, train, valid):
        assert ds.smiles.tolist() == ["C", "CO"]
        assert rows_of(ds) == [[0, 4, 1], [0, 4, 5, 1]]
        assert ds.kept.tolist() == [0, 1]


# --- added columns ---------------------------------------------------------------------------------------------------


def test_added_columns_go_with_their_rows() -> None:
    ds: Any = TextDataset(SMILES, VOCAB)
    ds.add_column("name", ["a", "b", "c", "d"])
    ds.add_column("vector", np.arange(8).reshape(4, 2))
    view = ds.view([3, 1]).view([1])
    assert (view.name[0], view.vector[0].tolist(), view.smiles[0]) == ("b", [2, 3], "CO")
    parts = ds.split(0.5)
    assert sorted([*parts[0].name, *parts[1].name]) == ["a", "b", "c", "d"]
    assert all(
        dict(zip(SMILES, "abcd", strict=True))[s] == n for p in parts for s, n in zip(p.smiles, p.name, strict=True)
    )
    made = ds.new(["C", "O"], name=["x", "y"])
    assert made.name.tolist() == ["x", "y"]
    assert "vector" not in made.columns
    with pytest.raises(AttributeError, match="'TextDataset' object has no attribute 'vector'"):
        _ = made.vector
    view.add_column("only_here", [1])
    assert "only_here" not in ds.columns


def test_added_columns_follow_dropped_rows() -> None:
    ds: Any = TextDataset(SMILES, VOCAB, max_length=4, on_long="reject")
    ds.add_column("name", list("abd"))
    assert ds.smiles.tolist() == ["C", "CO", "CC"]
    made = ds.new(["CCCCC", "O", "CCCC", "N"], name=list("wxyz"))
    assert (made.smiles.tolist(), made.name.tolist(), made.kept.tolist()) == (["O", "N"], ["x", "z"], [1, 3])
    with pytest.raises(ColumnError, match="name has 2 values for 4 rows"):
        ds.new(["CCCCC", "O", "CCCC", "N"], name=list("xz"))


@pytest.mark.parametrize("name", ["smiles", "vocab", "kept", "fields", "columns", "batch", "lengths", "rejects"])
def test_a_column_needs_a_new_name(name: str) -> None:
    with pytest.raises(ColumnError, match=f"'{name}' .* choose another name"):
        TextDataset(SMILES, VOCAB).add_column(name, [1, 2, 3, 4])


def test_an_added_column_has_a_value_for_each_row() -> None:
    with pytest.raises(ColumnError, match="weights has 3 values for 4 rows"):
        TextDataset(SMILES, VOCAB).add_column("weights", [1, 2, 3])


@pytest.mark.parametrize("values", [[1, 2, 3, 4], np.ones(4), torch.ones(4, 2), TextDataset(SMILES, VOCAB).smiles])
def test_an_attribute_as_long_as_the_dataset_is_warned_about(values: Any) -> None:
    ds: Any = TextDataset(SMILES, VOCAB)
    ds.weights = values
    uses: list[Callable[[], Any]] = [lambda: ds.new(["C"]), lambda: ds.split(0.5), lambda: ds.view([0])]
    for use in uses:
        with pytest.warns(
            UserWarning,
            match=r"'weights' has as many values .* \(4\).* del ds\.weights; ds\.add_column",
        ):
            use()


@pytest.mark.parametrize("values", [(1, 2, 3, 4), {"a": [1, 2, 3, 4]}, [1, 2, 3], np.float64(4.0), "CCCC", range(4)])
@pytest.mark.filterwarnings("error")
def test_any_other_attribute_is_a_setting(values: Any) -> None:
    ds: Any = TextDataset(SMILES, VOCAB)
    ds.betas = values
    assert all(part.betas is values for part in (ds.new(["C"]), *ds.split(0.5), ds.view([0])))


def test_columns_and_the_settings_that_rows_were_made_with_cannot_be_set() -> None:
    ds = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB)
    with pytest.raises(AttributeError, match=r"'y_vals' is a column; .* ds\.new\(\.\.\., y_vals=values\)"):
        ds.y_vals = [5, 6, 7, 8]
    with pytest.raises(AttributeError, match="the rows were made with 'vocab'"):
        ds.vocab = CharacterVocab("NC")
    ds.vocab = VOCAB  # the same one
    ds.collate_function = partial(sequence_prediction_collate, pad_idx=2, batch_first=False)
    assert ds.batch()[0].shape == (6, 4)
    vectors = VectorDataset(SMILES, len)
    with pytest.raises(AttributeError, match="'mol_function'"):
        vectors.mol_function = str.upper


# --- subclasses ----------------------------------------------------------------------------------------------------


class Weighted(TextDataset):
    """A constructor argument after those of the base class, and a setting."""

    weights: Any

    def __init__(
        self, smiles: Any, vocab: Vocab, weights: Any, collate_function: Any = None, power: float = 1.0
    ) -> None:
        super().__init__(smiles, vocab, collate_function)
        self.add_column("weights", weights)
        self.power = power

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i), self.weights[i] ** self.power


def test_new_rows_and_views_of_a_subclass_keep_its_own_arguments() -> None:
    def collate(batch: Any) -> Any:
        assert isinstance(batch, list)
        return [len(ids) for ids, _ in batch], [float(w) for _, w in batch]

    ds: Any = Weighted(SMILES, VOCAB, [1.0, 2.0, 3.0, 4.0], collate, power=2.0)
    assert ds.batch() == ([3, 4, 5, 4], [1.0, 4.0, 9.0, 16.0])
    for part in (ds.new(SMILES, weights=[1.0, 2.0, 3.0, 4.0]), ds.view(range(4))):
        assert part.power == 2.0
        assert part.batch() == ds.batch()
    assert ds.view([2]).batch() == ([5], [9.0])
    assert list(ds.dataloader(2)) == [([3, 4], [1.0, 4.0]), ([5, 4], [9.0, 16.0])]


class WithoutInit(BaseDataset):
    """Its constructor leaves out that of the base class."""

    def __init__(self, smiles: Any) -> None:
        self.smiles = smiles


@pytest.mark.parametrize("use", [repr, lambda ds: ds.split(0.5), lambda ds: ds.dataloader(2), lambda ds: ds.new([])])
def test_a_subclass_that_does_not_call_super_says_so(use: Any) -> None:
    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(...\) in WithoutInit.__init__"):
        use(WithoutInit(["C", "CC"]))


class Notebook(TextDataset):
    """Written as the notebook writes datasets: raw lists, everything overridden."""

    def __init__(self, smiles: Any, vocab: Vocab, names: Any, collate_function: Any = None) -> None:
        self.smiles = smiles
        super().__init__(smiles, vocab, collate_function)
        self.names = names

    def __getitem__(self, idx: Any) -> Any:
        tokens = self.vocab.tokenize(self.smiles[idx])
        return torch.LongTensor(self.vocab.numericalize(tokens)[::-1])

    def new(self, smiles: Any, names: Any) -> Any:  # type: ignore[override]
        return self.__class__(smiles, self.vocab, names, self.collate_function)

    def split_on_idxs(self, train_idxs: Any, valid_idxs: Any) -> Any:
        return tuple(
            self.new([self.smiles[i] for i in idxs], [self.names[i] for i in idxs]) for idxs in (train_idxs, valid_idxs)
        )


def test_a_subclass_in_the_notebooks_style_works() -> None:
    ds = Notebook(SMILES, VOCAB, list("abcd"))
    assert rows_of(ds) == [[1, 4, 0], [1, 5, 4, 0], [1, 5, 7, 6, 0], [1, 4, 4, 0]]
    x, _ = next(iter(ds.dataloader(2)))
    assert x.tolist() == [[1, 4, 0, 2], [1, 5, 4, 0]]
    assert isinstance(ds.smiles, Text)  # the column, not the list that was set before there were columns
    train, valid = ds.split(0.25)
    assert (len(train), len(valid)) == (3, 1)
    assert sorted([*train.names, *valid.names]) == list("abcd")
    assert all(
        dict(zip(SMILES, "abcd", strict=True))[s] == n
        for p in (train, valid)
        for s, n in zip(p.smiles, p.names, strict=True)
    )


class Bare(BaseDataset):
    """A new kind of dataset in the notebook's way: nothing is declared at all."""

    def __init__(self, numbers: Any, collate_function: Any) -> None:
        self.numbers = numbers
        super().__init__(collate_function)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, i: Any) -> Any:
        return torch.tensor(self.numbers[i])


def test_a_subclass_that_declares_nothing_has_batches_but_no_rows() -> None:
    ds = Bare([1, 2, 3], torch.stack)
    assert [b.tolist() for b in ds.dataloader(2)] == [[1, 2], [3]]
    assert ds.batch([2, 0]).tolist() == [3, 1]
    with pytest.raises(NotImplementedError, match="this dataset has no row arguments; override new"):
        ds.new([1])
    with pytest.raises(NotImplementedError, match="Bare has no columns"):
        ds.split(0.5)
    with pytest.raises(DatasetError, match="Bare has no tokens"):
        ds.dataloader(2, bucket=True)


class Columns(BaseDataset):
    """A new kind of dataset, of added columns alone."""

    a: Any
    b: Any

    def __init__(self, a: Any, b: Any) -> None:
        super().__init__(torch.tensor)
        self.add_column("a", a)
        self.add_column("b", b)

    def __getitem__(self, i: Any) -> Any:
        return float(self.a[i]), float(self.b[i])


def test_a_dataset_of_added_columns() -> None:
    ds = Columns([1, 2, 3], [4, 5, 6])
    assert len(ds) == 3
    assert ds.batch().tolist() == [[1, 4], [2, 5], [3, 6]]
    assert ds.view([2, 0]).batch().tolist() == [[3, 6], [1, 4]]
    assert sorted(x for part in ds.split(0.4) for x in part.a) == [1, 2, 3]
    with pytest.raises(ColumnError, match="b has 2 values for 3 rows"):
        Columns([1, 2, 3], [4, 5])
    plain: BaseDataset = BaseDataset(list)
    plain.add_column("a", [1])
    with pytest.raises(NotImplementedError, match="does not define a sample; override __getitem__"):
        _ = plain[0]


def test_attributes_that_do_not_exist_are_named() -> None:
    ds: Any = TextDataset(SMILES, VOCAB)
    with pytest.raises(AttributeError, match="'TextDataset' object has no attribute 'y_vals'"):
        _ = ds.y_vals
    assert not hasattr(BaseDataset.__new__(TextDataset), "anything")  # while being unpickled


class Shorter(TextDataset):
    """A subclass that changes what a sample is."""

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i)[1:]


def test_batches_are_made_of_the_samples_of_a_subclass() -> None:
    ds = Shorter(["C", "CO"], VOCAB)
    assert ds[1].tolist() == [4, 5, 1]
    assert rows_of(ds.__getitems__([0, 1])) == [[4, 1], [4, 5, 1]]
    assert ds.batch()[0].tolist() == [[4, 1, 2], [4, 5, 1]]
    with pytest.raises(DatasetError, match="Shorter overrides __getitem__"):
        ds.resident("cpu")


def test_a_column_that_was_added_does_not_change_with_the_array_it_was_made_from() -> None:
    ds, values = TextDataset(["C", "CC"], VOCAB), np.array([1.0, 2.0])
    ds.add_column("y", values)
    values[0] = 9.0
    assert ds.columns["y"].take([0, 1]).tolist() == [1.0, 2.0]
