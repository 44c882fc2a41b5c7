"""Fingerprints: the same for the same samples in any process, and another for any change of them."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from every_kind import KINDS, VOCAB, count_letters, shuffle_letters, texts

from mrl.data import (
    BaseDataset,
    ConditionalDataset,
    Field,
    MaskedDataset,
    NumberColumn,
    PackedDataset,
    PairDataset,
    Task,
    TextDataset,
    TextPredictionDataset,
    VecPredictionDataset,
    VectorDataset,
    vector_collate,
)
from mrl.errors import StateError
from mrl.text import CharacterVocab

N = 12

# Changes of a dataset, by its kind: each makes other samples.
CHANGES: dict[str, list[Any]] = {
    "text": [
        lambda: TextDataset(texts(N)[::-1], VOCAB),
        lambda: TextDataset([*texts(N)[:-1], "C"], VOCAB),
        lambda: TextDataset(texts(N + 1), VOCAB),
        lambda: TextDataset(texts(N), CharacterVocab("OCN")),
        lambda: TextDataset(texts(N), CharacterVocab("CON=")),
        lambda: TextDataset(texts(N), VOCAB, max_length=8, on_long="reject"),
        lambda: TextDataset(texts(N), VOCAB).view(range(1, N)),
        lambda: TextDataset(texts(N), VOCAB).view(range(N - 1, -1, -1)),
        lambda: TextDataset(texts(N), VOCAB).view([*range(N - 1), 0]),
        lambda: TextDataset(texts(N), VOCAB).from_ids([*VOCAB.encode(texts(N - 1)), [0, 4]]),
        lambda: KINDS["augmented"](N),
    ],
    "augmented": [
        lambda: TextDataset(texts(N), VOCAB, augment=shuffle_letters, seed=1),
        lambda: TextDataset(texts(N), VOCAB, augment=shuffle_letters, max_length=11),
        lambda: TextDataset(texts(N), VOCAB, augment=lambda text, key: text),
    ],
    "prediction": [
        lambda: TextPredictionDataset(texts(N), range(N), VOCAB),
        lambda: TextPredictionDataset(texts(N), range(N), VOCAB, weights=np.ones(N)),
        lambda: TextPredictionDataset(texts(N), range(1, N + 1), VOCAB, weights=np.arange(N) / N),
        lambda: TextPredictionDataset(texts(N), range(N), VOCAB, weights=np.arange(N) / N, y_dtype=torch.float64),
        lambda: TextPredictionDataset(texts(N), [[i] for i in range(N)], VOCAB, weights=np.arange(N) / N),
    ],
    "vector": [lambda: VectorDataset(texts(N), len), lambda: VectorDataset(texts(N)[::-1], count_letters)],
    "vector prediction": [lambda: VecPredictionDataset(texts(N), range(1, N + 1), count_letters)],
    "pair": [
        lambda: PairDataset(texts(N), texts(N), VOCAB),
        lambda: PairDataset(texts(N), texts(N)[::-1], VOCAB, CharacterVocab("NOC")),
        lambda: PairDataset(texts(N)[::-1], texts(N), VOCAB),
    ],
    "conditional": [
        lambda: ConditionalDataset(texts(N), np.arange(1, 2.0 * N + 1).reshape(N, 2), VOCAB),
        lambda: KINDS["prompted"](N),
    ],
    "prompted": [lambda: ConditionalDataset(texts(N), texts(N), VOCAB)],
    "masked": [
        lambda: MaskedDataset(texts(N), VOCAB, rate=0.5),
        lambda: MaskedDataset(texts(N), VOCAB, rate=0.4, seed=1),
        lambda: MaskedDataset(texts(N), VOCAB, rate=0.4, mask_idx=9),
        lambda: MaskedDataset(texts(N), VOCAB, rate=0.4, augment=shuffle_letters),
    ],
    "packed": [
        lambda: PackedDataset(texts(N), VOCAB, block=14),
        lambda: PackedDataset(texts(N)[::-1], VOCAB, block=13),
    ],
}


@pytest.mark.parametrize("kind", CHANGES)
def test_every_change_of_the_samples_is_another_fingerprint(kind: str) -> None:
    found = [KINDS[kind](N).fingerprint(), *(change().fingerprint() for change in CHANGES[kind])]
    assert len(set(found)) == len(found)


def test_every_kind_has_its_own_fingerprint() -> None:
    assert len({make(N).fingerprint() for make in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_samples_have_the_same_fingerprint(kind: str) -> None:
    ds = KINDS[kind](N)
    rows = np.arange(len(ds))
    same = [KINDS[kind](N), pickle.loads(pickle.dumps(ds)), ds.view(rows), ds.view(range(len(ds))), ds.view(rows >= 0)]
    ds.prepare()
    same.append(ds)
    if not any(field.random for field in ds.fields):
        same += [ds.resident("cpu"), ds.without_augmentation(), ds.resident("cpu").view(rows)]
    assert {other.fingerprint() for other in same} == {KINDS[kind](N).fingerprint()}
    view, array = ds.view(range(5, 0, -2)), ds.view([5, 3, 1])
    assert view.fingerprint() == array.fingerprint() == ds.view(rows).view([5, 3, 1]).fingerprint()
    if not any(field.random for field in ds.fields):
        for there in (
            view.resident("cpu"),
            ds.resident("cpu").view([5, 3, 1]),
            ds.resident("cpu").view(range(5, 0, -2)),
        ):
            assert there.fingerprint() == view.fingerprint()


@pytest.mark.slow
def test_another_process_and_hash_seed_have_the_same_fingerprints() -> None:
    script = (
        f"import json; from every_kind import KINDS; print(json.dumps([m({N}).fingerprint() for m in KINDS.values()]))"
    )
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        assert json.loads(done.stdout) == [make(N).fingerprint() for make in KINDS.values()]


def test_ids_that_were_sampled_count_not_only_their_text() -> None:
    vocab = CharacterVocab("CO")
    ds = TextDataset(["C"], vocab)
    ended, open_end = ds.from_ids([[0, 4, 1]]), ds.from_ids([[0, 4]])
    assert ended.smiles.tolist() == open_end.smiles.tolist()
    assert ended.fingerprint() != open_end.fingerprint()


def test_a_vocabulary_that_grows_changes_the_fingerprint() -> None:
    ds = TextDataset(texts(N), CharacterVocab("CON"))
    before = ds.fingerprint()
    ds.vocab.update_vocab_from_data(["="])
    assert ds.fingerprint() != before


def test_what_makes_no_difference_to_the_samples_does_not_count() -> None:
    ds = TextDataset(texts(N), VOCAB)
    before = ds.fingerprint()
    ds.add_column("name", range(N))
    assert ds.fingerprint() == before
    assert (
        VectorDataset(texts(N), len, n_jobs=2).fingerprint() == VectorDataset(texts(N), len, cache=None).fingerprint()
    )


# --- datasets and fields of a user -----------------------------------------------------------------------------------


class Doubled(Field):
    """A field without a fingerprint of its own."""

    names = ("doubled",)

    def __init__(self, column: Any) -> None:
        self.column = column

    def gather(self, rows: Any, epoch: int = 0) -> tuple[torch.Tensor]:
        return (torch.from_numpy(self.column.take(rows) * 2),)


def doubled_fields(ds: Any) -> tuple[Field, ...]:
    return (Doubled(ds.columns["x"]),)


DOUBLED = Task({"x": NumberColumn()}, doubled_fields, vector_collate)


def test_a_state_does_not_load_into_other_rows_of_a_field_of_the_user() -> None:
    ds, again, other = (BaseDataset.from_task(DOUBLED, {"x": [[1, 2], x]}) for x in ([3, 4], [3, 4], [3, 5]))
    state = ds.dataloader(1).state_dict()
    again.dataloader(1).load_state_dict(state)
    for changed in (other, ds.view([1, 0])):
        with pytest.raises(StateError, match="the data differ"):
            changed.dataloader(1).load_state_dict(state)


class Weighted(TextDataset):
    """A subclass whose samples have a value of an added column."""

    weights: Any

    def __init__(self, smiles: Any, weights: Any) -> None:
        super().__init__(smiles, VOCAB)
        self.add_column("weights", weights)

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i), self.weights[i]


def test_added_columns_count_where_a_subclass_makes_the_samples() -> None:
    ds = Weighted(["C", "O", "N"], [1, 2, 3])
    assert ds.fingerprint() == Weighted(["C", "O", "N"], [1, 2, 3]).fingerprint() == ds.view(range(3)).fingerprint()
    others = [
        Weighted(["C", "O", "N"], [1, 2, 4]),
        Weighted(["C", "O", "N"], [1, 3, 2]),
        ds.view([0, 2, 1]),
        ds.new(["C", "O", "N"], weights=[1, 2, 5]),
    ]
    assert len({ds.fingerprint(), *(other.fingerprint() for other in others)}) == 5


class Columns(BaseDataset):
    """A dataset of added columns alone."""

    def __init__(self, x: Any) -> None:
        super().__init__(torch.tensor)
        self.add_column("x", x)

    def __getitem__(self, i: Any) -> Any:
        return float(self.columns["x"][i])


def test_a_dataset_of_added_columns_has_a_fingerprint() -> None:
    assert (
        Columns([1, 2]).fingerprint() == Columns([1, 2]).fingerprint() == Columns([1, 2]).view(range(2)).fingerprint()
    )
    assert Columns([1, 2]).fingerprint() != Columns([2, 1]).fingerprint()
    assert Columns([1, 2]).view([1, 0]).fingerprint() != Columns([1, 2]).fingerprint()
