"""Shards: what is written comes back, from the mapped file, and damage is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mrl.corpus import Shard, write_shard
from mrl.errors import CorruptShard
from mrl.files import seal
from mrl.ragged import Ragged, Text

COLUMNS: dict[str, Any] = {
    "smiles": Text.of(["CCO", "", "N≡N"]),
    "ids": Ragged(np.array([1, 2, 3], np.uint8), [0, 1, 1, 3]),
    "y": np.array([0.5, np.nan, -0.0]),
    "bits": np.arange(6, dtype=np.uint8).reshape(3, 2),
    "flags": np.array([True, False, True]),
    "key": np.array([b"ab", b"c\0", b"\0\0"], "S2"),
}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Ragged):
        return bool(a == b)
    return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_shard(tmp_path / "a.arrow", COLUMNS, {"source": "é"})
    return tmp_path / "a.arrow"


def test_columns_come_back(path: Path) -> None:
    for verify in (True, False):
        shard = Shard(path, verify=verify)
        assert (shard.rows, shard.about, list(shard)) == (3, {"source": "é"}, list(COLUMNS))
        assert all(same(shard[name], column) for name, column in COLUMNS.items())
    assert repr(shard) == "Shard(3 rows: smiles, ids, y, bits, flags, key)"
    first = path.read_bytes()
    write_shard(path, COLUMNS, {"source": "é"})
    assert path.read_bytes() == first


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.float32, np.float64, np.uint8, np.uint16, np.int64, np.bool_]),
        arrays.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=5),
    )
)
def test_every_dtype_and_shape_comes_back(tmp_path_factory: pytest.TempPathFactory, values: Any) -> None:
    path = tmp_path_factory.mktemp("shard") / "a.arrow"
    write_shard(path, {"values": values})
    assert same(Shard(path)["values"], values)


def test_columns_are_not_copied(path: Path) -> None:
    for name in ("y", "bits", "key"):
        column = Shard(path)[name]
        assert isinstance(column, np.ndarray)
        assert not column.flags.owndata
        assert not column.flags.writeable


def test_a_shard_outlives_its_file(path: Path) -> None:
    shard = Shard(path)
    path.unlink()
    assert same(shard["smiles"], COLUMNS["smiles"])


def test_other_libraries_read_it(path: Path) -> None:
    assert pa.ipc.open_file(path).read_all()["smiles"].to_pylist() == ["CCO", "", "N≡N"]
    assert pl.read_ipc(path)["ids"].to_list() == [[1], [], [2, 3]]


@pytest.mark.slow
def test_every_flipped_byte_and_every_cut_is_found(path: Path) -> None:
    whole = path.read_bytes()
    for place in range(len(whole)):
        for damaged in (whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :], whole[:place]):
            path.write_bytes(damaged)
            with pytest.raises(CorruptShard, match=r"a\.arrow is not a valid mrl-shard file") as caught:
                Shard(path)
            assert caught.value.path == str(path)


@pytest.mark.slow
def test_without_the_digest_a_damaged_file_cannot_lead_out_of_its_memory(path: Path) -> None:
    whole = path.read_bytes()
    for place in range(len(whole)):
        for change in (1, 64, 128, 255):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :])
            try:
                shard = Shard(path, verify=False)
            except CorruptShard:
                continue
            for column in shard.values():
                if isinstance(column, Ragged):
                    assert 0 <= column.offsets[0] <= column.offsets[-1] <= len(column.values)
                _ = bytes(column.values if isinstance(column, Ragged) else column)


def test_files_of_other_programs(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(b"")
    with pytest.raises(CorruptShard, match="it is empty"):
        Shard(path)
    path.write_bytes(b"ARROW1\0\0 and nothing else ARROW1")
    with pytest.raises(CorruptShard, match="it is not an Arrow file that mrl wrote"):
        Shard(path)
    batch = pa.record_batch({"y": [1.0, None]})
    for metadata, batches, words in (
        (None, 1, "it is not an Arrow file that mrl wrote"),
        ({"mrl": b"{}"}, 1, 'it has no "format"'),
        ({"mrl": seal({"format": "mrl-shard", "version": 2})}, 1, "its version is 2 and this mrl reads 1; update mrl"),
        ({"mrl": seal({"format": "mrl-shard", "version": 1})}, 2, "2 record batches, expected 1"),
        ({"mrl": seal({"format": "mrl-shard", "version": 1})}, 1, "it has 2 rows, expected None"),
        ({"mrl": seal({"format": "mrl-shard", "version": 1, "rows": 2})}, 1, "it does not match its digest"),
    ):
        schema = batch.schema.with_metadata(metadata)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for _ in range(batches):
                writer.write_batch(batch)
        with pytest.raises(CorruptShard, match=words):
            Shard(path)
    with pytest.raises(CorruptShard, match=r"its columns are invalid \(1 nulls\)"):
        Shard(path, verify=False)
    with pytest.raises(FileNotFoundError):
        Shard(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        Shard(tmp_path)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": np.zeros(2), "b": np.zeros(3)}, r"different lengths: {'a': 2, 'b': 3}; give each one value per row"),
        ({"a": np.array(["x"])}, r"column 'a' is 1-D <U1; expected Text, Ragged, or numbers"),
        ({"a": np.zeros((1, 1, 1))}, r"column 'a' is 3-D float64"),
        ({"a": np.array([1j])}, r"column 'a' is 1-D complex128"),
    ],
)
def test_columns_that_cannot_be_written(tmp_path: Path, columns: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        write_shard(tmp_path / "a.arrow", columns)
    assert list(tmp_path.iterdir()) == []
