"""Data sets as declared columns: new, views, added columns, subclasses, from_ids, on_long, growing vocabularies."""

from __future__ import annotations

import pickle
import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from mrl.data import (
    BaseDataset,
    TextDataset,
    TextPredictionDataset,
    VecPredictionDataset,
    VecReconDataset,
    VectorDataset,
    lm_collate,
    sequence_prediction_collate,
)
from mrl.errors import ColumnError, DatasetError, RowError, TokenIdError, UnknownTokenWarning
from mrl.ragged import Ragged, Text
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
    assert [tuple(r) for r in ds.rejects] == [(0, "CCCC", "length", "6 tokens, more than max_length 5")]
    labelled = TextPredictionDataset(SMILES, [0, 1, 2, 0], VOCAB, y_dtype=torch.int64).new(["C", "O"], [1, 2])
    assert labelled.batch()[1].tolist() == [1, 2]
    vectors = VectorDataset(SMILES, len, n_jobs=2, cache=None, on_error="mask").new(["CCC"])
    assert (vectors.n_jobs, vectors.cache, vectors.on_error) == (2, None, "mask")
    assert vectors.batch().tolist() == [[3.0]]


def test_labels_left_out_are_missing() -> None:
    y = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB).new(["C", "O"]).batch()[1]
    assert (y.shape, y.isnan().all()) == ((2,), True)
    y = VecPredictionDataset(SMILES, np.ones((4, 3)), len).new(["C", "O"]).batch()[1]
    assert (y.shape, y.isnan().all()) == ((2, 3), True)
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
def test_what_new_refuses(call: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call(TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB))


def test_on_error_of_new_is_checked() -> None:
    for ds in (VectorDataset(SMILES, len), TextDataset(SMILES, VOCAB)):
        with pytest.raises(ValueError, match="on_error is 'skip'; expected 'raise', 'drop' or 'mask'"):
            ds.new(["C"], on_error="skip")


# --- columns of one's own ------------------------------------------------------------------------------------------


def test_added_columns_go_with_their_rows() -> None:
    ds = TextDataset(SMILES, VOCAB)
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
    ds = TextDataset(SMILES, VOCAB, max_length=4, on_long="reject")
    ds.add_column("name", list("abd"))
    assert ds.smiles.tolist() == ["C", "CO", "CC"]
    made = ds.new(["CCCCC", "O", "CCCC", "N"], name=list("wxyz"))
    assert (made.smiles.tolist(), made.name.tolist(), made.kept.tolist()) == (["O", "N"], ["x", "z"], [1, 3])
    with pytest.raises(ColumnError, match="name has 2 values for 4 rows"):
        ds.new(["CCCCC", "O", "CCCC", "N"], name=list("xz"))


@pytest.mark.parametrize("name", ["smiles", "vocab", "kept", "fields", "columns", "batch", "lengths", "rejects"])
def test_names_that_are_taken(name: str) -> None:
    with pytest.raises(ColumnError, match=f"there is a column or attribute '{name}' already"):
        TextDataset(SMILES, VOCAB).add_column(name, [1, 2, 3, 4])


def test_an_added_column_has_a_value_for_each_row() -> None:
    with pytest.raises(ColumnError, match="weights has 3 values for 4 rows"):
        TextDataset(SMILES, VOCAB).add_column("weights", [1, 2, 3])


@pytest.mark.parametrize("values", [[1, 2, 3, 4], np.ones(4), torch.ones(4, 2), TextDataset(SMILES, VOCAB).smiles])
def test_an_attribute_as_long_as_the_dataset_is_warned_about(values: Any) -> None:
    ds: Any = TextDataset(SMILES, VOCAB)
    ds.weights = values
    for use in (lambda: ds.new(["C"]), lambda: ds.split(0.5), lambda: ds.view([0])):
        with pytest.warns(UserWarning, match=r"'weights' has as many values .* \(4\).* use ds\.add_column\('weights'"):
            use()


