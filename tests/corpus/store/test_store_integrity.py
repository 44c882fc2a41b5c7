"""Whatever happens to the files of a corpus is found, or harmless: never other rows, never memory outside of a file."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stored import small_corpus, write_corpus

from mrl.corpus import Corpus, open_corpus, write_shard
from mrl.errors import CorpusError, FileFormatError, RowError
from mrl.files import seal, unseal
from mrl.ragged import Text

Rows = list[Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_corpus(tmp_path / "corpus")
    open_corpus(tmp_path / "corpus")  # writes the stamps
    return tmp_path / "corpus"


def contents(corpus: Corpus) -> Rows:
    every = np.arange(len(corpus))
    taken = [column.take(every).tolist() for column in corpus.columns.values()]
    parts = [column.tolist() for column in corpus.columns.values()]
    return [len(corpus), taken, parts, list(corpus.rejects), corpus.vocab.itos, corpus.manifest.splits]


def is_found_or_harmless(folder: Path, expected: Rows, verify: Any = "stamp") -> bool:
    """Return whether an error with its file and a way out was raised; AssertionError if there are other rows."""
    found: Any = None
    with contextlib.suppress(FileFormatError):
        found = contents(open_corpus(folder, verify=verify))
    assert found in (None, expected)
    return found is None


def test_a_corpus_that_is_as_it_was_written_opens_in_every_way(folder: Path) -> None:
    expected = contents(open_corpus(folder))
    assert contents(open_corpus(folder, verify="full")) == contents(open_corpus(folder, verify="never")) == expected
    assert open_corpus(folder).verify() == []
    with pytest.raises(ValueError, match="verify is 'all'; expected 'stamp', 'full' or 'never'"):
        open_corpus(folder, verify="all")  # type: ignore[arg-type]


def damages(data: bytes) -> Iterator[bytes]:
    for i in range(len(data)):
        yield data[:i] + bytes([data[i] ^ (1 << i % 8)]) + data[i + 1 :]
    for i in range(0, len(data), 7):
        yield data[:i]
    yield data + b"\0"


FILES = ["manifest.json", "vocab.json", "rejects.parquet", "shard-00000.arrow", "shard-00003.arrow"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes_and_truncation_is_found(folder: Path, name: str) -> None:
    expected, path = contents(open_corpus(folder)), folder / name
    data = path.read_bytes()
    step = 1 + len(data) // 250  # bytes all over, of all kinds
    for k, damaged in enumerate(damages(data)):
        if k % step == 0:
            path.write_bytes(damaged)
            assert is_found_or_harmless(folder, expected), k


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES[3:])
def test_without_digests_damage_never_leads_outside_of_a_file(folder: Path, name: str) -> None:
    path = folder / name
    data = path.read_bytes()
    n, read = len(open_corpus(folder)), 0
    for damaged in list(damages(data))[:: 1 + len(data) // 500]:
        path.write_bytes(damaged)
        with contextlib.suppress(FileFormatError, RowError):
            rows, taken, parts, *_ = contents(open_corpus(folder, verify="never"))
            assert [rows, *map(len, taken), *map(len, parts)] == [n] * (1 + 2 * len(taken))
            assert repr(taken) == repr(parts)
            read += 1
    assert read


def test_flipped_stamps_are_harmless(folder: Path) -> None:
    expected, path = contents(open_corpus(folder)), folder / ".stamps.json"
    data = path.read_bytes()
    for damaged in list(damages(data))[::5]:
        path.write_bytes(damaged)
        assert not is_found_or_harmless(folder, expected)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CorpusError, match=name):
        open_corpus(folder)


@pytest.mark.parametrize("name", FILES[1:])
@pytest.mark.parametrize("verify", ["stamp", "full", "never"])
def test_a_file_of_another_corpus_is_found(folder: Path, name: str, verify: Any) -> None:
    small_corpus(folder.parent / "other", seed=1)
    expected = contents(open_corpus(folder))
    before = (folder / name).read_bytes()
    shutil.copy2(folder.parent / "other" / name, folder / name)
    assert is_found_or_harmless(folder, expected, verify) == (before != (folder / name).read_bytes())


def test_a_manifest_of_another_corpus_is_found(folder: Path) -> None:
    small_corpus(folder.parent / "other", seed=1)
    shutil.copy(folder.parent / "other" / "manifest.json", folder)
    with pytest.raises(FileFormatError, match="copy the whole folder again"):
        open_corpus(folder)


@pytest.mark.slow
def test_every_byte_that_is_flipped_under_an_open_corpus_is_noticed(folder: Path) -> None:
    path = folder / "shard-00000.arrow"
    data = path.read_bytes()
    for i in range(0, len(data), 53):
        corpus = open_corpus(folder)
        corpus.smiles.take([0, 1])
        with path.open("r+b") as file:
            file.seek(i)
            file.write(bytes([data[i] ^ 1]))
        with pytest.raises(CorpusError, match="has changed since the corpus was opened"):
            corpus.smiles.take([0, 1])
        with path.open("r+b") as file:
            file.write(data)


@pytest.mark.parametrize("restore_times", [False, True])
def test_a_shard_that_changes_under_an_open_corpus_is_noticed(folder: Path, restore_times: bool) -> None:
    corpus, path = open_corpus(folder), folder / "shard-00002.arrow"
    assert len(corpus.smiles.take([2, 3])) == 2
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-60, os.SEEK_END)
        byte = file.read(1)
        file.seek(-60, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    if restore_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    reads: tuple[Callable[[], Any], ...] = (
        lambda: corpus.smiles.take([2]),
        lambda: corpus["y"][2:4],
        lambda: corpus[2],
        lambda: corpus.smiles[0],
    )
    for read in reads:
        with pytest.raises(CorpusError, match=r"nothing more is read from it\. mrl verify"):
            read()
    assert path.name in corpus.verify()[0]


def test_a_shard_that_is_replaced_under_an_open_corpus_is_noticed(folder: Path) -> None:
    corpus, path = open_corpus(folder), folder / "shard-00002.arrow"
    assert corpus.smiles.take([2]).tolist()
    shutil.copy2(path, folder / "copy")
    os.replace(folder / "copy", path)
    with pytest.raises(CorpusError, match="open the corpus again"):
        corpus.smiles.take([2])
    assert open_corpus(folder).smiles.take([2]).tolist()


def test_a_shard_that_is_touched_or_linked_stays_readable(folder: Path) -> None:
    corpus, path = open_corpus(folder), folder / "shard-00002.arrow"
    expected = corpus.smiles.take([2, 3]).tolist()
    path.touch()
    assert corpus.smiles.take([2, 3]).tolist() == expected
    os.link(path, folder.parent / "backup")
    assert corpus.smiles.take([2, 3]).tolist() == expected


def test_files_that_do_not_belong_here_are_reported(folder: Path) -> None:
    (folder / "shard-00009.arrow").write_bytes(b"")
    assert open_corpus(folder).verify() == [f"{folder / 'shard-00009.arrow'} is not a part of the corpus: remove it"]


HOSTILE: list[tuple[str, Any]] = [
    ("rows", 10**30),
    ("rows", 5),
    ("columns", [["smiles", "text"], ["smiles", "text"], ["y", "float64"], ["ids", "ragged uint8"]]),
    ("columns", [["smiles", "text"]]),
    ("columns", [["smiles", 7]]),
    ("columns", [["smiles", "object"], ["y", "float64"], ["ids", "ragged uint8"], ["active", "bool"]]),
    ("columns", [["smiles", "text"], ["y", "S99999999"], ["ids", "ragged uint8"], ["active", "bool"]]),
    ("columns", [["smiles", "text"], ["y", "float32"], ["ids", "ragged uint8"], ["active", "bool"]]),
    ("columns", {}),
    ("smiles_column", "no"),
    ("smiles_column", None),
    ("targets", ["no"]),
    ("targets", 3),
    ("shards", "abc"),
    ("shards", [{}]),
    ("shards", []),
    ("rejects", {"name": "rejects.parquet"}),
    ("rejects", 1),
    ("vocab", []),
    ("vocab_fingerprint", 1),
    ("vocab_fingerprint", "0" * 64),
    ("history", [1]),
    ("tokens", {"smiles": "y"}),
    ("tokens", [1]),
    ("version", 2),
    ("format", "mrl-vocab"),
    ("shards/0/rows", -1),
    ("shards/0/rows", 10**30),
    ("shards/0/rows", 2.0),
    ("shards/0/rows", True),
    ("shards/0/split", None),
    ("shards/0/files", []),
    ("shards/0/files/0/name", "../corpus/shard-00000.arrow"),
    ("shards/0/files/0/name", ".."),
    ("shards/0/files/0/name", "/etc/passwd"),
    ("shards/0/files/0/name", "a\0b"),
    ("shards/0/files/0/name", "manifest.json"),
    ("shards/0/files/0/name", "shard-00002.arrow"),
    ("shards/0/files/0/name", "x" * 300),
    ("shards/0/files/0/name", 3),
    ("shards/0/files/0/bytes", 1),
    ("shards/0/files/0/bytes", "1"),
    ("shards/0/files/0/digest", "0" * 64),
    ("shards/0/files/0/digest", None),
    ("shards/0/files/0/columns", ["smiles", "y"]),
    ("shards/0/files/0/columns", [["smiles"]]),
]


@pytest.mark.parametrize(("place", "value"), HOSTILE, ids=[f"{place}={str(value)[:20]!r}" for place, value in HOSTILE])
def test_a_manifest_that_contradicts_itself_or_its_files_is_an_error(folder: Path, place: str, value: Any) -> None:
    path = folder / "manifest.json"
    document = unseal(path.read_bytes(), path, format="mrl-corpus", version=1)
    *way, last = (int(step) if step.isdigit() else step for step in place.split("/"))
    inner: Any = document
    for step in way:
        inner = inner[step]
    inner[last] = value
    path.write_bytes(seal(document))
    with pytest.raises(FileFormatError) as raised:
        contents(open_corpus(folder))
    assert str(folder) in str(raised.value)


def test_entries_that_are_left_out_of_a_manifest_are_an_error(folder: Path) -> None:
    path = folder / "manifest.json"
    for name in json.loads(path.read_bytes()).keys() - {"sha256"}:
        document = unseal(path.read_bytes(), path, format="mrl-corpus", version=1)
        data = path.read_bytes()
        del document[name]
        path.write_bytes(seal(document))
        with pytest.raises(CorpusError):
            open_corpus(folder)
        path.write_bytes(data)


def test_offsets_that_lead_outside_are_an_error_without_digests_too(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"x": Text.of(["CCO", "C", "N" * 40])}, [0, 3])
    path = tmp_path / "shard-00000.arrow"
    data = path.read_bytes()
    place = data.index(np.array([0, 3, 4, 44], "<i8").tobytes())
    for i, value in [(1, 1 << 40), (1, -5), (2, 2), (3, 1 << 62), (0, 4), (0, -1)]:
        offsets = np.array([0, 3, 4, 44], "<i8")
        offsets[i] = value
        path.write_bytes(data[:place] + offsets.tobytes() + data[place + 32 :])
        with pytest.raises(FileFormatError):
            open_corpus(tmp_path, verify="never")["x"].take([0, 1, 2])
        with pytest.raises(FileFormatError):
            open_corpus(tmp_path, verify="never")["x"].tolist()


def test_a_shard_of_other_types_is_an_error(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"x": np.arange(3)}, [0, 3])
    expected = (tmp_path / "shard-00000.arrow").stat().st_size
    digest = write_shard(tmp_path / "shard-00000.arrow", {"x": np.arange(3) / 2})
    path = tmp_path / "manifest.json"
    document = unseal(path.read_bytes(), path, format="mrl-corpus", version=1)
    document["shards"][0]["files"][0] |= {"digest": digest, "bytes": (tmp_path / "shard-00000.arrow").stat().st_size}
    path.write_bytes(seal(document))
    assert expected
    with pytest.raises(FileFormatError, match="rows of double, not what is listed"):
        open_corpus(tmp_path)["x"].take([0])
    with pytest.raises(FileFormatError, match="it is double, not int64"):
        open_corpus(tmp_path)["x"].tolist()
