"""Computed vectors are kept: in memory, in a folder; and what can happen to a folder."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import time
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.corpus import write_shard
from mrl.data import VectorDataset
from mrl.errors import CorruptShard, FeatureError
from mrl.features import AnyText, cache_folder, cached, clear_cache, featurize
from mrl.features.computing import Block, Part
from mrl.features.folder import FolderStore, opened_store, read_vectors, write_vectors
from mrl.features.keys import digests
from mrl.features.memory import MemoryStore, memory_store
from mrl.features.packing import PackedFormat, pack
from mrl.features.refs import VectorRefs
from mrl.features.tables import MemoryTable
from mrl.ragged import Text


class Bits:
    """64 bits of a text, counts where it has an N, 63 where it is short; records its calls."""

    checks_text = True

    def __init__(self, key: str = "bits 1") -> None:
        self.cache_key = key
        self.calls: list[str] = []

    def __call__(self, text: str) -> Any:
        self.calls.append(text)
        if "?" in text:
            raise ValueError("a question mark")
        if "!" in text:
            raise MemoryError("not the molecule's fault")
        made = np.frombuffer(text.encode()[:8].ljust(8, b"\0"), np.uint8)
        return made.repeat(8) if "N" in text else np.unpackbits(made)[: 63 if "short" in text else 64]


class Estimator:
    """An estimator as in scikit-learn, which seems to be of an installed package."""

    checks_text = True

    __module__ = "numpy.made_up"

    def __init__(self, radius: Any = 2, n_jobs: int | None = None) -> None:
        self.radius, self.n_jobs = radius, n_jobs
        self.calls = 0

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"radius": self.radius, "n_jobs": self.n_jobs}

    def transform(self, X: list[str]) -> Any:
        self.calls += len(X)
        return [[len(text), 1] for text in X]


@pytest.fixture(autouse=True)
def fresh_stores() -> Any:
    opened_store.cache_clear()
    yield
    opened_store.cache_clear()


def again() -> None:
    """Start as a later process does, without open stores."""
    opened_store.cache_clear()


TEXTS = ["CCO", "?", "C", "CCO", "?", "CN", "CN", "é≡" * 3, ""]


def same(a: Any, b: Any) -> bool:
    return (
        a.values.dtype == b.values.dtype
        and np.array_equal(a.dense(), b.dense(), equal_nan=True)
        and a.rejects == b.rejects
        and np.array_equal(a.kept, b.kept)
    )


# --- the same rows, computed once -----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([*TEXTS, "short", "CCCC", "O"]), max_size=8), min_size=1, max_size=4),
    st.sampled_from(["drop", "mask"]),
    st.booleans(),
)
def test_rows_from_a_cache_are_the_computed_ones(tmp_path_factory: Any, calls: Any, on_error: Any, disk: bool) -> None:
    kept = Bits()
    cache = tmp_path_factory.mktemp("cache") if disk else "memory"
    for texts in calls:
        assert same(featurize(texts, kept, cache=cache, on_error=on_error), featurize(texts, Bits(), on_error=on_error))
        again()
    assert len(kept.calls) == len(set(kept.calls))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_features_of_a_row_are_the_same_with_one_process_with_two_and_from_a_cache(
    tmp_path: Path, n_jobs: int
) -> None:
    texts = [f"{i % 700}C" for i in range(1500)] + ["?"]
    plain = featurize(texts, Bits(), on_error="mask")
    for cache in (tmp_path, tmp_path, "memory"):
        assert same(featurize(texts, Bits(), cache=cache, n_jobs=n_jobs, on_error="mask"), plain)
    assert [one.molecules for one in cached(tmp_path)] == [701]


def test_a_rejected_molecule_is_not_computed_again_but_a_lost_one_is(tmp_path: Path) -> None:
    for cache in (tmp_path, "memory"):
        function = Bits()
        for _ in range(2):
            features = featurize(["C", "?", "!"], function, cache=cache, on_error="mask")
            assert [r.reason for r in features.rejects] == [
                "ValueError: a question mark",
                "MemoryError: not the molecule's fault",
            ]
        assert function.calls == ["C", "?", "!", "!"]
        with pytest.raises(FeatureError, match=r"row 1: no vector for '\?': ValueError: a question mark"):
            featurize(["C", "?", "never called"], function, cache=cache)
        assert function.calls == ["C", "?", "!", "!"]


def slow(text: str) -> list[int]:
    if text == "hang":
        time.sleep(30)
    if text == "die":
        os._exit(1)
    return [len(text)]


slow.checks_text = True  # type: ignore[attr-defined]


slow.cache_key = "slow 1"  # type: ignore[attr-defined]


def test_a_molecule_that_took_too_long_is_tried_again(tmp_path: Path) -> None:
    for cache in (tmp_path, "memory"):
        features = featurize(["C", "hang", "die"], slow, cache=cache, timeout=1, on_error="drop")
        assert features.kept.tolist() == [0]
    assert [one.molecules for one in cached(tmp_path)] == [1]


# --- memory ----------------------------------------------------------------------------------------------------------


def test_memory_belongs_to_one_object_and_ends_with_it() -> None:
    one, other = Bits(), Bits()
    featurize(["C"], one, cache="memory")
    featurize(["C"], other, cache="memory")
    assert other.calls == ["C"]
    store = weakref.ref(memory_store(one))
    assert store() is not None
    del one
    gc.collect()
    assert store() is None


def test_an_estimator_with_other_parameters_computes_again() -> None:
    estimator = Estimator()
    for radius, calls in ((2, 1), (2, 1), (3, 2)):
        estimator.radius = radius
        featurize(["C"], estimator, cache="memory")
        assert estimator.calls == calls
    estimator.mean_ = 5.0  # type: ignore[attr-defined]
    featurize(["C"], estimator, cache="memory")
    assert estimator.calls == 3


def put(store: Any, texts: list[str], vectors: Any) -> VectorRefs:
    """Keep vectors of texts that the store does not know yet."""
    refs = VectorRefs(len(texts))
    keys = digests(Text.of(texts))
    store.find(keys, refs)
    rows = refs.unknown()
    store.put(keys, [Block([Part(rows, *pack(vectors[rows]))])], refs, len(rows))
    return refs


def found(store: Any, texts: list[str]) -> int:
    refs = VectorRefs(len(texts))
    store.find(digests(Text.of(texts)), refs)
    return int(refs.ok.sum())


def test_memory_is_bounded_and_the_least_recently_used_table_is_dropped() -> None:
    store = MemoryStore(limit=64 * (8 + 24))
    bits = np.eye(64, dtype=np.uint8)
    for start in range(0, 960, 4):
        put(store, [*map(str, range(start, start + 4)), "often"], bits)
        assert found(store, ["often"]) == 1
    known = found(store, list(map(str, range(960))))
    assert 16 <= known <= 64
    assert found(store, ["100"]) == 0


def test_vectors_that_a_dataset_refers_to_are_not_dropped() -> None:
    store = MemoryStore(limit=64 * (8 + 24))
    bits = np.eye(64, dtype=np.uint8)
    mine = put(store, ["mine"], bits)
    for start in range(0, 960, 4):
        put(store, list(map(str, range(start, start + 4))), bits)
        if start == 480:
            assert mine.floats().tolist() == bits[:1].tolist()
            assert found(store, ["mine"]) == 1
            del mine
    gc.collect()
    assert found(store, ["mine"]) == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 300), unique=True, max_size=120), max_size=8), st.integers(0, 200))
def test_a_growing_table_finds_every_row(additions: list[list[int]], expected: int) -> None:
    table = MemoryTable(PackedFormat(1, "<u4", False))
    known: dict[int, int] = {}
    for numbers in additions:
        new = [number for number in numbers if number not in known]
        keys = digests(Text.of(list(map(str, new))))
        data = np.array(new, "<u4").view(np.uint8).reshape(-1, 4)
        known |= dict(zip(new, table.append(keys, data, expected).tolist(), strict=True))
    rows = table.find(digests(Text.of(list(map(str, range(301))))))
    assert rows.tolist() == [known.get(number, -1) for number in range(301)]
    assert table.take(rows[rows >= 0]).view("<u4").ravel().tolist() == [n for n in range(301) if n in known]


def test_many_threads_read_and_add_at_once() -> None:
    texts = [str(i) for i in range(3000)]

    def number(text: str) -> Any:
        return np.array([int(text)], np.uint32)

    anything = AnyText(number)

    def work(start: int) -> bool:
        good = True
        for first in range(start, 3000, 40):
            some = texts[first : first + 400]
            good &= featurize(some, anything, cache="memory").values.ravel().tolist() == list(map(int, some))
        return good

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))

    number.checks_text = True  # type: ignore[attr-defined]


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_folder_needs_a_featurizer_with_an_identity(tmp_path: Path) -> None:
    words = r"cannot be kept in a folder: {}.*; use cache='memory', or give it the attribute cache_key"
    named = Bits()
    named.cache_key = 3  # type: ignore[assignment]
    mine: Any = type("Mine", (Estimator,), {"__module__": "my_script"})()
    opaque, learned = Estimator(radius=object()), Estimator()
    learned.mean_ = 1.0  # type: ignore[attr-defined]
    for featurizer, why in (
        (len, "it has no cache_key, which would identify what it computes"),
        (named, "its cache_key is 3, expected a str that is not empty"),
        (mine, "my_script.Mine is not of an installed package"),
        (opaque, "its parameter radius is <object"),
        (learned, r"it was fitted, which its parameters do not tell \(mean_\)"),
    ):
        with pytest.raises(TypeError, match=words.format(why)):
            featurize(["C"], featurizer, cache=tmp_path)
    for cache in (True, "", 3):
        with pytest.raises(TypeError, match=f"cache is {cache!r}; expected None, 'memory', or the path of a folder"):
            featurize(["C"], len, cache=cache)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_other_parameters_compute_again(tmp_path: Path) -> None:
    def calls(radius: Any, n_jobs: int | None = None) -> int:
        estimator = Estimator(radius, n_jobs)
        featurize(["C"], estimator, cache=tmp_path)
        return estimator.calls

    assert [calls(2), calls(2), calls(2, n_jobs=4), calls(3), calls("2"), calls([2]), calls((2,))] == [
        1,
        0,
        0,
        1,
        1,
        1,
        1,
    ]
    assert [calls(np.int64(2)), calls(Estimator(1)), calls(Estimator(2)), calls({"a": 1})] == [1, 1, 1, 1]
    function = Bits("bits 1")
    featurize(["C"], function, cache=tmp_path)
    featurize(["C"], Bits("bits 1"), cache=tmp_path)
    function.cache_key = "bits 2"
    featurize(["C"], function, cache=tmp_path)
    assert function.calls == ["C", "C"]
    assert "numpy.made_up.Estimator(radius=3) of numpy" in " ".join(one.key for one in cached(tmp_path))


def test_other_versions_compute_again(tmp_path: Path) -> None:
    script = """