@pytest.mark.parametrize("values", [(1, 2, 3, 4), {"a": [1, 2, 3, 4]}, [1, 2, 3], np.float64(4.0), "CCCC", range(4)])
@pytest.mark.filterwarnings("error")
def test_any_other_attribute_is_a_setting(values: Any) -> None:
    ds: Any = TextDataset(SMILES, VOCAB)
    ds.betas = values
    assert all(part.betas is values for part in (ds.new(["C"]), *ds.split(0.5), ds.view([0])))


def test_columns_and_what_they_were_made_with_cannot_be_set() -> None:
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
    """A constructor argument after those of the base class, and a setting: what `B20` lost."""

    def __init__(
        self, smiles: Any, vocab: Vocab, weights: Any, collate_function: Any = None, power: float = 1.0
    ) -> None:
        super().__init__(smiles, vocab, collate_function)
        self.add_column("weights", weights)
        self.power = power

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i), self.weights[i] ** self.power


def test_a_subclass_with_extra_arguments_keeps_them() -> None:
    def collate(batch: Any) -> Any:
        assert isinstance(batch, list)
        return [len(ids) for ids, _ in batch], [float(w) for _, w in batch]

    ds = Weighted(SMILES, VOCAB, [1.0, 2.0, 3.0, 4.0], collate, power=2.0)
    assert ds.batch() == ([3, 4, 5, 4], [1.0, 4.0, 9.0, 16.0])
    for part in (ds.new(SMILES, weights=[1.0, 2.0, 3.0, 4.0]), ds.view(range(4))):
        assert part.power == 2.0
        assert part.batch() == ds.batch()
    assert ds.view([2]).batch() == ([5], [9.0])
    assert list(ds.dataloader(2)) == [([3, 4], [1.0, 4.0]), ([5, 4], [9.0, 16.0])]


class Notebook(TextDataset):
    """Written as the notebook writes data sets: raw lists, everything overridden."""

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
    """The notebook's way to a data set of one's own: nothing declared at all."""

    def __init__(self, numbers: Any, collate_function: Any) -> None:
        self.numbers = numbers
        super().__init__(collate_function)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, i: Any) -> Any:
        return torch.tensor(self.numbers[i])


def test_a_bare_subclass_batches_but_knows_no_rows() -> None:
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
    """A data set of one's own out of declared columns."""

    def __init__(self, a: Any, b: Any) -> None:
        super().__init__(torch.tensor)
        self.add_column("a", a)
        self.add_column("b", b)

    def __getitem__(self, i: Any) -> Any:
        return float(self.a[i]), float(self.b[i])


def test_a_data_set_of_added_columns() -> None:
    ds = Columns([1, 2, 3], [4, 5, 6])
    assert len(ds) == 3
    assert ds.batch().tolist() == [[1, 4], [2, 5], [3, 6]]
    assert ds.view([2, 0]).batch().tolist() == [[3, 6], [1, 4]]
    assert sorted(x for part in ds.split(0.4) for x in part.a) == [1, 2, 3]
    with pytest.raises(ColumnError, match="b has 2 values for 3 rows"):
        Columns([1, 2, 3], [4, 5])
    plain = BaseDataset(list)
    plain.add_column("a", [1])
    with pytest.raises(NotImplementedError, match="does not define a sample; override __getitem__"):
        plain[0]


def test_undeclared_attributes_are_named() -> None:
    with pytest.raises(AttributeError, match="'TextDataset' object has no attribute 'y_vals'"):
        _ = TextDataset(SMILES, VOCAB).y_vals
    assert not hasattr(BaseDataset.__new__(TextDataset), "anything")  # while being unpickled


# --- from_ids ------------------------------------------------------------------------------------------------------

SAMPLED = [[0, 4, 5, 1, 2, 2], [4, 4, 1, 4, 4, 4], [2, 2, 0, 5, 5, 5], [0, 2, 2, 2, 2, 2], [1, 4, 4, 4, 4, 4]]
EXACT = [[0, 4, 5, 1], [0, 4, 4, 1], [0, 5, 5, 5], [0], [0, 1]]


