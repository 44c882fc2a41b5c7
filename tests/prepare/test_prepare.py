"""prepare_corpus: the same corpus whatever runs it, equal to cleaning in memory, every row accounted for."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrl.chem import Canonical, Duplicates, Fingerprint, LargestFragment, Uncharge, clean, murcko_scaffold
from mrl.corpus import Manifest, ReadOptions, Shard, open_corpus
from mrl.errors import ColumnError, CorpusError, PrepareError, ReadError, RowError
from mrl.prepare import Inputs, Recipe, SplitRule, Status, prepare_corpus, prepare_phase
from mrl.text import SmilesVocab

SMILES = ["CCO", "OCC", "C(", "c1ccccc1", "C1=CC=CC=C1", "CC[O-].[Na+]", "C[C@H](N)O", "N", "", "[CH3:1]C", "Cc1ccccc1"]
PHASES = ("read", "clean", "plan", "write", "finish")


def csv(path: Path, rows: list[tuple[str, float]]) -> Path:
    lines = [f"{smiles},{'' if np.isnan(y) else y}" for smiles, y in rows]
    path.write_text("\n".join(["smiles,y", *lines]) + "\n")
    return path


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.iterdir()) if path.name != ".stamps.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    generator = random.Random(0)
    rows = [(generator.choice(SMILES), float(generator.choice([0, 1, 1.5, np.nan]))) for _ in range(200)]
    return csv(tmp_path / "a.csv", rows)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(SMILES), st.sampled_from([0.0, 1.0, 2.5, float("nan")])), min_size=1, max_size=30
    ),
    rule=st.sampled_from([None, "first", "mean", "median", "drop"]),
    with_labels=st.booleans(),
    size=st.integers(1, 12),
)
def test_it_does_what_clean_does_with_the_whole_column(
    tmp_path: Path, rows: list[tuple[str, float]], rule: Any, with_labels: bool, size: int
) -> None:
    shutil.rmtree(tmp_path / "c", ignore_errors=True)
    path = csv(tmp_path / "a.csv", [("C", 7.0), *rows, ("C", 7.0)])  # blank lines at the ends are not rows
    rows = [("C", 7.0), *rows, ("C", 7.0)]
    steps = [LargestFragment(), Uncharge(), Canonical()]
    inputs = Inputs(path, targets=("y",) if with_labels else ())
    prepare_corpus(inputs, tmp_path / "c", steps=steps, duplicates=rule, rows_per_part=size, workers=1, vocab=None)
    corpus = open_corpus(tmp_path / "c")
    read = [place for place, (smiles, _) in enumerate(rows) if smiles]
    expected = clean(
        [rows[place][0] for place in read],
        steps,
        labels=[rows[place][1] for place in read] if with_labels else None,
        duplicates=rule,
    )
    assert corpus.smiles[:].tolist() == expected.smiles.tolist()
    assert corpus["input_row"][:].tolist() == [read[place] for place in expected.kept]
    if with_labels:
        assert np.array_equal(np.asarray(corpus.y), np.asarray(expected.labels, float), equal_nan=True)
    later = {(read[reject.row], reject.text, reject.stage) for reject in expected.rejects}
    blank = {(place, "", "read") for place in range(len(rows)) if place not in read}
    assert {(reject.row, reject.text, reject.stage) for reject in corpus.rejects} == later | blank
    assert len(corpus) + len(corpus.rejects) == len(rows)
    steps_done = corpus.manifest.history[0]["steps"]
    assert [(one["stage"], one["rows"], one["changed"], one["removed"]) for one in steps_done] == [
        (stage, count.rows, count.changed, count.removed)
        for stage, count in expected.counts.items()
        if stage not in ("duplicates", "conflicts")
    ]


def test_the_bytes_do_not_depend_on_who_does_the_work(table: Path, tmp_path: Path) -> None:
    split = SplitRule("random", (0.4, 0.3, 0.3))
    arguments: dict[str, Any] = {
        "duplicates": Duplicates("mean"),
        "split": split,
        "rows_per_part": 30,
        "seed": 3,
        "features": ("maccs", "qed,tpsa"),
        "merges": 4,
    }
    inputs = Inputs(table, targets=("y",))
    prepare_corpus(inputs, tmp_path / "one", workers=1, **arguments)
    expected = digests(tmp_path / "one")
    assert {name.partition("-")[0] for name in expected} == {
        *("manifest.json", "rejects.parquet", "vocab.json"),
        *("train", "valid", "test"),
    }
    with ThreadPoolExecutor(3) as engine:
        prepare_corpus(inputs, tmp_path / "threads", engine=engine, **arguments)
    assert digests(tmp_path / "threads") == expected
    recipe = Recipe(**arguments)
    for phase in PHASES:
        for share in (2, 0, 1):
            prepare_phase(inputs, tmp_path / "phases", recipe, phase, shard=(share, 3))  # type: ignore[arg-type]
    assert digests(tmp_path / "phases") == expected


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_processes(table: Path, tmp_path: Path) -> None:
    prepare_corpus(table, tmp_path / "one", workers=1, duplicates="first", split="scaffold", rows_per_part=30)
    prepare_corpus(table, tmp_path / "two", workers=2, duplicates="first", split="scaffold", rows_per_part=30)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_a_corpus_that_is_there_is_not_made_again(table: Path, tmp_path: Path) -> None:
    first = prepare_corpus(table, tmp_path / "c", workers=1)
    before = (tmp_path / "c" / "shard-00000.arrow").stat().st_mtime_ns
    assert prepare_corpus(table, tmp_path / "c", workers=1) == first
    assert (tmp_path / "c" / "shard-00000.arrow").stat().st_mtime_ns == before
    with pytest.raises(
        CorpusError, match=r"already, of other settings \(split was None and is .*; seed was 0 and is 1\)"
    ):
        prepare_corpus(table, tmp_path / "c", workers=1, seed=1, split="random")


def test_unfinished_work_is_taken_up_and_other_work_refused(table: Path, tmp_path: Path) -> None:
    out, recipe = tmp_path / "c", Recipe(rows_per_part=50)
    prepare_phase(table, out, recipe, "read")
    prepare_phase(table, out, recipe, "clean", shard=(0, 2))
    with pytest.raises(
        CorpusError, match=r"clean-00001-00000\.arrow cannot be used: it is missing, so the phase before"
    ):
        prepare_phase(table, out, recipe, "write")
    with pytest.raises(CorpusError, match="not finished: run the same mrl prepare again, which goes on"):
        open_corpus(out)
    with pytest.raises(CorpusError, match=r"with other settings \(seed was 0 and is 5\): run it with those"):
        prepare_corpus(table, out, rows_per_part=50, seed=5, workers=1)
    table.write_text(table.read_text() + "CCC,1\n")
    with pytest.raises(CorpusError, match=r"with other files or contents \(.*a\.csv\): run it with those"):
        prepare_corpus(table, out, rows_per_part=50, workers=1)
    shutil.rmtree(out)
    assert prepare_corpus(table, out, rows_per_part=50, workers=1).rows


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [lambda data: data[:-40], lambda data: b"", lambda data: data[:300] + b"?" + data[301:]]
)
def test_damaged_files_of_work_are_made_again(table: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    arguments: dict[str, Any] = {"duplicates": "first", "rows_per_part": 50, "workers": 1, "merges": 4}
    prepare_corpus(table, tmp_path / "whole", **arguments)
    recipe = Recipe(duplicates=Duplicates(), rows_per_part=50, merges=4)
    for phase in PHASES[:-1]:
        prepare_phase(table, tmp_path / "work", recipe, phase)  # type: ignore[arg-type]
    for path in sorted((tmp_path / "work").rglob("*.arrow")):
        out = tmp_path / "damaged"
        shutil.copytree(tmp_path / "work", out)
        damaged = out / path.relative_to(tmp_path / "work")
        damaged.write_bytes(damage(damaged.read_bytes()))
        prepare_corpus(table, out, **arguments)
        assert digests(out) == digests(tmp_path / "whole"), path.name
        shutil.rmtree(out)


def test_splits_keep_molecules_and_scaffolds_together_and_do_not_change_when_rows_are_added(tmp_path: Path) -> None:
    rings = [f"{'C' * n}c1ccc{'c' if n % 2 else 'n'}c1C{'C' * k}" for n in range(12) for k in range(3)]
    path = csv(tmp_path / "a.csv", [(smiles, 0.0) for smiles in [*rings, *rings, "CCO", "CCN"]])
    longer = csv(tmp_path / "b.csv", [(smiles, 0.0) for smiles in ["OCCC", *rings, *rings, "CCO", "CCN"]])
    for rule in ("random", "scaffold"):
        found: list[dict[str, str]] = []
        for name in (path, longer):
            out = tmp_path / f"{rule}-{name.stem}"
            prepare_corpus(name, out, split=SplitRule(rule, (0.5, 0.5)), workers=1)
            corpus = open_corpus(out)
            parts = {part: corpus.splits[part].smiles[:].tolist() for part in corpus.splits}
            found.append({smiles: part for part, rows in parts.items() for smiles in rows})
            assert sum(map(len, parts.values())) == len(corpus)
            key: Callable[[str], Any] = murcko_scaffold if rule == "scaffold" else (lambda smiles: smiles)
            groups = {part: {key(smiles) for smiles in rows} for part, rows in parts.items()}
            assert not groups["train"] & groups.get("valid", set())
        assert found[0].items() <= found[1].items()
    assert {found[0]["CCO"], found[0]["CCN"]} == {"train"}  # no ring


def test_a_column_names_the_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,set\nC,Training\nCC,val\nCCC,TEST\nN,\nO,extra\nP,a/b\n")
    prepare_corpus(Inputs(path, split="set"), tmp_path / "c", workers=1)
    corpus = open_corpus(tmp_path / "c")
    assert {part: corpus.splits[part].smiles[:].tolist() for part in corpus.splits} == {
        "train": ["C"],
        "valid": ["CC"],
        "test": ["CCC"],
        "extra": ["O"],
    }
    assert [(r.row, r.text, r.reason) for r in corpus.rejects] == [
        (3, "N", "no part: set is ''"),
        (5, "P", "no part: set is 'a/b'"),
    ]


def test_texts_that_are_not_parsed_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sequence\nACDEF\nC(\nACDEF\n[C][O]\n")
    inputs = Inputs(path, options=ReadOptions(notation="text"))
    prepare_corpus(inputs, tmp_path / "c", parse=False, duplicates="first", workers=1)
    corpus = open_corpus(tmp_path / "c")
    assert corpus.smiles[:].tolist() == ["ACDEF", "C(", "[C][O]"]
    assert corpus.rejects[0] == (2, "ACDEF", "duplicates", "the molecule of row 0")
    assert corpus.vocab.decode(corpus.vocab.encode(corpus.smiles)) == corpus.smiles[:].tolist()


def test_a_column_that_is_blank_in_some_parts_only_is_in_all_shards(tmp_path: Path) -> None:
    """Text that is not parsed is written while the files are read on, before all columns are known."""
    path = tmp_path / "a.smi"
    path.write_text("C\nCC\nCCC\n" + "CCO ethanol\n" + "N\nNN\n")
    prepare_corpus(path, tmp_path / "c", parse=False, rows_per_part=2, workers=1)
    corpus = open_corpus(tmp_path / "c")
    assert [*corpus.columns] == ["smiles", "name", "input_row"]
    assert corpus["name"][:].tolist() == ["", "", "", "ethanol", "", ""]
    for phase in PHASES:
        prepare_phase(path, tmp_path / "p", Recipe(parse=False, rows_per_part=2), phase)  # type: ignore[arg-type]
    assert digests(tmp_path / "p") == digests(tmp_path / "c")


def test_the_vocabulary_is_learned_from_train(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,set\n[13CH4],train\n[13CH4],train\n[15NH3],valid\n[15NH3],valid\n")
    prepare_corpus(Inputs(path, split="set"), tmp_path / "c", workers=1)
    tokens = open_corpus(tmp_path / "c").vocab.stoi
    assert "[13CH4]" in tokens
    assert "[15NH3]" not in tokens
    given = SmilesVocab()
    prepare_corpus(path, tmp_path / "given", vocab=given, workers=1)
    assert open_corpus(tmp_path / "given").vocab.fingerprint() == given.fingerprint()
    prepare_corpus(path, tmp_path / "none", vocab=None, workers=1)
    with pytest.raises(CorpusError, match="has no vocabulary: prepare it with one, or learn one"):
        _ = open_corpus(tmp_path / "none").vocab


@pytest.mark.parametrize("rows_per_part", [1, 3, 100])
def test_merges_are_those_of_the_rows_of_train(tmp_path: Path, rows_per_part: int) -> None:
    rows = [(text, part) for text in ("CC(=O)Nc1ccccc1", "c1ccccc1", "CC(=O)O") for part in ("train", "valid") * 2]
    rows += [("[13CH3]N", "train"), ("BrBr", "valid")] * 3
    path = tmp_path / "a.csv"
    path.write_text("smiles,set\n" + "".join(f"{text},{part}\n" for text, part in rows))
    out = tmp_path / "c"
    manifest = prepare_corpus(Inputs(path, split="set"), out, merges=9, rows_per_part=rows_per_part, workers=1)
    vocab = SmilesVocab.from_data([text for text, part in rows if part == "train"], merges=9)
    assert open_corpus(out).vocab == vocab
    assert manifest.history[0]["merges"] == 9
    assert vocab.merging_from == len(vocab) - 9


def test_a_dry_run_writes_nothing(table: Path, tmp_path: Path) -> None:
    manifest = prepare_corpus(table, tmp_path / "c", workers=1, dry_run=True)
    assert manifest.history[0]["read"]["rows"] == 200
    assert not (tmp_path / "c").exists()


def test_the_manifest_says_what_was_done(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", [("C[O-].[Na+]", 1.0), ("C(", 2.0), ("CO", 3.0)])
    steps = [LargestFragment(), Uncharge()]
    manifest = prepare_corpus(Inputs(path, targets=("y",)), tmp_path / "c", steps=steps, duplicates="mean", workers=1)
    done = json.loads((tmp_path / "c" / "manifest.json").read_text())["history"][0]
    assert done == json.loads(json.dumps(manifest.history[0]))
    assert done["prepared"]["inputs"] == [
        {"name": str(path), "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    ]
    assert done["steps"][0]["examples"][0]["row"] == 1
    assert [step["stage"] for step in done["steps"]] == ["parse", "largest fragment", "uncharge"]
    assert done["duplicates"] == {
        "duplicates": 1,
        "conflicts": 0,
        "merged": 1,
        "examples": [{"row": 0, "before": "labels 1, 3 of y", "after": "2"}],
    }
    assert done["rejects"] == {"duplicates": 1, "parse": 1}
    assert Manifest.load(tmp_path / "c") == manifest


def test_progress_is_reported(table: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    read: list[int] = []

    def report(status: Status) -> None:
        seen.append((status.phase, status.done, status.total))
        read.append(status.read)

    prepare_corpus(table, tmp_path / "c", rows_per_part=40, workers=1, duplicates="first", progress=report)
    assert [phase for phase, *_ in seen] == ["clean"] * 12 + ["plan"] * 2 + ["write"] * 6
    assert read == [0, 40, 80, 120, 160, *[200] * 7, *[0] * 8]
    assert seen[:7] == [*[("clean", 0, 0)] * 6, ("clean", 0, 200)]  # the total is known as soon as all is read
    assert {total for phase, done, total in seen if done and phase != "plan"} == {200}
    assert seen[-1] == ("write", 200, 200)


def test_mistakes_are_named_before_any_work(table: Path, tmp_path: Path) -> None:
    for arguments, words in (
        ({"steps": "mosses"}, "mosses"),
        ({"duplicates": "best"}, "'best' is not a rule for labels"),
        ({"split": "by-weight"}, "expected 'random' or 'scaffold', or a column of part names"),
        ({"split": SplitRule}, "expected a SplitRule or None"),
        ({"rows_per_part": 0}, "rows_per_part is 0; expected 1 or more"),
        ({"parse": False, "split": "scaffold"}, "split by scaffold needs molecules, but parse is False"),
        ({"workers": 0}, "workers is 0; expected an integer of 1 or more"),
        ({"workers": 10**12}, "workers is 1000000000000; expected an integer of at most 1,024"),
        ({"vocab": "lern"}, "vocab is 'lern'; expected a Vocab, 'learn' or None"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            prepare_corpus(table, tmp_path / "c", **arguments)
        assert not (tmp_path / "c").exists()
    with pytest.raises(FileNotFoundError, match=r"b\.csv does not exist \(did you mean 'a\.csv'\?\)"):
        prepare_corpus(table.with_name("b.csv"), tmp_path / "c")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(CorpusError, match=r"holds notes\.txt already: choose a new or empty folder"):
        prepare_corpus(table, tmp_path / "full", workers=1)


@pytest.mark.parametrize("parse", [True, False])
def test_files_that_cannot_be_read_as_requested_leave_nothing_and_the_corrected_call_works(
    tmp_path: Path, parse: bool
) -> None:
    """The last label is wrong, so that some parts are cleaned, or written, when it is found."""
    good = csv(tmp_path / "a.csv", [("CCO", float(k)) for k in range(9)])
    late = tmp_path / "late.csv"
    late.write_text(good.read_text() + "CC,high\n")
    bare = tmp_path / "bare.csv"
    bare.write_text("smiles\n")
    prepare_corpus(Inputs(good, targets=("y",)), tmp_path / "whole", parse=parse, rows_per_part=2, workers=1)
    wrong: list[tuple[Inputs, dict[str, Any], str]] = [
        (Inputs(good, targets=("z",)), {}, "no column 'z'"),
        (Inputs(good, split="z"), {}, "no column 'z'"),
        (Inputs(good, format="sdf"), {}, "as in a MOL block or SD file"),
        (Inputs(late, targets=("y",)), {}, "'high', expected a finite number"),
        (Inputs(bare), {}, "has a header and no rows"),
    ]
    if parse:
        features = {"y": Fingerprint("maccs")}
        wrong += [(Inputs(good, targets=("y",)), {"features": features}, "the files have a column 'y' already")]
    for old in (False, True):
        out = tmp_path / f"c{old}"
        for inputs, arguments, words in wrong:
            if old:
                out.mkdir()
            with ThreadPoolExecutor(2) as engine, pytest.raises((ColumnError, ReadError, RowError), match=words):
                prepare_corpus(inputs, out, engine=engine, parse=parse, rows_per_part=2, **arguments)
            assert out.exists() == old
            if old:
                out.rmdir()  # it is empty
        with pytest.raises(RowError):
            prepare_phase(Inputs(late, targets=("y",)), out, Recipe(parse=parse, rows_per_part=2), "read")
        prepare_corpus(Inputs(good, targets=("y",)), out, parse=parse, rows_per_part=2, workers=1)
        assert digests(out) == digests(tmp_path / "whole")
    with pytest.raises(RowError, match="'high', expected a finite number"):
        prepare_corpus(Inputs(late, targets=("y",)), out, append=True, parse=parse, workers=1)
    assert digests(out) == digests(tmp_path / "whole")


def test_work_in_which_nothing_is_finished_gives_way_to_other_settings(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    with pytest.raises(CorpusError, match="the phase before is not complete"):
        prepare_phase(table, out, Recipe(seed=5), "clean")
    assert (out / "work" / "job.json").exists()
    assert prepare_corpus(table, out, workers=1).rows


def test_what_differs_from_work_that_is_there_is_named(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    prepare_phase(table, out, Recipe(), "read")
    inputs = Inputs(table, targets=("y",), options=ReadOptions(on_label="nan", label_map={"a, b=c": 1.0}))
    with pytest.raises(CorpusError) as caught:
        prepare_corpus(inputs, out, workers=1)
    assert str(caught.value) == (
        f"{out} holds a preparation that is not finished, with other settings (targets was [] and is ['y']; on_label "
        "was 'raise' and is 'nan'; label_map was {} and is {'a, b=c': 1.0}): run it with those, choose another folder, "
        f"or delete {out} to begin again"
    )
    unread = ReadOptions(label_map={"n.d.": float("nan"), "1": 2})
    prepare_phase(Inputs(table, targets=("y",), options=unread), tmp_path / "d", Recipe(), "read")
    with pytest.raises(CorpusError, match=r"other settings \(label_map was \{'1': 2.0, 'n.d.': 'nan'\} and is \{\}\)"):
        prepare_corpus(Inputs(table, targets=("y",)), tmp_path / "d", workers=1)
    prepare_corpus(Inputs(table, targets=("y",), options=unread), tmp_path / "d", workers=1)  # goes on
    options = json.loads((tmp_path / "d" / "manifest.json").read_bytes())["history"][0]["prepared"]["columns"][
        "options"
    ]
    assert options["label_map"] == {"n.d.": "nan", "1": 2.0}
    assert (options["decimal"], options["sheet"], options["max_bytes"]) == (".", None, 1 << 36)
    prepare_corpus(table, out, workers=1)
    with pytest.raises(CorpusError) as caught:
        prepare_corpus([table, table], out, workers=1)
    assert str(caught.value) == (
        f"{out} holds a corpus already, of other files or contents (in another order): choose another folder, or "
        "delete it"
    )


_OTHER = """
import sys
from mrl.prepare import prepare_corpus
def wait(status):
    print("working", flush=True)
    sys.stdin.read()
