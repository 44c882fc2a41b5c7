"""RayEngine on two nodes, one of which is lost in mid-run: the same bytes; errors are those of the task."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mrl.prepare import RayEngine, prepare_corpus

pytestmark = pytest.mark.slow


def started(start: Callable[..., Any], **arguments: Any) -> Any:
    """Start a node, which Ray gives 30 s: once more where the machine is busier than that."""
    for _ in range(3):
        with contextlib.suppress(Exception):  # Ray raises no other one
            return start(**arguments)
    return start(**arguments)


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster of two nodes on this machine."""
    pytest.importorskip("ray", reason="needs the extra ray")
    from ray.cluster_utils import Cluster

    made = started(Cluster, initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.iterdir() if path.is_file() and path.name != ".stamps.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write_molecules(path: Path) -> Path:
    path.write_text("".join(f"{'C' * (k % 40 + 1)}c1ccccc1{'N' * (k % 7)} M{k}\n" for k in range(30_000)))
    return path


def lose_a_node(cluster: Any, work: Path) -> tuple[threading.Thread, list[int]]:
    """Add a node, and kill it when three tasks are done; the list gets the number of tasks that were done then."""
    second, lost = started(cluster.add_node, num_cpus=1), list[int]()

    def lose() -> None:
        while len(list(work.glob("clean-*.arrow"))) < 3:
            time.sleep(0.02)
        cluster.remove_node(second, allow_graceful=False)
        lost.append(len(list(work.glob("clean-*.arrow"))))

    thread = threading.Thread(target=lose, daemon=True)
    thread.start()
    return thread, lost


def test_a_node_that_is_lost_changes_nothing(cluster: Any, tmp_path: Path) -> None:
    path = write_molecules(tmp_path / "a.smi")
    arguments: dict[str, Any] = {
        "steps": "molformer",
        "duplicates": "first",
        "split": "scaffold",
        "rows_per_part": 2_000,
    }
    prepare_corpus(path, tmp_path / "here", workers=1, **arguments)
    thread, lost = lose_a_node(cluster, tmp_path / "ray" / "work")
    with RayEngine(cluster.address) as engine:
        prepare_corpus(path, tmp_path / "ray", engine=engine, workers=2, **arguments)
        thread.join(60)
        with pytest.raises(FileNotFoundError) as raised:
            engine.submit(os.stat, str(tmp_path / "no file")).result()
        assert raised.value.errno == errno.ENOENT
    assert lost
    assert lost[0] < 15
    assert _digests(tmp_path / "ray") == _digests(tmp_path / "here")


def test_the_command_on_two_nodes_of_which_one_is_lost(cluster: Any, tmp_path: Path) -> None:
    path = write_molecules(tmp_path / "a.smi")
    words = [sys.executable, "-m", "mrl", "prepare", str(path), "--preset", "molformer", "--duplicates", "first"]
    words += ["--split", "scaffold", "--rows-per-part", "2000", "-o"]
    subprocess.run([*words, str(tmp_path / "here"), "--workers", "2"], check=True, capture_output=True, timeout=600)
    thread, lost = lose_a_node(cluster, tmp_path / "ray" / "work")
    ray = ["--engine", "ray", "--address", cluster.address]
    done = subprocess.run([*words, str(tmp_path / "ray"), *ray], capture_output=True, text=True, timeout=600)
    thread.join(60)
    assert done.returncode == 0, done.stderr
    assert "rows of 30,000" in done.stderr
    assert lost
    assert lost[0] < 15
    assert _digests(tmp_path / "ray") == _digests(tmp_path / "here")
