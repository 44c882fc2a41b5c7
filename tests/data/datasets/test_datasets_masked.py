"""Masked language modelling: which tokens are hidden, and how often, as a function of seed, epoch and row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.data import BatchRequest, MaskedDataset, Padding, dict_collate, masked_collate
from mrl.data.fields.selection import RowSelection
from mrl.ragged import Ragged
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CON=")
N = 60
SMILES = ["CON=" * (1 + i % 7) for i in range(N)]


def dataset(rate: float = 0.3, **settings: Any) -> MaskedDataset:
    return MaskedDataset(SMILES, VOCAB, rate, **settings)


def epoch_of(loader: Any) -> dict[int, tuple[list[int], list[int]]]:
    """The ids and labels of each row."""
    return {
        row: (ids.tolist(), labels.tolist())
        for batch in loader
        for row, ids, labels in zip(batch["index"].tolist(), batch["input_ids"], batch["labels"], strict=True)
    }


def gathered(ds: MaskedDataset, rows: Any, epoch: int) -> list[Ragged]:
    """The ids that are shown, and those that are hidden, of some rows."""
    return [part.take() for part in ds.fields[0].gather(rows, epoch) if isinstance(part, RowSelection)]


def test_masked_collate_written_out() -> None:
    batch = [
        (torch.tensor([0, 3, 1]), torch.tensor([-100, 4, -100])),
        (torch.tensor([0, 4, 5, 5, 1]), torch.tensor([-100, -100, 6, 5, -100])),
    ]
    x, y = masked_collate(batch, 2)
    assert x.tolist() == [[0, 3, 1, 2, 2], [0, 4, 5, 5, 1]]
    assert y.tolist() == [[-100, 4, -100, -100, -100], [-100, -100, 6, 5, -100]]
    turned = masked_collate(batch, 2, False)
    assert all(a.equal(b.T) and a.is_contiguous() for a, b in zip(turned, (x, y), strict=True))
    x, y = masked_collate(batch[:1], 2, padding=Padding(to=5, side="left"))
    assert (x.tolist(), y.tolist()) == ([[2, 2, 0, 3, 1]], [[-100, -100, -100, 4, -100]])
    x, y = masked_collate([], 2)
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((0, 0), (0, 0), torch.int64, torch.int64)


def test_dict_form() -> None:
    ds = dataset()
    made, (x, y) = dict_collate(ds.__getitems__(range(N))), ds.batch()
    assert made["input_ids"].equal(x)
    assert made["labels"].equal(y)
    assert made["attention_mask"].sum(1).tolist() == ds.lengths().tolist()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text("CON=?", max_size=8), min_size=1, max_size=6),
    st.floats(0.01, 1),
    st.integers(-9, 9),
    st.integers(0, 9),
)
@pytest.mark.filterwarnings("ignore::mrl.errors.UnknownTokenWarning")
def test_only_tokens_are_hidden_and_the_rest_stays(texts: list[str], rate: float, seed: int, epoch: int) -> None:
    ds = MaskedDataset(texts, VOCAB, rate, seed)
    ids = VOCAB.encode(texts, on_unknown="unk")
    shown, hidden = gathered(ds, np.arange(len(texts)), epoch)
    for row in range(len(texts)):
        x, y, plain = shown[row], hidden[row], ids[row].astype(int)
        chosen = y != -100
        assert (x[~chosen] == plain[~chosen]).all()
        assert (y[chosen] == plain[chosen]).all()
        assert (plain[chosen] >= 4).all()  # neither bos, eos, pad nor unk
        assert ((x[chosen] == 3) | (x[chosen] >= 4)).all()
        assert (x < len(VOCAB)).all()
        assert rate < 1 or chosen.tolist() == (plain >= 4).tolist()


@pytest.mark.parametrize("rate", [0.15, 0.5])
@pytest.mark.parametrize("seed", [0, 7])
def test_rate_and_kinds_of_masks_are_as_documented(rate: float, seed: int) -> None:
    ds = MaskedDataset(["CON=" * 25] * 1000, VOCAB, rate, seed)
    x, y = ds.batch()
    total, chosen = 100 * 1000, y != -100

    def near(count: int, n: int, p: float) -> bool:
        return bool(abs(count - n * p) < 5 * (n * p * (1 - p)) ** 0.5)  # five standard deviations of a binomial

    k = int(chosen.sum())
    assert near(k, total, rate)
    true, made = y[chosen], x[chosen]
    assert near(int((made == 3).sum()), k, 0.8)
    assert near(int((made == true).sum()), k, 0.1 + 0.1 / 4)  # kept, or drawn by chance
    for token in range(4, 8):
        assert near(int(((made == token) & (true != token)).sum()), k, 0.1 / 4 * 3 / 4)
    by_place = chosen[:, 1:101].sum(0)  # no place and no row is favoured
    assert all(near(int(count), 1000, rate) for count in by_place)
    by_row = chosen.sum(1)
    assert all(near(int(count), 100, rate) for count in by_row)


def test_masks_are_the_same_in_any_batch_order_and_number_of_workers() -> None:
    expected = [epoch_of(dataset().dataloader(1, output="dict", padding=Padding(to=30)))]
    loaders = [
        dataset().dataloader(N, output="dict", padding=Padding(to=30), shuffle=True, seed=3),
        dataset().dataloader(7, output="dict", padding=Padding(to=30), bucket=True),
        dataset().dataloader(7, 2, output="dict", padding=Padding(to=30), shuffle=True),
    ]
    for loader in loaders:
        assert epoch_of(loader) == expected[0]
    second = epoch_of(loaders[0])
    assert second == epoch_of(loaders[2])
    assert sum(second[row] != expected[0][row] for row in range(N)) > N * 0.8
    assert epoch_of(dataset(seed=1).dataloader(9, output="dict", padding=Padding(to=30))) != expected[0]


def test_a_resumed_epoch_hides_the_same() -> None:
    loader = dataset().dataloader(8, shuffle=True, output="dict", padding=Padding(to=30))
    loader.set_epoch(4)
    whole = epoch_of(loader)
    loader.set_epoch(4)
    first: dict[int, Any] = {}
    for k, batch in enumerate(loader):
        first |= epoch_of([batch])
        if k == 2:
            break
    other = dataset().dataloader(8, 1, shuffle=True, output="dict", padding=Padding(to=30))
    other.load_state_dict(loader.state_dict())
    rest = epoch_of(other)
    assert first.keys().isdisjoint(rest)
    assert first | rest == whole


def test_one_sample_is_the_row_of_its_batch() -> None:
    ds = dataset()
    x, y = ds.batch([41])
    assert (ds[41][0].tolist(), ds[41][1].tolist()) == (x[0].tolist(), y[0].tolist())
    rows = ds.__getitems__(BatchRequest(6, np.array([41, 3])))
    shown, hidden = gathered(ds, np.array([41, 3]), 6)
    assert rows[0][0].tolist() == shown[0].tolist() != ds[41][0].tolist()
    assert rows[0][1].tolist() == hidden[0].tolist()
    assert gathered(ds, np.array([41, 3]), 7) != [shown, hidden]
    view = ds.view([5, 41])
    assert view[1][0].tolist() == ds[41][0].tolist()  # it depends on the row, not on its position


def test_augmented_rows_are_rewritten_once_for_both_parts() -> None:
    calls: list[tuple[str, int]] = []

    def augment(text: str, key: int) -> str:
        calls.append((text, key))
        return text[key % len(text) :] + text[: key % len(text)]

    ds = dataset(0.5, augment=augment)
    x, y = ds.batch()
    assert len(calls) == N
    assert len({tuple(row) for row in torch.where(y == -100, x, y)[:, 1:5].tolist()}) > 1
    written = [VOCAB.encode([augment(*call)])[0].tolist() for call in list(calls)]
    for row in range(N):
        whole = torch.where((y[row] == -100), x[row], y[row])
        assert whole[whole != 2].tolist() == written[row]
    calls.clear()
    hidden: Any = ds.fields[0].gather(np.array([3, 1]))[1]
    assert hidden.row(1).tolist() == y[1][: len(SMILES[1]) + 2].tolist()
    assert len(calls) == 2
    train, valid = ds.split(0.5)
    calls.clear()
    assert valid.batch()
    assert not calls
    assert train.batch()
    assert len(calls) == N // 2


def test_validation_rows_are_masked_but_not_augmented() -> None:
    ds = MaskedDataset(SMILES, VOCAB, 0.5, augment=lambda text, key: text[::-1])
    plain = MaskedDataset(SMILES, VOCAB, 0.5)
    _, valid = ds.split(0.5)
    _, expected = plain.split(0.5)
    for a, b in zip(valid.batch(), expected.batch(), strict=True):
        assert a.equal(b)
    made = valid.new(SMILES[:3])
    assert all(a.equal(b) for a, b in zip(made.batch(), plain.new(SMILES[:3]).batch(), strict=True))
    assert made.rate == 0.5


def test_from_ids_and_another_mask() -> None:
    ds = dataset(1.0, mask_idx=9).from_ids([[0, 4, 5, 1, 2, 2], [7, 7]])
    x, y = ds.batch()
    assert y.tolist() == [[-100, 4, 5, -100], [-100, 7, 7, -100]]
    assert 9 in x.flatten().tolist()
    assert ds.smiles.tolist() == ["CO", "=="]


@pytest.mark.parametrize("rate", [0, -0.1, 1.1, float("nan")])
def test_an_invalid_rate_is_named(rate: float) -> None:
    with pytest.raises(ValueError, match=r"rate is .*; expected a probability above 0 and at most 1, such as 0\.15"):
        MaskedDataset(["C"], VOCAB, rate)


def test_an_invalid_mask_is_named() -> None:
    with pytest.raises(ValueError, match="mask_idx is -1; expected an id, 0 or more"):
        MaskedDataset(["C"], VOCAB, mask_idx=-1)


def test_rate_and_mask_are_frozen() -> None:
    for name, value in (("rate", 0.2), ("mask_idx", 9), ("seed", 3), ("augment", str)):
        with pytest.raises(AttributeError, match=f"the rows were made with '{name}'"):
            setattr(dataset(), name, value)


# --- rows, atoms and runs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"span": 3}, {"whole_atoms": True}])
def test_every_row_with_tokens_has_a_target(options: dict[str, Any]) -> None:
    ds = MaskedDataset(["CO", "C", ""], VOCAB, 0.15, **options)
    for epoch in range(20):
        _, hidden = gathered(ds, np.arange(3), epoch)
        assert [bool((row != -100).any()) for row in hidden] == [True, True, False]


def test_the_mask_token_of_the_vocabulary_is_used_and_control_tokens_are_no_targets() -> None:
    vocab = CharacterVocab("CON=", control=["mask", "<a>"])
    ds = MaskedDataset(["CON=" * 9] * 50, vocab, 0.9)
    x, _ = ds.batch()
    assert (x == vocab.control["mask"]).any()
    assert not (x == vocab.control["<a>"]).any()
    made = ds.from_ids([[0, vocab.control["<a>"], 4, 5, 1]] * 50)
    x, y = made.batch()
    assert (y[:, 1] == -100).all()
    assert (x[:, 1] == vocab.control["<a>"]).all()


def test_the_tokens_of_an_atom_are_hidden_together() -> None:
    vocab = CharacterVocab("[]nHClBr(")
    text = "C[nH]ClBr[[C][n"
    atoms = [(2, 5), (6, 7), (8, 9), (11, 13)]  # positions after bos, both ends included
    ds = MaskedDataset([text] * 200, vocab, 0.4, whole_atoms=True)
    _, y = ds.batch()
    chosen = y != -100
    for first, last in atoms:
        together = chosen[:, first : last + 1]
        assert (together.all(1) == together.any(1)).all()
        assert together.any(1).sum() > 40
    alone = chosen[:, [1, 10, 14, 15]]
    assert all(0 < int(alone[:, k].sum()) < 200 for k in range(4))
    assert not (alone[:, 2] == alone[:, 3]).all()


def test_runs_keep_the_rate_and_have_at_least_their_length() -> None:
    ds = MaskedDataset(["CON=" * 100] * 100, VOCAB, 0.3, span=4)
    _, y = ds.batch()
    chosen = (y[:, 1:401] != -100).numpy()
    assert abs(chosen[:, 4:].mean() - 0.3) < 0.02
    for row in chosen:
        edges = np.diff(np.concatenate([[0], row.astype(int), [0]]))
        begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        assert ((ends - begins >= 4) | (begins == 0) | (ends == 400)).all()
    with pytest.raises(ValueError, match="span is 0; expected 1 or more tokens"):
        MaskedDataset(["C"], VOCAB, span=0)