import sys
from mrl.features import featurize

class Estimator:
    checks_text, __module__, calls = True, "numpy.made_up", 0
    def get_params(self, deep=True):
        return {}
    def transform(self, X):
        self.calls += len(X)
        return [[len(text), 1] for text in X]

estimator = Estimator()
featurize(["C"], estimator, cache=sys.argv[1])
print(estimator.calls)
"""

    def calls(*changed: str) -> int:
        installed = tmp_path / "-".join(["installed", *changed])
        for name in changed:
            folder = installed / f"{name}-99.dist-info"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 99\n")
        paths = os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, "-c", script, str(tmp_path / "vectors")]
        run = subprocess.run(
            command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": paths}
        )
        return int(run.stdout)

    assert [calls(), calls(), calls("rdkit"), calls("rdkit"), calls("rdkit", "numpy")] == [1, 0, 1, 0, 1]


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


def test_a_flipped_byte_anywhere_in_a_shard_is_found_and_its_molecules_computed_again(tmp_path: Path) -> None:
    texts = [*TEXTS, *map(str, range(20))]
    plain = featurize(texts, Bits(), cache=tmp_path, on_error="mask")
    for path in tmp_path.rglob("*.arrow"):
        whole = path.read_bytes()
        places = [*range(0, len(whole), 37), len(whole) - 1]
        flipped = [whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :] for place in places]
        others = set(tmp_path.rglob("*.arrow"))
        for damaged in [*flipped, *(whole[:cut] for cut in (0, 10, 40, len(whole) - 1))]:
            path.write_bytes(damaged)
            again()
            with pytest.warns(RuntimeWarning, match=rf"{path.name} (is not a valid|does not hold).*computed again"):
                assert same(featurize(texts, Bits(), cache=tmp_path, on_error="mask"), plain)
            assert not path.exists()
            for new in set(tmp_path.rglob("*.arrow")) - others:
                new.unlink()
        path.write_bytes(whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again()
        function = Bits()
        assert same(featurize(texts, function, cache=tmp_path, on_error="mask"), plain)
        assert function.calls == []


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_only_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = featurize(TEXTS, Bits(), on_error="drop")
    for step in ("fsync", "replace", "mkdir"):
        with monkeypatch.context() as patched:
            patched.setattr(os, step, full)
            with pytest.warns(
                RuntimeWarning, match=r"cannot be kept in .*No space left.*they are used, but not cached"
            ):
                assert same(featurize(TEXTS, Bits(), cache=tmp_path / step, on_error="drop"), plain)
        assert list((tmp_path / step).rglob("*.tmp")) == []
        function = Bits()
        assert same(featurize(TEXTS, function, cache=tmp_path / step, on_error="drop"), plain)
        assert len(function.calls) == len(set(TEXTS))


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
        assert list(mounted.rglob("*.tmp")) == list(mounted.rglob("*.arrow")) == []
        featurize(texts[:100], Bits(), cache=mounted)
        assert [one.molecules for one in cached(mounted)] == [100]
    finally:
        opened_store.cache_clear()
        gc.collect()
        subprocess.run(["umount", mounted], check=True)


def test_many_small_shards_become_one(tmp_path: Path) -> None:
    function = Bits()
    texts = [str(i) for i in range(60)]
    for i in range(0, 60, 2):
        featurize([*texts[i : i + 2], "?"], function, cache=tmp_path, on_error="drop")
        assert len(list(tmp_path.rglob("*.arrow"))) <= 17
    assert [one.molecules for one in cached(tmp_path)] == [61]
    again()
    assert same(featurize(texts, function, cache=tmp_path), featurize(texts, Bits()))
    assert len(function.calls) == 61


def test_the_folder_is_bounded_and_the_least_used_goes_first(tmp_path: Path) -> None:
    texts = [str(i) for i in range(40)]
    for number in range(6):
        store = FolderStore(tmp_path, f"key {number}", limit=8000)
        put(store, texts, np.ones((40, 64), np.uint8))
        for path in store.path.glob("*.arrow"):
            os.utime(path, (number, number))
        if number:  # the first one is used again and again
            assert found(FolderStore(tmp_path, "key 0"), texts) == 40
    molecules = {one.key: one.molecules for one in cached(tmp_path)}
    assert sum(one.bytes for one in cached(tmp_path)) <= 8000
    assert molecules["key 0"] == molecules["key 5"] == 40
    assert molecules["key 1"] == 0


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ({"numbers": -1}, {}),
        ({"numbers": 10**30}, {}),
        ({"numbers": "2"}, {}),
        ({"dtype": "<U1"}, {}),
        ({"dtype": "|V4"}, {}),
        ({"dtype": ">f4"}, {}),
        ({"dtype": "|O"}, {}),
        ({"bits": True, "numbers": 64}, {}),
        ({"bits": []}, {}),
        ({"bits": 0}, {}),
        ({"numbers": 2.0}, {}),
        ({"reasons": None}, {}),
        ({"reasons": 3}, {}),
        ({"reasons": {"zz": "x"}}, {}),
        ({"reasons": [1]}, {}),
        ({}, {"key": np.arange(2)}),
        ({}, {"key": np.zeros((2, 2))}),
        ({}, {"key": Text.of(["a", "b"])}),
        ({}, {"vector": np.ones((2, 2, 1), "f4").reshape(2, 2).astype("i4")}),
    ],
)
def test_a_shard_with_a_right_checksum_that_contradicts_itself_is_damaged(
    tmp_path: Path, change: dict[str, Any], columns: dict[str, Any]
) -> None:
    path = tmp_path / "a.arrow"
    about = {"numbers": 2, "dtype": "<f4", "bits": False, "reasons": {}}
    held = {"key": digests(Text.of(["a", "b"])), "vector": np.ones((2, 2), "f4")}
    write_shard(path, held, about)
    assert len(read_vectors(path).keys) == 2
    write_shard(path, {**held, **columns}, {**about, **change})
    with pytest.raises(CorruptShard, match="does not hold vectors"):
        read_vectors(path)
    folder = tmp_path / ("a" * 32)
    folder.mkdir()
    path.rename(folder / f"{1:024x}.arrow")
    ((key, _, size),) = cached(tmp_path)
    assert (key, size > 0) == (f"unknown ({folder.name})", True)


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    function = Bits()
    featurize(["C"], function, cache=tmp_path)
    (path,) = tmp_path.rglob("*.arrow")
    old, young = path.with_name(".x.arrow.01234567.tmp"), path.with_name(".y.arrow.01234567.tmp")
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    os.utime(old, (1, 1))
    again()
    featurize(["C"], function, cache=tmp_path)
    assert (old.exists(), young.exists(), len(function.calls)) == (False, True, 1)


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "features"
    file.write_text("kept")
    for path in (file, file / "inside"):
        bits = Bits()
        for use in (lambda: featurize(["C"], bits, cache=path), lambda: cached(path), lambda: clear_cache(path)):  # noqa: B023
            with pytest.raises(NotADirectoryError, match=r"features' is not a folder; give the path of a folder"):
                use()
        assert not bits.calls
    assert file.read_text() == "kept"


def test_an_unreadable_shard_does_not_hide_the_others(tmp_path: Path) -> None:
    featurize(["C", "CO"], Bits(), cache=tmp_path)
    (key,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    (key / f"{0:024x}.arrow").mkdir()  # root may read any file, but not a folder as one
    (one,) = cached(tmp_path)
    assert one.molecules == 2


def test_a_folder_that_is_cleared_in_use(tmp_path: Path) -> None:
    function = Bits()
    featurize(["C", "N"], function, cache=tmp_path)
    assert [one.molecules for one in clear_cache(tmp_path)] == [2]
    featurize(["C", "N"], function, cache=tmp_path)
    assert (len(function.calls), cached(tmp_path)[0].molecules) == (4, 2)


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/mrl/features")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification: to be ignored
    assert cache_folder() == Path.home() / ".cache/mrl/features"


def test_every_digest_is_found(tmp_path: Path) -> None:
    keys = np.frombuffer(np.random.default_rng(1).bytes(16 * 3000), "S16").copy()
    keys[:4] = [b"\0" * 16, b"\xff" * 16, b"a" + b"\0" * 15, b"\0" * 15 + b"a"]
    format, data = pack(np.arange(3000, dtype=np.uint32)[:, None])
    write_vectors(tmp_path / "a", format, keys[:2990], data[:2990], {})
    memory = MemoryTable(format)
    memory.append(keys[:2990], data[:2990], 0)
    order = np.random.default_rng(2).permutation(3000)
    for table in (read_vectors(tmp_path / "a").table, memory):
        rows = table.find(keys[order])
        assert np.array_equal(rows >= 0, order < 2990)
        assert np.array_equal(table.take(rows[rows >= 0]).view(np.uint32).ravel(), order[order < 2990])


# --- several processes -----------------------------------------------------------------------------------------------

SCRIPT = """
import sys, time
import numpy as np
from mrl.features import featurize