prepare_corpus(sys.argv[1], sys.argv[2], workers=1, progress=wait)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="there are locks on POSIX systems only")
def test_two_preparations_at_once_in_one_folder_are_refused(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    command = [sys.executable, "-c", _OTHER, str(table), str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        words = r"another process prepares .*c at this moment: wait until it has ended"
        with pytest.raises(PrepareError, match=words):
            prepare_corpus(table, out, workers=1)
        with pytest.raises(PrepareError, match=words):
            prepare_phase(table, out, Recipe(), "clean")
        other.communicate()
    assert other.returncode == 0
    assert prepare_corpus(table, out, workers=1).rows


def test_a_label_that_is_no_number_stops_the_work_or_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\nC,1\nCC,high\n")
    with pytest.raises(RowError, match="line 3"):
        prepare_corpus(Inputs(path, targets=("y",)), tmp_path / "c", workers=1)
    inputs = Inputs(path, targets=("y",), options=ReadOptions(on_label="reject"))
    prepare_corpus(inputs, tmp_path / "d", workers=1)
    assert open_corpus(tmp_path / "d").rejects[0].reason == "y is not a number"


def test_an_engine_that_loses_its_workers_is_an_error_with_a_way_out(table: Path, tmp_path: Path) -> None:
    from concurrent.futures.process import BrokenProcessPool

    class Broken:
        def submit(self, function: Any, /, *args: Any) -> Any:
            raise BrokenProcessPool

    with pytest.raises(PrepareError, match="run the same command again"):
        prepare_corpus(table, tmp_path / "c", engine=Broken())


def test_shards_name_the_job_that_wrote_them(table: Path, tmp_path: Path) -> None:
    manifest = prepare_corpus(table, tmp_path / "c", workers=1)
    assert Shard(tmp_path / "c" / "shard-00000.arrow").about == {"job": manifest.history[0]["job"]}


_FORKED = """
from mrl.prepare.engines import engine_of, start_processes
with engine_of(2, None) as (engine, _):
    start_processes(engine)
    print(engine.submit(eval, "'pandas' in __import__('sys').modules").result())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_processes_have_what_arrow_would_import_in_each_of_them() -> None:
    assert (
        subprocess.run([sys.executable, "-c", _FORKED], capture_output=True, text=True, check=True).stdout == "True\n"
    )
