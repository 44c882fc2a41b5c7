"""Datasets of several sources: `concat` and `mix` for every kind of dataset, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from every_kind import KINDS, VOCAB, shuffle_letters

from mrl.data import BaseDataset, MaskedDataset, TextDataset, TextPredictionDataset, VectorDataset, concat, mix
from mrl.data.columns import Joined
from mrl.errors import DatasetError
from mrl.text import CharacterVocab


def flat(batch: Any) -> list[torch.Tensor]:
    return [batch] if isinstance(batch, torch.Tensor) else [tensor for part in batch for tensor in flat(part)]


def equal(one: Any, two: Any) -> bool:
    pairs = zip(flat(one), flat(two), strict=True)
    return all(a.dtype == b.dtype and torch.equal(a.nan_to_num(-7), b.nan_to_num(-7)) for a, b in pairs)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "join", [lambda *parts: concat(*parts), lambda *parts: mix(dict(zip("ab", parts, strict=True)))]
)
def test_every_kind_has_the_rows_of_its_sources(kind: str, join: Callable[..., BaseDataset[Any]]) -> None:
    one, two = KINDS[kind](23), KINDS[kind](11)
    ds = join(one, two)
    assert len(ds) == len(one) + len(two)
    for i in range(len(ds)):
        own, row = (one, i) if i < len(one) else (two, i - len(one))
        assert equal(ds[i], own[row])
    rows = np.random.default_rng(0).permutation(len(ds))
    assert equal(ds.batch(rows), ds.collate_function([ds[row] for row in rows.tolist()]))
    assert equal(ds.batch(range(len(one))), one.batch())
    for column in ds.columns.values():
        assert len(column.take(rows)) == len(ds)
        assert repr(column.take(rows)[0]) == repr(column[int(rows[0])])
    view = ds.view(rows[::-1])
    assert equal(view.batch([0, 3, 1]), ds.batch(rows[::-1][[0, 3, 1]]))
    assert view.fingerprint() != ds.fingerprint() == join(one, two).fingerprint()
    train, valid = ds.split(0.3)
    assert sorted([*train.kept, *valid.kept]) == list(range(len(ds)))
    assert valid.mixture is None
    assert not any(field.names != own.names for field, own in zip(ds.fields, one.fields, strict=True))
    loader = train.dataloader(5, shuffle=True, num_workers=0)
    assert sum(len(flat(batch)[0]) for batch in loader) == len(train)


def test_batches_of_columns_given_to_new_are_the_same() -> None:
    ds = concat(TextDataset(["C", "CO"], VOCAB), TextDataset(["NN", "O"], VOCAB))
    assert equal(ds.new(ds.smiles).batch(), ds.batch())
    assert ds.new(["C"]).smiles.tolist() == ["C"]
    sampled = ds.from_ids([[0, 4, 5, 1]])
    assert sampled.smiles.tolist() == ["CO"]
    assert mix({"a": ds.view([0]), "b": ds.view([1])}).new(["C", "O"]).mixture is None


def test_a_row_has_other_masks_in_each_pass() -> None:
    small = MaskedDataset(["CONCONCONCON"], VOCAB, rate=0.3)
    large = MaskedDataset(["OOOONNNNCCCC"] * 20, VOCAB, rate=0.3)
    ds = mix({"small": small, "large": large}, {"small": 1, "large": 1})
    x, _ = next(iter(ds.dataloader(16)))
    passes = [small.__getitems__(_request(epoch)) for epoch in range(8)]
    expected = {tuple(samples[0][0].tolist()) for samples in passes}
    assert len(expected) > 4
    assert expected <= {tuple(row) for row in x.tolist()}


def _request(epoch: int) -> Any:
    from mrl.data import BatchRequest

    return BatchRequest(epoch, np.array([0]))


def test_a_subclass_with_samples_of_its_own() -> None:
    class Powered(TextDataset):
        def __init__(self, smiles: Any, weights: Any, power: float = 2.0) -> None:
            super().__init__(smiles, VOCAB, collate_function=list)
            self.add_column("weights", weights)
            self.power = power

        def __getitem__(self, i: Any) -> Any:
            return super().__getitem__(i), float(self.columns["weights"][i] ** self.power)

    one, two = Powered(["C", "O"], [1.0, 2.0]), Powered(["N"], [3.0])
    ds = mix({"one": one, "two": two}, {"one": 1, "two": 1})
    assert [weight for _, weight in ds.batch()] == [1.0, 4.0, 9.0]
    assert [[weight for _, weight in batch] for batch in ds.dataloader(2)] == [[1.0, 9.0], [4.0]]
    with pytest.raises(DatasetError, match=r"differ in power: 2\.0 and 3\.0; make them with the same"):
        concat(one, Powered(["N"], [3.0], power=3.0))


def test_sources_may_be_augmented_in_their_own_way() -> None:
    one = TextDataset(["CONCON"] * 3, VOCAB, augment=shuffle_letters)
    two = TextDataset(["NNNO"] * 3, VOCAB)
    ds = mix({"one": one, "two": two})
    first, second = (next(iter(loader))[0] for loader in [ds.dataloader(6, num_workers=0)] * 2)
    assert not torch.equal(first, second)
    plain = [VOCAB.decode(batch[0]) for batch in ds.without_augmentation().dataloader(6)]
    assert plain == [["CONCON"] * 3 + ["NNNO"] * 3]
    with pytest.raises(DatasetError, match="differ in 'augment', of which new rows could have but one"):
        ds.new(["C"])


def test_masked_rows_and_rejects() -> None:
    def fail_on_n(text: str) -> list[float]:
        if "N" in text:
            raise ValueError("nitrogen")
        return [len(text)]

    one = VectorDataset(["C", "N"], fail_on_n, on_error="mask")
    two = VectorDataset(["N", "CO"], one.mol_function, on_error="mask")
    ds = concat(one, two)
    assert ds.ok.tolist() == [True, False, False, True]
    assert [reject.row for reject in ds.rejects] == [1, 2]
    assert ds.view([3, 2]).ok.tolist() == [True, False]


def test_rows_on_a_device() -> None:
    ds = mix({"a": TextDataset(["C", "CO"], VOCAB), "b": TextDataset(["N"] * 3, VOCAB)})
    pairs = zip(ds.dataloader(2, resident=True), ds.dataloader(2), strict=True)
    assert all(equal(one, two) for one, two in pairs)


def test_columns_of_two_dtypes_of_ids() -> None:
    """One source has ids in one byte, the other was sampled with ids in two."""
    vocab = CharacterVocab(map(chr, range(0x4E00, 0x4E00 + 300)))
    ds = concat(TextDataset(["\u4e00"], vocab), TextDataset(["\u4f00"], vocab).from_ids([[0, 259, 1]]))
    assert ds.batch()[0].tolist() == [[0, 4, 1], [0, 259, 1]]


@pytest.mark.slow
def test_batches_do_not_depend_on_workers() -> None:
    one = MaskedDataset(["CONCON"[: 1 + i % 6] for i in range(30)], VOCAB)
    two = MaskedDataset(["NNNO"[: 1 + i % 4] for i in range(9)], VOCAB, augment=shuffle_letters)
    ds = mix({"one": one, "two": two}, {0: {"one": 1, "two": 2}, 3: {"one": 2, "two": 1}})
    runs = []
    for workers in (0, 1, 2):
        loader = ds.dataloader(7, workers, shuffle=True)
        runs.append([batch for epoch in range(2) for batch in loader])
    for other in runs[1:]:
        assert all(equal(a, b) for a, b in zip(runs[0], other, strict=True))


def text(n: int = 3, vocab: Any = VOCAB, **settings: Any) -> TextDataset:
    return TextDataset(["C"] * n, vocab, **settings)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: concat(), TypeError, "concat got no dataset"),
        (lambda: concat(text(), cast(Any, ["C"])), TypeError, "concat takes datasets of mrl; number 1 is a list"),
        (lambda: mix({}), TypeError, "a mapping of names to datasets"),
        (lambda: mix([text()]), TypeError, "a mapping of names to datasets"),  # type: ignore[arg-type]
        (lambda: mix({1: text()}), TypeError, "a source is named 1; expected a str"),  # type: ignore[dict-item]
        (
            lambda: mix({"a": text(), "b": MaskedDataset(["C"], VOCAB)}),
            TypeError,
            "dataset a is a TextDataset and b a MaskedDataset, whose batches differ",
        ),
        (
            lambda: mix({"a": text(), "b": text(vocab=CharacterVocab("CON"))}),
            DatasetError,
            "vocab of the datasets a and b are two objects, which may grow apart; make both datasets with the same",
        ),
        (lambda: concat(text(), text(vocab=CharacterVocab("C"))), DatasetError, "vocab .* are different"),
        (lambda: concat(text(), text(collate_function=list)), DatasetError, "differ in collate_function"),
        (
            lambda: concat(mix({"a": text()}), text()),
            DatasetError,
            "number 0 is a mixture, whose weights",
        ),
        (lambda: concat(text(), named(text())), DatasetError, "only one of the .* has a column 'name'; ds.add_column"),
        (
            lambda: concat(
                TextPredictionDataset(["C"], [1.0], VOCAB), TextPredictionDataset(["C"], [[1.0, 2.0]], VOCAB)
            ),
            DatasetError,
            r"column 'y_vals' of the datasets .* holds float32 and float32 of shape \(2,\)",
        ),
        (lambda: mix({"a": text()}, {"b": 1}), ValueError, "there is a weight for 'b'.*the sources are 'a'"),
        (lambda: mix({"a": text(), "b": text()}, {"b": 1}), ValueError, "there is no weight for 'a'; give one"),
        (lambda: mix({"a": text()}, {"a": 0}), ValueError, "no weight is above 0"),
        (lambda: mix({"a": text()}, {"a": -1}), ValueError, "the weight of 'a' is -1; expected a number, 0 or more"),
        (lambda: mix({"a": text()}, {"a": float("nan")}), ValueError, "the weight of 'a' is nan; expected a finite"),
        (lambda: mix({"a": text()}, {"a": "1"}), TypeError, "the weight of 'a' is '1'; expected a number"),
        (
            lambda: mix({"a": text()}, cast(Any, [1])),
            TypeError,
            r"weights is \[1\]; expected one for each source by name",
        ),
        (lambda: mix({"a": text()}, {5: {"a": 1}}), ValueError, "the first weights begin with batch 5; give those of"),
        (lambda: mix({"a": text()}, {0: {"a": 1}, -1: {"a": 1}}), ValueError, "is -1; expected 0 or more"),
        (lambda: mix({"a": text()}, cast(Any, {0: 1})), TypeError, "the weights from batch 0 on are 1"),
        (lambda: mix({"a": text()}, epoch_rows=0), ValueError, "epoch_rows is 0; expected 1 or more"),
        (
            lambda: mix({"a": text(), "b": text(0)}, {"a": 1, "b": 1}).dataloader(2),
            DatasetError,
            "source 'b' has a weight",
        ),
        (lambda: mix({"a": text()}).dataloader(2, max_tokens=9), TypeError, "use bucket=True"),
    ],
)
def test_what_cannot_be_one_dataset(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def named(ds: TextDataset) -> TextDataset:
    ds.add_column("name", ["x"] * len(ds))
    return ds


def test_ways_out() -> None:
    parts = {"a": text(), "b": text(0)}
    assert len(list(mix(parts, {"a": 1, "b": 0}).dataloader(2))) == 2
    assert len(concat(named(text()), named(text()))) == 6
    assert len(list(mix({"a": text(), "b": text()}).dataloader(2, bucket=True))) == 3
    ds = concat(text(), text(4))
    ds.add_column("site", range(7))
    assert ds.view([5]).columns["site"].take([0]).tolist() == [5]
    assert isinstance(ds.columns["smiles"], Joined)
