"""Blocks of whole texts: packed, batched, and kept apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.data import PackedDataset, Padding, TextDataset, block_mask, dict_collate, packed_collate
from mrl.errors import ColumnError, DatasetError, RowError
from mrl.text import CharacterVocab, Vocab

VOCAB = CharacterVocab("CO")
TEXTS = st.lists(st.text("CO", max_size=6), max_size=12)


def blocks_of(texts: list[str], block: int) -> list[list[str]]:
    """Return blocks: each text is put into the current block if it fits, else into the next one."""
    made: list[list[str]] = []
    free = 0
    for text in texts:
        if len(text) + 2 > free:
            made.append([])
            free = block
        made[-1].append(text)
        free -= len(text) + 2
    return made


def test_packed_collate_written_out() -> None:
    batch = [torch.tensor([0, 4, 1, 0, 5, 1]), torch.tensor([0, 4, 4, 4, 4, 4, 5, 1])]
    (x, segments), y = packed_collate(batch, 2, 8)
    assert x.tolist() == [[0, 4, 1, 0, 5, 1, 2, 2], [0, 4, 4, 4, 4, 4, 5, 1]]
    assert segments.tolist() == [[1, 1, 1, 2, 2, 2, 0, 0], [1] * 8]
    assert y.tolist() == [[4, 1, 2, 5, 1, 2, 2, 2], [4, 4, 4, 4, 4, 5, 1, 2]]
    (x2, segments2), y2 = packed_collate(batch, 2, 8, batch_first=False)
    assert all(a.equal(b.T) and a.is_contiguous() for a, b in ((x2, x), (segments2, segments), (y2, y)))
    (x, segments), y = packed_collate([], 2, 8)
    assert x.shape == segments.shape == y.shape == (0, 8)
    with pytest.raises(RowError, match=r"row 1 of the batch has 8 ids, more than Padding\(to=7\)"):
        packed_collate(batch, 2, 7)


def test_dict_form_written_out() -> None:
    made = dict_collate(PackedDataset(["C", "O", "CCC"], VOCAB, 7).__getitems__([0, 1]))
    assert {name: tensor.tolist() for name, tensor in made.items()} == {
        "input_ids": [[0, 4, 1, 0, 5, 1, 2], [0, 4, 4, 4, 1, 2, 2]],
        "attention_mask": [[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0, 0]],
        "lengths": [6, 5],
        "labels": [[-100, 4, 1, -100, 5, 1, -100], [-100, 4, 4, 4, 1, -100, -100]],
        "segments": [[1, 1, 1, 2, 2, 2, 0], [1, 1, 1, 1, 1, 0, 0]],
        "position_ids": [[0, 1, 2, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6]],
        "index": [0, 1],
    }
    for padding in (Padding(to=9), Padding(multiple=8)):
        with pytest.raises(ValueError, match=r"packed blocks have 7 ids each; leave out Padding\(to"):
            dict_collate(PackedDataset(["C"], VOCAB, 7).__getitems__([0]), padding=padding)


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.integers(8, 20))
def test_blocks_have_every_text_once_in_order_and_uncut(texts: list[str], block: int) -> None:
    ds = PackedDataset(texts, VOCAB, block)
    assert ds.smiles.tolist() == blocks_of(texts, block)
    assert [text for texts in ds.smiles.tolist() for text in texts] == texts
    for ids, inside in zip(ds, ds.smiles.tolist(), strict=True):
        assert ids.tolist() == [i for text in inside for i in VOCAB.encode([text])[0].tolist()]
        assert len(ids) <= block
    assert ds.lengths().tolist() == [sum(len(text) + 2 for text in inside) for inside in ds.smiles.tolist()]
    (x, _), y = ds.batch()
    assert x.shape == (len(ds), block)
    apart = TextDataset(texts, VOCAB).batch()[1]
    pairs = [[t for t in row if t != 2] for row in y.tolist()]
    assert [t for row in pairs for t in row] == [t for row in apart.tolist() for t in row if t != 2]
    assert not ((x == 1) & (y != 2)).any()  # nothing is predicted after the end of a text
    assert not (y == 0).any()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=3))
def test_block_mask_is_what_a_slow_loop_finds(segments: list[list[int]]) -> None:
    mask = block_mask(torch.tensor(segments))
    assert (mask.shape, mask.dtype) == ((len(segments), 1, 5, 5), torch.bool)
    for b, row in enumerate(segments):
        for i in range(5):
            for j in range(5):
                assert bool(mask[b, 0, i, j]) == (j <= i and row[i] == row[j])


def test_attention_over_a_block_is_attention_over_each_of_its_texts() -> None:
    ds = PackedDataset(["CCO", "O", "CC"], VOCAB, 16)
    (x, segments), _ = ds.batch()
    embedded = torch.nn.Embedding(6, 8, _weight=torch.randn(6, 8, generator=torch.Generator().manual_seed(0)))(x)
    attend = torch.nn.functional.scaled_dot_product_attention
    q = embedded.unsqueeze(1)
    packed = attend(q, q, q, attn_mask=block_mask(segments))[0, 0]
    assert not packed.isnan().any()
    for text in range(1, 4):
        own = segments[0] == text
        alone = q[:, :, own]
        assert torch.allclose(attend(alone, alone, alone, is_causal=True)[0, 0], packed[own], atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(TEXTS.filter(bool), st.data())
def test_new_keeps_the_blocks_of_its_own_column(texts: list[str], data: st.DataObject) -> None:
    ds = PackedDataset(texts, VOCAB, 10)
    rows = data.draw(st.lists(st.integers(0, len(ds) - 1), max_size=6))
    for one in (ds, ds.view(rows), ds.view(rows[::-1]), *(ds.split(0.5) if len(ds) > 1 else ())):
        made = one.new(one.smiles)
        assert made.smiles.tolist() == one.smiles.tolist()
        assert [ids.tolist() for ids in made] == [ids.tolist() for ids in one]
    assert ds.view(rows).smiles.tolist() == [ds.smiles.tolist()[row] for row in rows]


def test_blocks_that_would_fit_together_are_not_merged_by_new() -> None:
    ds = PackedDataset(["C", "OOOOO", "O"], VOCAB, 7)
    assert ds.smiles.tolist() == [["C"], ["OOOOO"], ["O"]]
    view = ds.view([0, 2])
    assert view.new(view.smiles).smiles.tolist() == [["C"], ["O"]]
    small = PackedDataset(["C"], VOCAB, 4)
    two = PackedDataset(["C", "O"], VOCAB, 8)
    assert small.new(two.smiles).smiles.tolist() == [["C"], ["O"]]  # they do not fit, so they are packed again


def test_new_packs_by_the_settings_of_the_dataset() -> None:
    ds = PackedDataset(["C"], VOCAB, 7, on_long="reject").new(["C", "CCCCCC", "O", "CC"])
    assert ds.smiles.tolist() == [["C", "O"], ["CC"]]
    assert [tuple(reject) for reject in ds.rejects] == [
        (1, "CCCCCC", "length", "too long: 8 tokens, more than block 7")
    ]
    assert ds.kept.tolist() == [0, 1]
    assert len(ds.new([])) == 0
    with pytest.raises(RowError, match=r"row 1: 'CCCCCC' has 8 tokens, more than block 7; raise block, or use on_long"):
        PackedDataset(["C", "CCCCCC"], VOCAB, 7)
    everything = PackedDataset(["CCCCCC"], VOCAB, 7, on_long="reject")
    assert (len(everything), len(everything.rejects)) == (0, 1)


def test_added_columns_go_by_block() -> None:
    ds: Any = PackedDataset(["C", "CCCCCC", "O", "CC"], VOCAB, 7, on_long="reject")
    ds.add_column("name", ["a", "b"])
    assert ds.view([1]).name.tolist() == ["b"]
    again = ds.new(**ds.columns)
    assert (again.name.tolist(), again.smiles.tolist()) == (["a", "b"], ds.smiles.tolist())
    made = ds.new(["CCCCCC", "CC"], name=["c"])
    assert (made.name.tolist(), len(made.rejects)) == (["c"], 1)
    with pytest.raises(ColumnError, match="name has 2 values for 1 rows"):
        ds.new(["CC"], name=["c", "d"])


def test_sampled_ids_are_packed() -> None:
    ds = PackedDataset(["C"], VOCAB, 7, on_long="reject").from_ids([[0, 4, 1, 2], [5, 5], [0, 4, 4, 4, 4, 4, 4, 1]])
    assert [ids.tolist() for ids in ds] == [[0, 4, 1, 0, 5, 5]]
    assert ds.smiles.tolist() == [["C", "OO"]]
    assert [reject.row for reject in ds.rejects] == [2]
    (x, segments), y = ds.batch()
    assert x.tolist() == [[0, 4, 1, 0, 5, 5, 2]]
    assert segments.tolist() == [[1, 1, 1, 2, 2, 2, 0]]
    assert y.tolist() == [[4, 1, 2, 5, 5, 2, 2]]


def test_loaders_order_blocks() -> None:
    ds = PackedDataset(["C" * (1 + i % 4) for i in range(40)], VOCAB, 12)
    rows: list[int] = []
    for batch in ds.dataloader(3, shuffle=True, output="dict"):
        assert batch["input_ids"].shape[1] == 12
        rows += batch["index"].tolist()
    assert sorted(rows) == list(range(len(ds)))
    assert rows != sorted(rows)


class WithoutBos(Vocab):
    """Texts without bos."""

    def tokenize(self, input: str) -> list[str]:
        return [*input, "eos"]


@pytest.mark.parametrize("texts", [["C", "O"], ["C", ""]])
def test_a_vocabulary_without_bos_raises(texts: list[str]) -> None:
    with pytest.raises(DatasetError, match="the texts of a block are separated by bos"):
        PackedDataset(texts, WithoutBos(["C", "O"]), 8)


def test_a_column_on_disk_raises() -> None:
    class OnDisk:
        digest = "0"

        def __len__(self) -> int:
            return 1

        def take(self, rows: Any) -> Any:
            raise AssertionError("not to be read")

    with pytest.raises(DatasetError, match="blocks are packed of texts in memory; take some rows of the column"):
        PackedDataset(OnDisk(), VOCAB, 8)


@pytest.mark.parametrize("block", [0, -3])
def test_an_invalid_block_is_named(block: int) -> None:
    with pytest.raises(ValueError, match=f"block is {block}; expected 1 id or more"):
        PackedDataset([], VOCAB, block)
