"""Augmentation: a function of seed, epoch and row, of training rows alone, and never of another molecule."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from mrl.chem import randomize
from mrl.data import BatchRequest, MaskedDataset, PackedDataset, TextDataset, TextPredictionDataset, split
from mrl.data.order.randomness import random_bits, row_keys
from mrl.errors import RowError
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("0123456789:;CNOn=()c[]H+-@/\\F")
N = 40
SMILES = ["C" * (1 + i % 5) for i in range(N)]


GOLDEN = [9675070249874549354, 10073902537761781608, 18367941651822732664]


def show_key(text: str, key: int) -> str:
    """An augmentation that shows its arguments."""
    return f"{text}:{key % 10**6}"


def dataset(**settings: Any) -> TextDataset:
    return TextDataset(SMILES, VOCAB, augment=show_key, **settings)


def epoch_of(loader: Any) -> dict[int, str]:
    """The text of each row in its batch."""
    return {
        row: text
        for batch in loader
        for row, text in zip(batch["index"].tolist(), VOCAB.decode(batch["input_ids"]), strict=True)
    }


def test_texts_are_the_same_in_any_batch_order_and_number_of_workers() -> None:
    expected = epoch_of(dataset().dataloader(N, 0, output="dict"))
    assert all(text.startswith(SMILES[row] + ":") for row, text in expected.items())
    assert len(set(expected.values())) == N
    for loader in (
        dataset().dataloader(7, 0, shuffle=True, output="dict"),
        dataset().dataloader(7, 1, bucket=True, output="dict"),
        dataset().dataloader(1, 2, shuffle=True, seed=3, output="dict"),
    ):
        assert epoch_of(loader) == expected
        second = epoch_of(loader)
        assert second == epoch_of_number(1)
        assert all(second[row] != expected[row] for row in range(N))
    assert epoch_of(dataset(seed=1).dataloader(N, output="dict")) != expected


def epoch_of_number(epoch: int) -> dict[int, str]:
    loader = dataset().dataloader(N, 0, output="dict")
    loader.set_epoch(epoch)
    return epoch_of(loader)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_texts_are_the_same_after_resuming(num_workers: int) -> None:
    loader = dataset().dataloader(6, shuffle=True, output="dict")
    loader.set_epoch(3)
    batches = iter(loader)
    first = epoch_of([next(batches), next(batches)])
    other = dataset().dataloader(6, num_workers, shuffle=True, output="dict")
    other.load_state_dict(loader.state_dict())
    rest = epoch_of(other)
    assert first.keys().isdisjoint(rest)
    assert first | rest == epoch_of_number(3)


def test_a_request_names_the_epoch_of_its_randomness() -> None:
    ds = dataset()
    rows = ds.__getitems__(BatchRequest(5, np.array([4, 2])))
    expected = epoch_of_number(5)
    assert [VOCAB.decode([ids])[0] for ids in rows] == [expected[4], expected[2]]
    assert VOCAB.decode([rows[1]])[0] == VOCAB.decode([rows[1:][0]])[0] == expected[2]
    assert VOCAB.decode([ds[4]])[0] == epoch_of_number(0)[4]
    assert ds.smiles.tolist() == SMILES
    assert ds.lengths().tolist() == [len(text) + 2 for text in SMILES]


def plain_parts(ds: Any) -> list[Any]:
    """Everything that may be validated on."""
    first, second, third = split(ds, (0.5, 0.25, 0.25))
    _, half = ds.split(0.5)
    _, chosen = ds.split_on_idxs(range(5), range(5, 9))
    as_is = ds.without_augmentation()
    parts = [second, third, half, chosen, as_is, as_is.without_augmentation(), ds.view([3]).without_augmentation()]
    parts += [part for one in (half, chosen) for part in (one.view([1, 0]), *one.split(0.5), one.new(SMILES[:3]))]
    parts += [half.new(half.smiles), half.new(SMILES).view([1]), ds.from_ids([[0, 4, 1]])]
    assert any(part.random for part in first.fields)
    return parts


@pytest.mark.parametrize("kind", [TextDataset, TextPredictionDataset])
def test_validation_rows_are_never_augmented(kind: Any) -> None:
    labels = () if kind is TextDataset else (range(N),)
    ds = kind(SMILES, *labels, VOCAB, augment=show_key, max_length=30)
    for part in plain_parts(ds):
        assert part.augment is None
        batches = part.dataloader(3, output="dict", shuffle=True)
        assert len(part) > 0
        for _ in range(2):
            assert sorted(epoch_of(batches).values()) == sorted(part.smiles.tolist())
    assert ds.augment is show_key
    assert ds.new(SMILES[:2]).augment is show_key


def test_a_text_depends_on_the_stored_row_not_on_the_view() -> None:
    ds, expected = dataset(), epoch_of_number(0)
    train, _ = ds.split(0.3)
    for view in (train, train.view([3, 1]), ds.view([7, 7])):
        assert [VOCAB.decode([ids])[0] for ids in view] == [expected[row] for row in view.kept.tolist()]


def test_validation_rows_share_their_ids_with_the_training_rows() -> None:
    train, valid = dataset().split(0.5)
    assert valid.fields[0] is train.fields[0].without_augmentation()
    assert valid.fields[0].compiled
    assert not train.fields[0].compiled


@pytest.mark.parametrize("kind", [TextDataset, MaskedDataset])
def test_validation_rows_go_to_workers_without_the_augmentation(kind: Any) -> None:
    train, valid = kind(SMILES, VOCAB, augment=lambda text, key: text).split(0.5)
    with pytest.raises(Exception, match="lambda"):  # which pickle cannot write, so it would fail here too
        pickle.dumps(train)
    assert valid.smiles.tolist() == pickle.loads(pickle.dumps(valid)).smiles.tolist()


def test_a_text_that_would_become_too_long_stays_as_it_is() -> None:
    ds = TextDataset(["CC", "CCCC"], VOCAB, augment=lambda text, key: text * 2, max_length=6)
    assert VOCAB.decode(list(ds)) == ["CCCC", "CCCC"]
    assert VOCAB.decode(list(TextDataset(["CC", "CCCC"], VOCAB, augment=lambda text, key: text * 2))) == [
        "CCCC",
        "C" * 8,
    ]
    with pytest.raises(RowError, match="row 1: 'CCCCC' has 7 tokens, more than max_length 6"):
        TextDataset(["CC", "CCCCC"], VOCAB, augment=show_key, max_length=6)


@pytest.mark.parametrize("made", [None, 3, b"C", ["C"]])
def test_an_augmentation_that_returns_something_else_names_the_row(made: Any) -> None:
    ds = TextDataset(["C", "CC"], VOCAB, augment=lambda text, key: text if text == "C" else made)
    with pytest.raises(RowError, match=r"augment returned .* for row 1, 'CC'; expected a str") as caught:
        ds.batch()
    assert (caught.value.row, caught.value.value) == (1, "CC")
    assert ds[0].tolist() == VOCAB.encode(["C"])[0].tolist()


def test_an_augmentation_that_fails_names_the_row() -> None:
    ds = TextDataset(["CC", "C("], VOCAB, augment=randomize)
    with pytest.raises(RowError, match=r"augment failed for row 1, 'C\(': MoleculeError: ") as caught:
        ds.view([1]).batch()
    assert caught.value.row == 1
    assert caught.value.__cause__ is not None


def test_augment_is_checked_and_frozen() -> None:
    with pytest.raises(TypeError, match="augment is 'randomize'; expected a function of"):
        TextDataset(["C"], VOCAB, augment="randomize")  # type: ignore[arg-type]
    ds = dataset()
    for name, value in (("augment", None), ("seed", 3)):
        with pytest.raises(AttributeError, match=f"the rows were made with '{name}'"):
            setattr(ds, name, value)
    ds.augment = show_key
    with pytest.raises(TypeError, match="augment"):
        PackedDataset(["C"], VOCAB, 8, augment=show_key)  # type: ignore[call-arg]


def test_randomised_smiles_are_the_same_molecules() -> None:
    from rdkit import Chem

    canonical: Any = Chem.CanonSmiles

    smiles = ["CC(=O)Nc1ccccc1", "C[C@H](F)O", "F/C=C/C(=O)[O-]", "c1cc2ccccc2[nH]1", "[NH4+]"] * 4
    ds = TextDataset(smiles, VOCAB, augment=randomize)
    loader, seen = ds.dataloader(8, 0, output="dict"), []
    for _ in range(3):
        epoch = epoch_of(loader)
        assert [canonical(epoch[row]) for row in range(20)] == [canonical(text) for text in smiles]
        seen.append(epoch)
    assert len({epoch[0] for epoch in seen} | {epoch[5] for epoch in seen}) > 2


def test_random_numbers_of_a_row_depend_on_seed_epoch_row_and_purpose() -> None:
    keys = {
        int(row_keys(seed, epoch, [row], purpose)[0])
        for seed in (0, 1, -1)
        for epoch in (0, 1)
        for row in (0, 1, 10**9)
        for purpose in ("augment", "masks")
    }
    assert len(keys) == 36
    assert row_keys(0, 0, [3, 0], "augment").tolist() == row_keys(0, 0, [0, 3], "augment")[::-1].tolist()
    assert row_keys(1, 2, np.arange(3), "golden").tolist() == GOLDEN
    assert random_bits(np.array([1, 2], np.uint64), np.uint64(0)).tolist() == [
        0xE220A8397B1DCDAF,
        0x6E789E6AA1B965F4,
    ]  # the first numbers of SplitMix64 from the seed 0


def test_masks_and_augmentation_have_different_random_numbers() -> None:
    ds = MaskedDataset(SMILES, VOCAB, 0.5, augment=show_key)
    assert row_keys(0, 0, [0], "augment")[0] != row_keys(0, 0, [0], "masks")[0]
    assert ds.batch()[0].shape == ds.batch()[1].shape
