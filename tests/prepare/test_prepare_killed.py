"""Preparations that are killed, lose a worker or find the disk full go on, and end with the same bytes."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix" or not Path("/proc/self").exists(), reason="signals and /proc of Linux"),
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """6,000 rows: molecules, some twice with other labels, and some that are no molecules."""
    texts = [f"{'C' * (k % 37 + 1)}c1ccc{'c' if k % 3 else 'n'}c1{'O' * (k % 2)}" for k in range(6_000)]
    texts[::97] = ["C("] * len(texts[::97])
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\n" + "".join(f"{text},{k % 5}\n" for k, text in enumerate(texts)))
    return path


CLEANED = "--target-columns y --duplicates mean --split random --preset molformer"
COPIED = "--no-parse --split random"


def _command(table: Path, out: Path, words: str = CLEANED) -> list[str]:
    words = f"--rows-per-part 300 --workers 2 --merges 5 {words}"
    return [sys.executable, "-m", "mrl", "prepare", str(table), "-o", str(out), *words.split()]


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.iterdir() if path.name != ".stamps.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _damage(work: Path, rng: random.Random) -> None:
    """Cut or change a file of a preparation that was killed, and plant one that it did not write."""
    files = sorted(work.glob("*.arrow"))
    if files:
        path = rng.choice(files)
        data = bytearray(path.read_bytes())
        if data and rng.random() < 0.5:
            data[rng.randrange(len(data))] ^= 4
            path.write_bytes(data)
        else:
            path.write_bytes(data[: len(data) // 2])
    if work.is_dir():
        (work / f"clean-{rng.randrange(20):05}-00000.arrow").write_bytes(b"junk")


def _names(work: Path) -> set[str]:
    return {path.name for path in work.glob("*.arrow")}


@pytest.mark.parametrize("words", [CLEANED, COPIED], ids=["cleaned", "copied"])
def test_killed_after_any_file_with_damage_it_ends_with_the_same_bytes(table: Path, tmp_path: Path, words: str) -> None:
    subprocess.run(_command(table, tmp_path / "whole", words), check=True, capture_output=True)
    rng, out = random.Random(5), tmp_path / "killed"
    for _ in range(6):  # of more than 100 files
        before, more = _names(out / "work"), rng.randrange(1, 15)
        process = subprocess.Popen(
            _command(table, out, words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while process.poll() is None and len(_names(out / "work") - before) < more:
            time.sleep(0.002)
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _damage(out / "work", rng)
    subprocess.run(_command(table, out, words), check=True, capture_output=True)
    assert _digests(out) == _digests(tmp_path / "whole")


def test_a_worker_that_is_killed_is_an_error_and_the_same_command_goes_on(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    process = subprocess.Popen(_command(table, out), stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list((out / "work").glob("clean-*.arrow")):
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "a worker process was ended from outside" in err
    assert "Traceback" not in err
    subprocess.run(_command(table, out), check=True, capture_output=True)
    subprocess.run(_command(table, tmp_path / "whole"), check=True, capture_output=True)
    assert _digests(out) == _digests(tmp_path / "whole")


def test_a_full_disk_is_an_error_and_the_same_command_goes_on(table: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("a small file system can be mounted by root only")
    try:
        done = subprocess.run(_command(table, disk / "c"), check=False, capture_output=True, text=True)
        assert done.returncode == 1
        assert f"the disk of {disk / 'c'} is full: make room, and run the same command again" in done.stderr
        subprocess.run([mount, "-o", "remount,size=50m", str(disk)], check=True)
        subprocess.run(_command(table, disk / "c"), check=True, capture_output=True)
        subprocess.run(_command(table, tmp_path / "whole"), check=True, capture_output=True)
        assert _digests(disk / "c") == _digests(tmp_path / "whole")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