@pytest.mark.parametrize(
    "ids",
    [
        SAMPLED,
        np.array(SAMPLED),
        np.array(SAMPLED, np.uint8),
        torch.tensor(SAMPLED),
        [torch.tensor(row) for row in SAMPLED],
        Ragged.from_rows(SAMPLED, np.int32),
    ],
    ids=lambda ids: type(ids).__name__,
)
def test_from_ids_is_exact(ids: Any) -> None:
    ds = TextDataset(SMILES, VOCAB, max_length=6).from_ids(ids)
    assert rows_of(ds) == EXACT
    assert ds.smiles.tolist() == ["CO", "CC", "OOO", "", ""]
    assert ds.batch()[0].tolist() == [[*row, *[2] * (4 - len(row))] for row in EXACT]
    assert ds.lengths().tolist() == [4, 4, 4, 1, 2]
    view = ds.view([2, 0])
    assert rows_of(view) == [EXACT[2], EXACT[0]]


class Pairs(Vocab):
    """Two spellings in tokens of one text: 'CC' and 'C', 'C'."""

    def tokenize(self, input: str) -> list[str]:
        return ["bos", *input.replace("CC", "\0\n\0").replace("\n", "CC").split("\0"), "eos"]


def test_from_ids_does_not_tokenize_again() -> None:
    vocab = Pairs(["C", "CC"])
    ds = TextDataset(["C"], vocab).from_ids([[0, 4, 4, 1], [0, 5, 1]])
    assert ds.smiles.tolist() == ["CC", "CC"]
    assert rows_of(ds) == [[0, 4, 4, 1], [0, 5, 1]]
    vocab.update_vocab_from_data(["N"])
    assert rows_of(ds) == [[0, 4, 4, 1], [0, 5, 1]]


def test_from_ids_leaves_out_what_is_too_long_by_its_ids() -> None:
    ds = TextDataset(SMILES, VOCAB, max_length=4, on_long="reject").from_ids([[0, 4, 4, 4, 4, 1], [0, 5, 1], [4, 5, 1]])
    assert rows_of(ds) == [[0, 5, 1], [0, 4, 5, 1]]
    assert (ds.kept.tolist(), [r.row for r in ds.rejects]) == ([1, 2], [0])
    with pytest.raises(RowError, match="row 0: 'CCCC' has 6 tokens"):
        TextDataset(SMILES, VOCAB, max_length=5).from_ids([[0, 4, 4, 4, 4, 1]])


def test_from_ids_with_labels_and_with_dropped_rows() -> None:
    labelled = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB).from_ids(SAMPLED, y_vals=[5, 6, 7, 8, 9])
    assert labelled.batch()[1].tolist() == [5, 6, 7, 8, 9]
    assert labelled[1][0].tolist() == EXACT[1]
    lengths = {"CO": 2.0, "OOO": 3.0}
    ds = VecReconDataset(["CO"], VOCAB, lengths.__getitem__).from_ids(SAMPLED, on_error="drop")
    assert [(v.tolist(), ids.tolist()) for v, ids in ds] == [([2.0], EXACT[0]), ([3.0], EXACT[2])]
    assert [r.row for r in ds.rejects] == [1, 3, 4]
    (x, v), _ = ds.batch()
    assert (x.tolist(), v.tolist()) == ([[0, 4, 5, 1], [0, 5, 5, 5]], [[2.0], [3.0]])


def test_from_ids_of_nothing_and_of_what_are_no_ids() -> None:
    ds = TextDataset(SMILES, VOCAB)
    assert len(ds.from_ids([])) == len(ds.from_ids(torch.zeros((0, 7), dtype=torch.int64))) == 0
    for bad in (8, -1, 300):
        with pytest.raises(TokenIdError, match="row 1"):
            ds.from_ids([[0, 1], [0, bad, 1]])
    with pytest.raises(ValueError, match="float"):
        ds.from_ids(torch.tensor([[0.0, 4.7, 1.0]]))


def test_from_ids_says_nothing_of_unknown_tokens() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ds = TextDataset(SMILES, VOCAB, max_length=9).from_ids([[0, 3, 4, 1]])
        assert rows_of(ds) == [[0, 3, 4, 1]]
    assert ds.smiles.tolist() == ["\ufffdC"]


# --- on_long -------------------------------------------------------------------------------------------------------


