"""Machine code on disk: damage is found, and nothing is read that somebody else may have written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mrl import kernels

pytestmark = pytest.mark.skipif(not kernels.numba_available(), reason="numba is not installed, or switched off")

SCRIPT = """
from mrl.text import RegexVocab
ids = RegexVocab(["C", "Cl"], "Cl|.").encode(["CClC"] * 20_000)
print(ids.values.tolist() == [0, 4, 5, 4, 1] * 20_000)
"""


def encode(cache_home: Path) -> None:
    """Encode in a new process, which must give the right ids in any case."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0", "XDG_CACHE_HOME": str(cache_home)}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    assert not done.stderr


def flip(raw: bytes, place: int) -> bytes:
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def test_every_damage_of_a_file_is_found(tmp_path: Path) -> None:
    from mrl.kernels.cache import CodeFiles

    files = CodeFiles(tmp_path / "kernels")
    files.save("key", ["value"] * 5)
    assert files.load("key") == ["value"] * 5
    (path,) = files.folder.iterdir()
    raw = path.read_bytes()
    damaged = [flip(raw, i) for i in range(len(raw))] + [raw[:i] for i in range(len(raw))] + [raw + b"x", b"\0" * 4096]
    for content in damaged:
        path.write_bytes(content)
        assert files.load("key") is None
    path.rename(files.folder / "other")
    files.save("other key", 1)
    (path,) = {*files.folder.iterdir()} - {files.folder / "other"}
    path.write_bytes(raw)  # a whole file in the place of another one
    assert files.load("other key") is None


def test_the_folder_is_private_and_others_are_not_used(tmp_path: Path) -> None:
    from mrl.kernels.cache import CodeFiles

    files = CodeFiles(tmp_path / "kernels")
    files.save("key", 1)
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    (path,) = files.folder.iterdir()
    path.chmod(0o666)
    assert files.load("key") is None
    path.chmod(0o600)
    assert files.load("key") == 1
    files.folder.chmod(0o777)
    assert files.load("key") is None
    with pytest.raises(PermissionError):
        files.save("key", 2)
    files.folder.chmod(0o700)
    linked = CodeFiles(tmp_path / "link")
    linked.folder.symlink_to(files.folder)
    assert linked.load("key") is None
    os.unlink(path)
    os.mkfifo(path)  # nobody writes to it: reading it would wait for ever
    assert files.load("key") is None


@pytest.mark.slow
def test_damaged_machine_code_is_compiled_again_and_replaced(tmp_path: Path) -> None:
    encode(tmp_path)
    folder = tmp_path / "mrl" / "kernels"
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    assert whole
    damages: list[Callable[[bytes], bytes]] = [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: flip(raw, len(raw) // 2),
        lambda raw: b"\0" * len(raw),
        lambda raw: os.urandom(len(raw)),
    ]
    for damage in damages:
        for path, raw in whole.items():
            path.write_bytes(damage(raw))
        encode(tmp_path)
        assert {path.stat().st_size for path in folder.iterdir()} == {len(raw) for raw in whole.values()}
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    encode(tmp_path)
    assert stamps == {path: path.stat().st_mtime_ns for path in folder.iterdir()}  # read, not written again


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "mrl").write_text("a file where the folder should be")
    encode(tmp_path)
    assert os.listdir(tmp_path) == ["mrl"]
