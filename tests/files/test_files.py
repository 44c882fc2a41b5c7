"""Files are written completely or not at all, and damage to a sealed one is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrl.errors import FileFormatError, VocabFileError
from mrl.files import (
    atomic,
    content_digest,
    remove_abandoned,
    seal,
    unseal,
    write_atomic,
)

FORMATS = Path(__file__).parents[1] / "formats"
DOCUMENT = {"format": "mrl-example", "version": 1, "names": ["é", "\n", '"'], "rows": 3, "nested": {"b": None}}


def read(path: Path) -> dict[str, Any]:
    return unseal(path.read_bytes(), path, format="mrl-example", version=1)


def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.txt"
    write_atomic(path, "old\r\n")

    def fail() -> None:
        with atomic(path) as temporary:
            temporary.write_text("half of a new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"old\r\n"
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, b"old")
    code = (
        "import sys, time; from mrl.files import atomic\n"
        "with atomic(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half'); print('writing', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert path.read_bytes() == b"old"
    (abandoned,) = tmp_path.glob(".*.tmp")
    remove_abandoned(tmp_path)
    assert abandoned.exists(), "it may still be written to"
    os.utime(abandoned, (time.time() - 7200,) * 2)
    remove_abandoned(tmp_path)
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_sealed_document_comes_back(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.json", seal(DOCUMENT))
    assert read(tmp_path / "a.json") == DOCUMENT
    assert seal(DOCUMENT) == seal(dict(reversed(DOCUMENT.items()))) == (tmp_path / "a.json").read_bytes()
    assert unseal(seal(DOCUMENT).decode(), "a.json", format="mrl-example", version=1) == DOCUMENT


def test_every_flipped_byte_every_cut_and_every_insertion_is_found(tmp_path: Path) -> None:
    data = seal(DOCUMENT)
    path = tmp_path / "a.json"
    for at in range(len(data)):
        for changed in (
            data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
            data[:at] + bytes([data[at] ^ 128]) + data[at + 1 :],
            data[:at],
            data[:at] + b" " + data[at:],
        ):
            path.write_bytes(changed)
            with pytest.raises(FileFormatError) as caught:
                read(path)
            assert caught.value.path == str(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"a.json is not a valid mrl-example file: it is not JSON"),
        (b"[" * 100_000, r"it is not JSON"),
        (b"[]", r'it has no "format": "mrl-example", so another program wrote it'),
        (seal({"format": "other", "version": 1}), r'it has no "format": "mrl-example"'),
        (seal({"format": "mrl-example", "version": 2}), r"its version is 2 and this mrl reads 1; update mrl"),
        (b'{"format": "mrl-example", "version": 1}', r"does not match its sha256, so it was damaged or edited"),
        (b'{"format": "mrl-example", "version": 1, "a": "\\udcff"}', r"does not match its sha256"),
    ],
    ids=range(7),
)
def test_files_of_other_programs_and_edited_ones(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(FileFormatError, match=words):
        read(tmp_path / "a.json")


def test_the_caller_chooses_the_error() -> None:
    with pytest.raises(VocabFileError):
        unseal(b"{}", "a.json", format="mrl-example", version=1, error=VocabFileError)


def test_the_first_published_format_stays_readable() -> None:
    data = (FORMATS / "vocab-1.json").read_bytes()
    document = unseal(data, "vocab-1.json", format="mrl-vocabulary", version=1)
    assert document["kind"] == "regex"
    assert seal(document) == data


def test_the_digest_of_contents_depends_on_names_sizes_bytes_and_order() -> None:
    a, b = np.arange(6, dtype=np.int32), np.zeros((0, 3))
    digests = [
        content_digest(parts)
        for parts in ([("a", a)], [("b", a)], [("a", a[:5])], [("a", a), ("b", b)], [("b", b), ("a", a)], [])
    ]
    assert len(set(digests)) == len(digests)
    assert content_digest([("a", a)]) == content_digest([("a", a.reshape(2, 3))]) == content_digest([("a", bytes(a))])