class Bits:
    cache_key = "shared"
    checks_text = True
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
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    (one,) = cached(tmp_path / "cache")
    assert one.molecules == 6000
    assert list((tmp_path / "cache").rglob("*.tmp")) == []


@pytest.mark.slow
def test_killed_while_writing(tmp_path: Path) -> None:
    for attempt in range(4):
        process = started(tmp_path, 0, tmp_path / "cache", "for ever")
        assert process.stdout is not None
        process.stdout.readline()
        while not list((tmp_path / "cache").rglob("*.arrow")):
            time.sleep(0.01)
        time.sleep(0.02 + 0.013 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for path in (tmp_path / "cache").rglob("*.arrow"):
                read_vectors(path)
    assert started(tmp_path, 0, tmp_path / "cache").communicate(timeout=60)[1] == ""


def test_a_segment_that_changes_under_an_open_process_is_not_served(tmp_path: Path) -> None:
    bits = Bits("changing segments")
    texts = ["C", "CC", "CCC"]
    ds = VectorDataset(texts, bits, cache=tmp_path)
    assert len(ds.batch()) == 3
    before = featurize(texts, bits, cache=tmp_path).values
    assert featurize(texts, bits, cache=tmp_path).values.tolist() == before.tolist()
    assert bits.calls == texts
    [path] = tmp_path.rglob("*.arrow")
    content = path.read_bytes()
    place = content.rindex(np.packbits(before[2]).tobytes())
    with path.open("r+b") as opened:  # in place, of the same size: the mapped pages change
        opened.seek(place)
        opened.write(bytes([content[place] ^ 1]))
    os.utime(path, ns=(1, 1))  # and dated back
    with pytest.warns(RuntimeWarning, match="it is removed, and its molecules are computed again"):
        assert ds.batch().tolist() == before.tolist()
    assert featurize(texts, bits, cache=tmp_path).values.tolist() == before.tolist()
    assert bits.calls == texts * 2