def test_rows_that_are_too_long() -> None:
    with pytest.raises(
        RowError, match=r"row 2: 'N=O' has 5 tokens, more than max_length 4; raise .* on_long='reject'"
    ) as e:
        TextDataset(SMILES, VOCAB, max_length=4)
    assert (e.value.row, e.value.column, e.value.value) == (2, "smiles", "N=O")
    ds = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB, max_length=4, on_long="reject")
    assert (ds.smiles.tolist(), ds.y_vals.tolist(), ds.kept.tolist()) == (["C", "CO", "CC"], [1, 2, 4], [0, 1, 3])
    assert [tuple(r) for r in ds.rejects] == [(2, "N=O", "length", "5 tokens, more than max_length 4")]
    assert len(ds) + len(ds.rejects) == len(SMILES)
    assert "3 rows of smiles, y_vals, 1 rejected" in repr(ds)
    view = ds.view([2, 0])
    assert (view.kept.tolist(), view.batch()[1].tolist(), view.rejects) == ([3, 0], [4, 1], ds.rejects)
    assert [ids.tolist() for ids, _ in view] == [[0, 4, 4, 1], [0, 4, 1]]
    with pytest.raises(ValueError, match="on_long is 'cut'; expected 'raise' or 'reject'"):
        TextDataset(SMILES, VOCAB, on_long="cut")  # type: ignore[arg-type]
    assert len(TextDataset(["CCC"], VOCAB, max_length=4, on_long="reject")) == 0
    assert len(TextDataset(["CCC"], VOCAB, max_length=4, on_long="reject").batch()[0]) == 0


# --- encoding ------------------------------------------------------------------------------------------------------


class Counting(CharacterVocab):
    """Counts what it is asked to encode."""

    texts = 0

    def encode(self, strings: Any, **settings: Any) -> Ragged:
        type(self).texts += len(strings)
        return super().encode(strings, **settings)


def test_texts_are_encoded_once_and_late() -> None:
    Counting.texts = 0
    ds = TextDataset(SMILES * 10, Counting("CON="))
    train, valid = ds.split(0.5)
    assert Counting.texts == 0
    for part in (train, valid, ds, train.view([0, 1])):
        for _ in range(2):
            list(part.dataloader(7, shuffle=True))
    assert Counting.texts == 40


def test_a_vocabulary_that_grew_is_noticed() -> None:
    vocab = CharacterVocab("C")
    ds = TextDataset(["CF", "C"], vocab)
    view = ds.view([0])
    with pytest.warns(UnknownTokenWarning, match="'F'"):
        assert ds[0].tolist() == [0, 4, 3, 1]
    assert view.batch()[0].tolist() == [[0, 4, 3, 1]]
    vocab.update_vocab_from_data(ds.smiles)
    assert ds[0].tolist() == [0, 4, 5, 1]
    assert view.batch()[0].tolist() == [[0, 4, 5, 1]]


def test_a_vocabulary_that_grew_past_256_tokens() -> None:
    vocab = CharacterVocab([chr(0x4E00 + i) for i in range(250)])
    text = chr(0x9000)
    ds = TextDataset([text + "一"], vocab)
    with pytest.warns(UnknownTokenWarning):
        assert ds[0].tolist() == [0, 3, 4, 1]
    vocab.update_vocab_from_data([chr(0x8000 + i) for i in range(50)] + [text])
    assert ds[0].tolist() == [0, vocab.stoi[text], 4, 1]
    assert vocab.stoi[text] > 255


def test_a_vocabulary_whose_new_tokens_regroup_known_text() -> None:
    class Longest(Vocab):
        def tokenize(self, input: str) -> list[str]:
            tokens = ["bos"]
            while input:
                token = next((t for t in sorted(self.itos, key=len, reverse=True) if input.startswith(t)), input[0])
                tokens.append(token)
                input = input[len(token) :]
            return [*tokens, "eos"]

    vocab = Longest(["C", "l"])
    ds = TextDataset(["CCl"], vocab)
    assert ds[0].tolist() == [0, 4, 4, 5, 1]
    vocab.unks["Cl"] += 1
    vocab.update_vocab()
    assert ds[0].tolist() == [0, 4, 6, 1]


