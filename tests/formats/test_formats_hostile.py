"""What lies in the place of a file of ours and is none: nothing waits for it, or reads it for ever."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mrl
from mrl import featurize, open_corpus
from mrl.chem import Descriptors
from mrl.corpus import Shard, save_corpus
from mrl.errors import MrlError
from mrl.features import cached
from mrl.features.folder import opened_store
from mrl.files import open_regular
from mrl.lm import SequenceModel
from mrl.qsar import PropertyModel
from mrl.text import Vocab, is_vocab_file

SMILES = ["CCO", "c1ccccc1", "C"]
WORDS = "expected a file|symbolic link|[Nn]ot a directory|No such file|is not a|not a valid|truncated or was replaced"


def pipe(path: Path) -> None:
    os.mkfifo(path)  # nobody writes to it


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    path.mkdir()


HOSTILE = [pipe, device, loop, folder]


@pytest.mark.parametrize("put", HOSTILE)
def test_what_is_no_file_is_an_error_at_once(tmp_path: Path, put: Callable[[Path], None]) -> None:
    path = tmp_path / "file"
    put(path)
    readers: list[Callable[[Path], Any]] = [
        open_regular,
        Vocab.load,
        SequenceModel.load,
        PropertyModel.load,
        Shard,
        open_corpus,
    ]
    for reader in readers:
        with pytest.raises((OSError, MrlError), match=WORDS):
            reader(path)
    assert not is_vocab_file(path)


@pytest.mark.parametrize("put", HOSTILE)
def test_in_a_corpus(tmp_path: Path, put: Callable[[Path], None]) -> None:
    save_corpus(mrl.Table({"smiles": mrl.ragged.Text.of(SMILES)}), tmp_path / "corpus")
    names = sorted(path.name for path in (tmp_path / "corpus").iterdir())
    for name in names:
        copy = tmp_path / name
        shutil.copytree(tmp_path / "corpus", copy)
        (copy / name).unlink()
        put(copy / name)
        if name.startswith("."):  # what was checked when; without it everything is checked again
            assert open_corpus(copy)["smiles"].take([0, 1, 2]).tolist() == SMILES
        else:
            with pytest.raises((OSError, MrlError), match=WORDS):
                open_corpus(copy, verify="full")["smiles"].take([0])


@pytest.mark.parametrize("put", HOSTILE)
def test_in_a_cache_folder(tmp_path: Path, put: Callable[[Path], None]) -> None:
    function = Descriptors(["molwt"])
    expected = featurize(SMILES, function, cache=tmp_path).values
    (shard,) = tmp_path.rglob("*.arrow")
    for path in (shard, shard.with_name("key.json")):
        path.unlink()
        put(path)
        opened_store.cache_clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # it cannot be read, or is removed
            assert featurize(SMILES, function, cache=tmp_path).values.tolist() == expected.tolist()
        assert len(cached(tmp_path)) == 1
    opened_store.cache_clear()
