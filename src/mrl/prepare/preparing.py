"""prepare_corpus: files of any size as a corpus."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from mrl.chem import Duplicates
from mrl.corpus import MANIFEST, Manifest, open_corpus
from mrl.errors import CorpusError, FileFormatError, PrepareError
from mrl.files import AnyPath, is_disk_full
from mrl.prepare.appending import append_rows
from mrl.prepare.engines import READ_AHEAD, Engine, engine_of, start_processes
from mrl.prepare.featurizing import FeatureFunctions
from mrl.prepare.job import JOB, STDIN, WORK, Job, differences, with_saved_input
from mrl.prepare.locking import claimed
from mrl.prepare.recipe import Inputs, Recipe, SplitRule, Steps, as_inputs, require_agreement
from mrl.prepare.status import Report, reporting
from mrl.prepare.work import Work
from mrl.text import Vocab

Phase: TypeAlias = Literal["read", "clean", "plan", "write", "finish"]

DRY_RUN_ROWS = 10_000


def prepare_corpus(
    inputs: AnyPath | Sequence[AnyPath] | Inputs,
    out: AnyPath,
    *,
    steps: Steps = "none",
    parse: bool = True,
    duplicates: Literal["first", "mean", "median", "drop"] | Duplicates | None = None,
    split: Literal["random", "scaffold"] | SplitRule | None = None,
    vocab: Vocab | Literal["learn"] | None = "learn",
    rows_per_part: int = 200_000,
    workers: int | None = None,
    engine: Engine | None = None,
    seed: int = 0,
    features: str | Sequence[str] | FeatureFunctions = (),
    merges: int = 0,
    dry_run: bool = False,
    append: bool = False,
    progress: Report = None,
) -> Manifest:
    """Clean the rows of files of any size, and write them as a corpus; every row is kept or left out with a reason.

    It may be stopped or killed at any moment, and goes on when it is called again with the same arguments. The corpus
    has the same bytes whatever `workers` and `engine` are, and however often it was stopped. Files that cannot be read
    as requested leave nothing behind.

    Parameters
    ----------
    inputs : path, several, or Inputs
        Files as `mrl.read` takes them, with `Inputs` also the columns to be read.
    out : path
        A new folder for the corpus; see `open_corpus`.
    steps : str or sequence of Step
        How rows are cleaned: the name of a preset, or steps, as in `mrl.clean`. ``"none"`` keeps notation and
        duplicates, and leaves out what is not a molecule.
    parse : bool
        Whether rows are molecules. False: texts stay as they are, whatever they are.
    duplicates : "first", "mean", "median", "drop" or Duplicates, optional
        How rows of the same molecule are merged, and their labels; with ``parse=False`` rows of the same text.
    split : "random", "scaffold" or SplitRule, optional
        How rows are dealt to train, valid and test. A column of part names is given as ``Inputs(split=...)``.
    vocab : Vocab, "learn" or None
        The vocabulary to be kept with the rows; by default a `SmilesVocab` that is learned from train.
    rows_per_part : int
        Input rows of one shard.
    workers : int, optional
        Processes; by default one for each CPU.
    engine : Engine, optional
        Anything with ``submit``, such as `RayEngine`, instead of processes of this machine.
    seed : int
        Seed of the split.
    features : names, or dict of str to Fingerprint or Descriptors
        Columns of vectors beside the molecules, such as ``["ecfp4", "qed,tpsa"]``: fingerprints as bits, eight to a
        byte; descriptors as float32. Datasets with an equal function read them instead of computing. A molecule for
        which a function fails is left out.
    merges : int
        Tokens of several pieces that the vocabulary learns besides, as ``SmilesVocab.from_data(train, merges=...)``.
    dry_run : bool
        Prepare the first 10,000 rows only, and keep nothing but the manifest that is returned. With `append` and a
        rule for duplicates they are compared with all rows of `out`, which takes its time.
    append : bool
        Write the rows after those of `out`, a corpus that was prepared with the same other arguments. Its rows and
        files stay as they are: a molecule that it has already is left out if there is a rule for duplicates.
    progress : callable, bool or None
        A function of a `Status`; True: a bar on standard error; None: a bar on a terminal after two seconds.

    Returns
    -------
    Manifest
        What was done: ``manifest.history[0]``, or ``[-1]`` with `append`.

    Raises
    ------
    CorpusError
        `out` holds something else, or was prepared with other arguments; a ``ValueError``.
    PrepareError
        A worker was ended, the disk is full, or another process prepares `out` at this moment; a ``RuntimeError``. What
        is finished is kept.
    ReadError, ColumnError, RowError, ValueError
        As `mrl.read` and `mrl.clean` raise them; the inputs have no rows.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.smi").write_text("OCC\\nC(\\nCCO\\nN\\n")
    >>> prepare_corpus(folder / "a.smi", folder / "corpus", duplicates="first", workers=1)
    Manifest(2 rows: smiles, input_row)
    >>> from mrl.corpus import open_corpus
    >>> corpus = open_corpus(folder / "corpus")
    >>> corpus.smiles[:].tolist(), [(reject.row, reject.stage) for reject in corpus.rejects]
    (['OCC', 'N'], [(1, 'parse'), (2, 'duplicates')])
    """
    recipe = Recipe(
        steps,
        parse,
        Duplicates(duplicates) if isinstance(duplicates, str) else duplicates,
        SplitRule(split) if isinstance(split, str) else split,
        vocab,
        rows_per_part,
        seed,
        features,
        merges,
    )
    given = as_inputs(inputs)
    require_agreement(given, recipe)
    if dry_run or append:
        with tempfile.TemporaryDirectory() as folder:
            if append:
                limit, work = (DRY_RUN_ROWS, Path(folder)) if dry_run else (None, None)
                with _full_disk_named(Path(out)), engine_of(workers, engine) as running, reporting(progress) as report:
                    return append_rows(given, recipe, Path(out), running, report, limit=limit, work=work)
            return _prepare(given, recipe, Path(folder, "corpus"), (workers, engine), progress, DRY_RUN_ROWS)
    return _prepare(given, recipe, Path(out), (workers, engine), progress)


def prepare_phase(
    inputs: AnyPath | Sequence[AnyPath] | Inputs,
    out: AnyPath,
    recipe: Recipe,
    phase: Phase,
    *,
    shard: tuple[int, int] = (0, 1),
    progress: Report = None,
) -> Manifest | None:
    """Do one phase of a preparation, or a share of it, in this process: for array jobs of a cluster.

    Parameters
    ----------
    inputs, out
        As in `prepare_corpus`; `out` is a folder that all machines see.
    recipe : Recipe
        The other arguments of `prepare_corpus`.
    phase : {"read", "clean", "plan", "write", "finish"}
        The phases follow each other; ``"read"`` and ``"finish"`` are one task each.
    shard : (int, int)
        ``(i, n)``: the tasks i, i + n, i + 2n ... of the phase, 0 <= i < n.
    progress : callable, bool or None
        As in `prepare_corpus`.

    Returns
    -------
    Manifest or None
        The manifest after ``"finish"``.

    Raises
    ------
    CorpusError
        The phase before is not complete, or `out` holds something else.
    ValueError
        There is no such phase or share.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.smi").write_text("OCC\\nC(\\nN\\n")
    >>> for phase in ("read", "clean", "plan", "write", "finish"):
    ...     manifest = prepare_phase(folder / "a.smi", folder / "corpus", Recipe(), phase)
    >>> manifest.rows
    2
    """
    i, n = shard
    if phase not in get_args(Phase):
        raise ValueError(f"phase is {phase!r}; expected one of {', '.join(get_args(Phase))}")
    if not 0 <= i < n:
        raise ValueError(f"shard is {i}/{n}; expected i/n with 0 <= i < n")
    given = as_inputs(inputs)
    require_agreement(given, recipe)
    if phase in ("read", "finish") and i:
        return None  # one task, which the first share does
    with _full_disk_named(Path(out)):
        if _is_there(given, recipe, Path(out)):
            return Manifest.load(out)
        shared = phase not in ("read", "finish")
        with claimed(given, Path(out), shared=shared), reporting(progress) as report:
            job = Job.start(with_saved_input(given, Path(out), is_read=phase != "read"), recipe, Path(out))
            work = Work(job, report)
            if phase == "finish":
                return work.finish()
            calls = {"read": work.calls_to_read, "clean": work.calls_to_clean, "plan": work.calls_to_plan}
            chosen = [*calls.get(phase, work.calls_to_write)()][i::n]
            with engine_of(1, None) as (engine, most):
                work.run(phase, [] if phase == "read" else chosen, engine, most)
    return None


def _prepare(
    inputs: Inputs,
    recipe: Recipe,
    out: Path,
    workers: tuple[int | None, Engine | None],
    progress: Report,
    limit: int | None = None,
) -> Manifest:
    with _full_disk_named(out), engine_of(*workers) as (engine, most), reporting(progress) as report:
        start_processes(engine)
        if _is_there(inputs, recipe, out):
            return Manifest.load(out)
        with claimed(inputs, out):
            work = Work(Job.start(with_saved_input(inputs, out), recipe, out), report)
            work.run("clean", work.calls_to_read(limit), engine, READ_AHEAD if most > 1 else 1)
            work.run("plan", work.calls_to_plan(), engine, most)
            work.run("write", work.calls_to_write(), engine, most)
            return work.finish()


def _is_there(inputs: Inputs, recipe: Recipe, out: Path) -> bool:
    """Return whether a folder holds the corpus already; a CorpusError if it holds anything but work on it."""
    if out.exists() and not out.is_dir():
        raise CorpusError(f"{out} is a file, expected a new folder: choose another name", path=str(out))
    if (out / MANIFEST).exists():
        history = Manifest.load(out).history[0]
        with tempfile.TemporaryDirectory() as folder:
            job = Job.describe(with_saved_input(inputs, Path(folder)), recipe, out)
        if history.get("job") != job.digest:
            raise CorpusError(
                f"{out} holds a corpus already, of other {differences(history, job)}: choose another folder, or delete "
                "it",
                path=str(out),
            )
        _require_whole(out)
        if _is_ours(out / WORK):
            shutil.rmtree(out / WORK, ignore_errors=True)
        return True
    inside = sorted(child.name for child in out.iterdir()) if out.is_dir() else []
    is_begun = _is_ours(out / WORK) and ((out / WORK / JOB).exists() or inside == [WORK])
    if inside and not is_begun:
        raise CorpusError(f"{out} holds {', '.join(inside[:5])} already: choose a new or empty folder", path=str(out))
    return False


def _require_whole(out: Path) -> None:
    try:
        open_corpus(out)
    except (CorpusError, FileFormatError, OSError) as error:
        raise CorpusError(
            f"{out} holds this corpus already, but damaged ({error}): delete {out} and prepare it again", path=str(out)
        ) from error


def _is_ours(work: Path) -> bool:
    """Return whether a folder is the work of a preparation, and no folder of the user with the same name."""
    if not work.is_dir():
        return False
    return (work / JOB).exists() or all(child.name == STDIN or child.name[0] == "." for child in work.iterdir())


@contextmanager
def _full_disk_named(out: Path) -> Iterator[None]:
    """Make the error of a full disk a PrepareError with a way out."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise PrepareError(
            f"the disk of {out} is full: make room, and run the same command again; what is finished is kept"
        ) from error
