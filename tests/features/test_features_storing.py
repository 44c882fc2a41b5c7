"""What was computed is kept: in memory, in a folder; and what can happen to a folder."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import FeatureError
from mrl.features import cache_folder, cached, clear_cache, featurize
from mrl.features import folder as folder_module
from mrl.features import keys as keys_module
from mrl.features import memory as memory_module
from mrl.features.computing import Block, Part
from mrl.features.folder import Folder, folder_of
from mrl.features.keys import digests
from mrl.features.memory import Memory
from mrl.features.packing import pack
from mrl.features.segment import Segment, write
from mrl.ragged import Text


class Bits:
    """64 bits of a text, counts where it has an N, one less where it is short; keeps what it is asked."""

    def __init__(self, key: str = "bits 1") -> None:
        self.cache_key = key
        self.asked: list[str] = []

    def __call__(self, text: str) -> Any:
        self.asked.append(text)
        if "?" in text:
            raise ValueError("a question mark")
        if "!" in text:
            raise MemoryError("not the molecule's fault")
        made = np.frombuffer(text.encode()[:8].ljust(8, b"\0"), np.uint8)
        return made.repeat(8) if "N" in text else np.unpackbits(made)[: 63 if "short" in text else 64]


class Estimator:
    """As in scikit-learn; of an installed package, for all that is known."""

    __module__ = "numpy.made_up"

    def __init__(self, radius: Any = 2, n_jobs: int | None = None) -> None:
        self.radius, self.n_jobs = radius, n_jobs
        self.asked = 0

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"radius": self.radius, "n_jobs": self.n_jobs}

    def transform(self, X: list[str]) -> Any:
        self.asked += len(X)
        return [[len(text), 1] for text in X]


@pytest.fixture(autouse=True)
def opened_anew() -> Any:
    folder_of.cache_clear()
    yield
    folder_of.cache_clear()


def again() -> None:
    """What a later process sees."""
    folder_of.cache_clear()


TEXTS = ["CCO", "?", "C", "CCO", "?", "CN", "CN", "é≡" * 3, ""]


def same(a: Any, b: Any) -> bool:
    return (
        a.values.dtype == b.values.dtype
        and np.array_equal(a.dense(), b.dense(), equal_nan=True)
        and a.rejects == b.rejects
        and np.array_equal(a.kept, b.kept)
    )


# --- the same rows, asked for once -----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([*TEXTS, "short", "CCCC", "O"]), max_size=8), min_size=1, max_size=4),
    st.sampled_from(["drop", "mask"]),
    st.booleans(),
)
def test_rows_from_a_cache_are_those_computed(tmp_path_factory: Any, calls: Any, on_error: Any, disk: bool) -> None:
    kept = Bits()
    cache = tmp_path_factory.mktemp("cache") if disk else "memory"
    for texts in calls:
        assert same(featurize(texts, kept, cache=cache, on_error=on_error), featurize(texts, Bits(), on_error=on_error))
        again()
    assert len(kept.asked) == len(set(kept.asked))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_many_processes_and_a_cache(tmp_path: Path, n_jobs: int) -> None:
    texts = [f"{i % 700}C" for i in range(1500)] + ["?"]
    plain = featurize(texts, Bits(), on_error="mask")
    for cache in (tmp_path, tmp_path, "memory"):
        assert same(featurize(texts, Bits(), cache=cache, n_jobs=n_jobs, on_error="mask"), plain)
    assert [one.molecules for one in cached(tmp_path)] == [701]


def test_a_refused_molecule_is_not_asked_again_but_bad_luck_is(tmp_path: Path) -> None:
    for cache in (tmp_path, "memory"):
        function = Bits()
        for _ in range(2):
            features = featurize(["C", "?", "!"], function, cache=cache, on_error="mask")
            assert [r.reason for r in features.rejects] == [
                "ValueError: a question mark",
                "MemoryError: not the molecule's fault",
            ]
        assert function.asked == ["C", "?", "!", "!"]
        with pytest.raises(FeatureError, match=r"row 1: no vector for '\?': ValueError: a question mark"):
            featurize(["C", "?", "never asked"], function, cache=cache)
        assert function.asked == ["C", "?", "!", "!"]


def slow(text: str) -> list[int]:
    if text == "hang":
        time.sleep(30)
    if text == "die":
        os._exit(1)
    return [len(text)]


slow.cache_key = "slow 1"  # type: ignore[attr-defined]


def test_what_took_too_long_is_tried_again(tmp_path: Path) -> None:
    for cache in (tmp_path, "memory"):
        features = featurize(["C", "hang", "die"], slow, cache=cache, timeout=0.1, on_error="drop")
        assert features.kept.tolist() == [0]
    assert [one.molecules for one in cached(tmp_path)] == [1]


# --- memory ----------------------------------------------------------------------------------------------------------


def test_memory_is_of_one_object_and_goes_with_it() -> None:
    one, other = Bits(), Bits()
    featurize(["C"], one, cache="memory")
    featurize(["C"], other, cache="memory")
    assert other.asked == ["C"]
    number = id(one)
    assert number in memory_module._memories
    del one
    gc.collect()
    assert number not in memory_module._memories


def test_memory_of_an_estimator_knows_its_parameters() -> None:
    estimator = Estimator()
    for radius, asked in ((2, 1), (2, 1), (3, 2)):
        estimator.radius = radius
        featurize(["C"], estimator, cache="memory")
        assert estimator.asked == asked
    estimator.mean_ = 5.0  # type: ignore[attr-defined]
    featurize(["C"], estimator, cache="memory")
    assert estimator.asked == 3


def test_memory_is_bounded_and_forgets_what_was_not_asked_for() -> None:
    memory = Memory(limit=20 * (memory_module.OVERHEAD + 8))
    for start in range(0, 300, 5):
        keys = digests(Text.of([str(i) for i in range(start, start + 5)] + ["often"]))
        memory.put(keys, Block([Part(np.arange(6), *pack(np.eye(6, 64, dtype=np.uint8)))]))
        assert len(memory.find(keys[-1:])) == 1
        assert len(memory) <= 20
    assert len(memory.find(digests(Text.of(["0"])))) == 0


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_folder_needs_to_know_what_is_computed(tmp_path: Path) -> None:
    words = r"cannot be kept in a folder: {}.*; use cache='memory', or give it the attribute cache_key"
    named = Bits()
    named.cache_key = 3  # type: ignore[assignment]
    mine: Any = type("Mine", (Estimator,), {"__module__": "my_script"})()
    opaque, learned = Estimator(radius=object()), Estimator()
    learned.mean_ = 1.0  # type: ignore[attr-defined]
    for featurizer, why in (
        (len, "nothing says what it computes: it has no cache_key"),
        (named, "its cache_key is 3, expected a str that is not empty"),
        (mine, "my_script.Mine is of no installed package"),
        (opaque, "its parameter radius is <object"),
        (learned, r"it was fitted, to what its parameters do not say \(mean_\)"),
    ):
        with pytest.raises(TypeError, match=words.format(why)):
            featurize(["C"], featurizer, cache=tmp_path)
    for cache in (True, "", 3):
        with pytest.raises(TypeError, match=f"cache is {cache!r}; expected None, 'memory', or the path of a folder"):
            featurize(["C"], len, cache=cache)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_other_parameters_and_other_versions_compute_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(radius: Any, n_jobs: int | None = None) -> int:
        estimator = Estimator(radius, n_jobs)
        featurize(["C"], estimator, cache=tmp_path)
        return estimator.asked

    assert [asked(2), asked(2), asked(2, n_jobs=4), asked(3), asked("2"), asked([2]), asked((2,))] == [
        1,
        0,
        0,
        1,
        1,
        1,
        1,
    ]
    assert [asked(np.int64(2)), asked(Estimator(1)), asked(Estimator(2)), asked({"a": 1})] == [1, 1, 1, 1]
    for changed in ("rdkit", "numpy"):
        version = keys_module._version
        monkeypatch.setattr(keys_module, "_version", lambda name, c=changed, v=version: "9" if name == c else v(name))
        assert [asked(2), asked(2)] == [1, 0]
    function = Bits("bits 1")
    featurize(["C"], function, cache=tmp_path)
    featurize(["C"], Bits("bits 1"), cache=tmp_path)
    function.cache_key = "bits 2"
    featurize(["C"], function, cache=tmp_path)
    assert function.asked == ["C", "C"]
    assert "numpy.made_up.Estimator(radius=3) of numpy" in " ".join(one.key for one in cached(tmp_path))


# --- the folder ------------------------------------------------------------------------------------------------------


def test_two_thousand_bits_take_less_than_300_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = {str(i): rng.integers(0, 2, 2048).astype(np.uint8) for i in range(500)}

    class Looked(Bits):
        def __call__(self, text: str) -> Any:
            return rows[text]

    featurize(list(rows), Looked(), cache=tmp_path)
    (one,) = cached(tmp_path)
    assert (one.molecules, one.bytes < 300 * 500) == (500, True)
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < 300 * 500


def test_a_flipped_byte_is_found_and_computed_again(tmp_path: Path) -> None:
    texts = [*TEXTS, *map(str, range(20))]
    plain = featurize(texts, Bits(), cache=tmp_path, on_error="mask")
    (path,) = tmp_path.rglob("*.rows")
    whole = path.read_bytes()
    for place in [*range(0, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        again()
        with pytest.warns(RuntimeWarning, match=f"{path.name} is damaged: its checksum"):
            assert same(featurize(texts, Bits(), cache=tmp_path, on_error="mask"), plain)
        assert not path.exists()
        for other in tmp_path.rglob("*.rows"):
            other.unlink()
    for cut in (0, 10, 40, len(whole) - 1):
        path.write_bytes(whole[:cut])
        again()
        with pytest.warns(RuntimeWarning, match="is damaged"):
            assert same(featurize(texts, Bits(), cache=tmp_path, on_error="mask"), plain)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again()
        function = Bits()
        featurize(texts, function, cache=tmp_path, on_error="mask")
        assert function.asked == []


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_only_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = featurize(TEXTS, Bits(), on_error="drop")
    for step in ("fsync", "replace", "mkdir"):
        with monkeypatch.context() as patched:
            patched.setattr(os, step, full)
            with pytest.warns(
                RuntimeWarning, match=r"cannot be kept in .*No space left.*results are there all the same"
            ):
                assert same(featurize(TEXTS, Bits(), cache=tmp_path / step, on_error="drop"), plain)
        assert list((tmp_path / step).rglob("*.tmp")) == []
        function = Bits()
        assert same(featurize(TEXTS, function, cache=tmp_path / step, on_error="drop"), plain)
        assert len(function.asked) == len(set(TEXTS))


def test_a_small_file_system(tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    try:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mounted], capture_output=True)
    except FileNotFoundError:
        pytest.skip("no mount here")
    if made.returncode:
        pytest.skip("only root may mount a file system")
    try:
        texts = [str(i) for i in range(5000)]
        with pytest.warns(RuntimeWarning, match="No space left on device"):
            features = featurize(texts, Bits(), cache=mounted)
        assert same(features, featurize(texts, Bits()))
        assert list(mounted.rglob("*.tmp")) == list(mounted.rglob("*.rows")) == []
        featurize(texts[:100], Bits(), cache=mounted)
        assert [one.molecules for one in cached(mounted)] == [100]
    finally:
        folder_of.cache_clear()
        gc.collect()
        subprocess.run(["umount", mounted], check=True)


def test_many_small_segments_become_one(tmp_path: Path) -> None:
    function = Bits()
    texts = [str(i) for i in range(60)]
    for i in range(0, 60, 2):
        featurize([*texts[i : i + 2], "?"], function, cache=tmp_path, on_error="drop")
        assert len(list(tmp_path.rglob("*.rows"))) <= folder_module.MANY + 1
    assert [one.molecules for one in cached(tmp_path)] == [61]
    again()
    assert same(featurize(texts, function, cache=tmp_path), featurize(texts, Bits()))
    assert len(function.asked) == 61


def test_the_folder_is_bounded_and_the_least_used_goes_first(tmp_path: Path) -> None:
    for number in range(6):
        store = Folder(tmp_path, f"key {number}", limit=4000)
        keys = digests(Text.of([str(i) for i in range(40)]))
        store.put(keys, Block([Part(np.arange(40), *pack(np.ones((40, 64), np.uint8)))]))
        store.flush()
        for path in store.path.glob("*.rows"):
            os.utime(path, (number, number))
        if number:  # the first one is asked for again and again
            assert len(Folder(tmp_path, "key 0").find(keys)) == 40
    found = {one.key: one.molecules for one in cached(tmp_path)}
    assert sum(one.bytes for one in cached(tmp_path)) <= 4000
    assert found["key 0"] == found["key 5"] == 40
    assert found["key 1"] == 0


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    function = Bits()
    featurize(["C"], function, cache=tmp_path)
    (path,) = tmp_path.rglob("*.rows")
    old, young = path.with_name(".x.rows.01234567.tmp"), path.with_name(".y.rows.01234567.tmp")
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    os.utime(old, (1, 1))
    again()
    featurize(["C"], function, cache=tmp_path)
    assert (old.exists(), young.exists(), len(function.asked)) == (False, True, 1)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "features"
    file.write_text("kept")
    for path in (file, file / "inside"):
        bits = Bits()
        for refused in (lambda: featurize(["C"], bits, cache=path), lambda: cached(path), lambda: clear_cache(path)):  # noqa: B023
            with pytest.raises(NotADirectoryError, match=r"features' is no folder; give the path of a folder"):
                refused()
        assert not bits.asked
    assert file.read_text() == "kept"


def test_what_cannot_be_read_does_not_hide_the_rest(tmp_path: Path) -> None:
    featurize(["C", "CO"], Bits(), cache=tmp_path)
    (key,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    (key / f"{0:024x}.rows").mkdir()  # root may read any file, but no folder as one
    (one,) = cached(tmp_path)
    assert one.molecules == 2


def test_a_folder_that_is_cleared_meanwhile(tmp_path: Path) -> None:
    function = Bits()
    featurize(["C", "N"], function, cache=tmp_path)
    assert [one.molecules for one in clear_cache(tmp_path)] == [2]
    featurize(["C", "N"], function, cache=tmp_path)
    assert (len(function.asked), cached(tmp_path)[0].molecules) == (4, 2)


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/mrl/features")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification: to be ignored
    assert cache_folder() == Path.home() / ".cache/mrl/features"


def test_every_digest_is_found(tmp_path: Path) -> None:
    keys = np.frombuffer(np.random.default_rng(1).bytes(16 * 3000), "S16").copy()
    keys[:4] = [b"\0" * 16, b"\xff" * 16, b"a" + b"\0" * 15, b"\0" * 15 + b"a"]
    data = np.arange(3000, dtype=np.uint32)[:, None]
    write(tmp_path / "a", [(keys, Block([Part(np.arange(3000), *pack(data))]))])
    order = np.random.default_rng(2).permutation(3000)
    (part,) = Segment(tmp_path / "a").find(keys[order]).parts
    assert np.array_equal(part.data.view(np.uint32).ravel(), order[part.rows])
    assert len(part.rows) == 3000


# --- several processes -----------------------------------------------------------------------------------------------

SCRIPT = """
import sys, time
import numpy as np
from mrl.features import featurize