def test_columns_that_are_not_in_memory_are_encoded_batch_by_batch() -> None:
    class OnDisk:
        digest = "0"

        def __init__(self) -> None:
            self.taken: list[int] = []

        def __len__(self) -> int:
            return 100_000

        def take(self, rows: Any) -> Any:
            self.taken.append(len(rows))
            return TextDataset([("C" * (1 + int(i) % 5)) for i in rows], VOCAB).smiles

        def __getitem__(self, i: int) -> str:
            return str(self.take([i])[0])

    column = OnDisk()
    ds = TextDataset(column, VOCAB)
    assert len(ds) == 100_000
    assert ds.view([7, 99_999]).batch()[0].tolist() == [[0, 4, 4, 4, 1, 2, 2], [0, 4, 4, 4, 4, 4, 1]]
    assert ds[1].tolist() == [0, 4, 4, 1]
    assert column.taken == [2, 1]
    assert ds.lengths()[:6].tolist() == [3, 4, 5, 6, 7, 3]
    assert max(column.taken) < 100_000


def test_pickled_data_sets_are_the_same() -> None:
    ds = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB, max_length=4, on_long="reject")
    for one in (ds, ds.view([1]), ds.new(["C"])):
        other = pickle.loads(pickle.dumps(one))
        assert repr(other) == repr(one)
        for found, expected in zip(other.batch(), one.batch(), strict=True):
            assert torch.equal(found.nan_to_num(-7), expected.nan_to_num(-7))
        assert other.kept.tolist() == one.kept.tolist()


@pytest.mark.parametrize("made", [np.array, torch.tensor], ids=["array", "tensor"])
def test_a_view_keeps_its_rows_when_the_numbers_it_was_made_from_change(made: Any) -> None:
    rows = made([0, 1])
    view, (train, valid) = TextDataset(SMILES, VOCAB).view(rows), TextDataset(SMILES, VOCAB).split_on_idxs(rows, rows)
    rows[:] = 3
    for ds in (view, train, valid):
        assert ds.smiles.tolist() == ["C", "CO"]
        assert rows_of(ds) == [[0, 4, 1], [0, 4, 5, 1]]
        assert ds.kept.tolist() == [0, 1]


class Shorter(TextDataset):
    """A subclass that changes what a sample is."""

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i)[1:]


def test_a_sample_that_a_subclass_makes_is_what_is_batched() -> None:
    ds = Shorter(["C", "CO"], VOCAB)
    assert ds[1].tolist() == [4, 5, 1]
    assert rows_of(ds.__getitems__([0, 1])) == [[4, 1], [4, 5, 1]]
    assert ds.batch()[0].tolist() == [[4, 1, 2], [4, 5, 1]]
    with pytest.raises(DatasetError, match="Shorter overrides __getitem__"):
        ds.resident("cpu")


class InPairs(CharacterVocab):
    """Cuts two characters together where it knows them."""

    def tokenize(self, input: str) -> list[str]:
        return ["bos", *([input] if input in self.stoi else input), "eos"]


def test_a_vocabulary_of_ones_own_that_has_grown_is_noticed() -> None:
    ds = TextDataset(["CO"], InPairs(["C", "O"]))
    assert rows_of(ds) == [[0, 4, 5, 1]]
    ds.vocab.unks["CO"] = 1
    assert ds.vocab.update_vocab() == 1
    assert rows_of(ds) == [[0, 6, 1]]
    assert ds.batch()[0].tolist() == [[0, 6, 1]]


def test_on_error_decides_for_one_call_what_becomes_of_long_rows() -> None:
    ds = TextDataset(["C"], CharacterVocab(["C"]), max_length=4)
    made = ds.new(["CC", "CCC"], on_error="drop")
    assert made.smiles.tolist() == ["CC"]
    assert [(reject.row, reject.stage) for reject in made.rejects] == [(1, "length")]
    assert len(ds.from_ids([[4, 4, 4, 1]], on_error="drop")) == 0
    lenient = TextDataset(["C"], CharacterVocab(["C"]), max_length=4, on_long="reject")
    with pytest.raises(RowError, match="max_length 4"):
        lenient.new(["CCC"], on_error="raise")
