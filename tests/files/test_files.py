"""Files are written completely or not at all, and damage to a sealed one is found."""

from __future__ import annotations

import os
import signal
import stat
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


KILLED = """
import sys, time
from mrl.files import atomic
with atomic(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_killed_process_leaves_the_old_file_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, b"old")
    process = subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    remove_abandoned(tmp_path)
    assert len(os.listdir(tmp_path)) == 2, "it is still written to"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert path.read_bytes() == b"old"
    assert len(os.listdir(tmp_path)) == 2
    code = "import sys; from mrl.files import write_atomic; write_atomic(sys.argv[1], 'b')"
    subprocess.run([sys.executable, "-c", code, tmp_path / "b.txt"], check=True)
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]


def test_only_temporary_files_of_atomic_are_removed(tmp_path: Path) -> None:
    hour_ago = time.time() - 7200
    kept = [".x.tmp", ".a.txt.swp.tmp", "a.01234567.tmp", ".a.txt.0123456789.tmp"]
    old, other_machine = ".a.txt.01234567.tmp", ".a.txt.00000000-1-01234567.tmp"
    for name in [*kept, old, other_machine]:
        (tmp_path / name).touch()
    remove_abandoned(tmp_path)
    assert len(os.listdir(tmp_path)) == 6, "they may still be written to"
    for name in os.listdir(tmp_path):
        os.utime(tmp_path / name, (hour_ago, hour_ago))
    remove_abandoned(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
    remove_abandoned(tmp_path / "no such folder")


def test_links_and_modes_stay(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    secret, link, dangling = tmp_path / "data" / "a.txt", tmp_path / "link", tmp_path / "dangling"
    secret.write_text("old")
    secret.chmod(0o600)
    link.symlink_to(secret)
    dangling.symlink_to(tmp_path / "data" / "new.txt")
    with atomic(link) as temporary:
        assert temporary.stat().st_mode & 0o077 == 0, "others must not read it meanwhile"
        temporary.write_text("new")
    assert link.is_symlink()
    assert secret.read_text() == "new"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    secret.chmod(0o664)
    write_atomic(secret, "newer")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o664
    write_atomic(dangling, "made")
    assert dangling.is_symlink()
    assert (tmp_path / "data" / "new.txt").read_text() == "made"
    assert sorted(os.listdir(tmp_path / "data")) == ["a.txt", "new.txt"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_new_files_have_the_mode_of_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_atomic(tmp_path / "a.txt", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o666 & ~mask


def test_what_is_not_a_regular_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, error in ((tmp_path / "pipe", FileExistsError), ("/dev/null", FileExistsError), (tmp_path, OSError)):
        with pytest.raises(error, match="expected the path of a file"):
            write_atomic(path, "new")
    with pytest.raises(IsADirectoryError):
        write_atomic(tmp_path, "new")
    assert os.listdir(tmp_path) == ["pipe"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write to every file")
def test_a_file_that_may_not_be_written_to_stays(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.txt", "old")
    (tmp_path / "a.txt").chmod(0o444)
    with pytest.raises(PermissionError, match="may not be written to"):
        write_atomic(tmp_path / "a.txt", "new")


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127, "\n.tmp"])
def test_any_name_of_a_file_can_be_written(tmp_path: Path, name: str) -> None:
    write_atomic(tmp_path / name, "new")
    assert os.listdir(tmp_path) == [name]


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, "old")
    code = (
        "import resource, signal, sys; from mrl.files import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_atomic(sys.argv[1], 'x' * 2000)\n"
        "except OSError: print('full')"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout == "full\n"
    assert path.read_text() == "old"
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