class Bits:
    cache_key = "shared"
    def __call__(self, text):
        return np.unpackbits(np.frombuffer(text.encode().ljust(8)[:8], np.uint8))

first, folder = int(sys.argv[1]), sys.argv[2]
print("begun", flush=True)
while True:
    for start in range(0, 4000, 100):
        texts = [str(first + i) for i in range(start, start + 100)]
        values = featurize(texts, Bits(), cache=folder).values
        assert [np.packbits(row).tobytes().decode().strip() for row in values] == texts
    if len(sys.argv) == 3:
        break
    first += 4000
"""


def started(tmp_path: Path, *words: object) -> subprocess.Popen[str]:
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py"), *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_fill_one_cache(tmp_path: Path) -> None:
    pair = [started(tmp_path, first, tmp_path / "cache") for first in (0, 2000)]
    for process in pair:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")
    (one,) = cached(tmp_path / "cache")
    assert one.molecules == 6000
    assert list((tmp_path / "cache").rglob("*.tmp")) == []


def test_killed_while_writing(tmp_path: Path) -> None:
    for attempt in range(4):
        process = started(tmp_path, 0, tmp_path / "cache", "for ever")
        assert process.stdout is not None
        process.stdout.readline()
        while not list((tmp_path / "cache").rglob("*.rows")):
            time.sleep(0.01)
        time.sleep(0.02 + 0.013 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for path in (tmp_path / "cache").rglob("*.rows"):
                Segment(path)
    assert started(tmp_path, 0, tmp_path / "cache").communicate(timeout=60)[1] == ""
