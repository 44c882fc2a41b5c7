"""Job: one preparation, the names of its files, and which of them are finished."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from mrl import __version__
from mrl.chem import clean_rows
from mrl.corpus import Shard, Source, find_sources, write_shard
from mrl.errors import CorpusError, FileFormatError
from mrl.files import atomic, seal, stamp_of, unseal, write_atomic
from mrl.prepare.base import Base
from mrl.prepare.recipe import Inputs, Recipe
from mrl.ragged import Ragged, Rejects, Text

FORMAT, VERSION = "mrl-work", 2
WORK, STDIN, JOB = "work", "stdin", "job.json"

# Files whose digests this process has computed, and what they looked like: many tasks read the same ones.
_verified: dict[Path, tuple[int, ...]] = {}


@dataclass(frozen=True)
class Job:
    """One preparation: what is made of which files, and where.

    Attributes
    ----------
    inputs : Inputs
        The files and columns.
    recipe : Recipe
        What is done to the rows.
    out : Path
        The folder of the corpus.
    digest : str
        Of everything that determines the result: the contents of the files, the settings, the versions.
    files : tuple of dict
        Name, size and digest of each input.
    base : Base, optional
        The corpus after whose rows those of the job are written.
    """

    inputs: Inputs
    recipe: Recipe
    out: Path
    digest: str
    files: tuple[Mapping[str, Any], ...]
    base: Base | None = None

    @classmethod
    def describe(cls, inputs: Inputs, recipe: Recipe, out: Path, base: Base | None = None) -> Self:
        """Return the job, after the inputs have been read once for their digests."""
        files = tuple(_file(source) for source in find_sources(inputs.paths))
        return cls(inputs, recipe, out, digest_of(_settings(inputs, recipe, base), files), files, base)

    @classmethod
    def start(cls, inputs: Inputs, recipe: Recipe, out: Path, base: Base | None = None) -> Self:
        """Return the job, after its description has been written, or compared with one that is there."""
        path = out / WORK / JOB
        settings, looks = _settings(inputs, recipe, base), [_look(source.name) for source in find_sources(inputs.paths)]
        found: dict[str, Any] | None = None
        if path.is_file():
            try:
                found = unseal(path.read_bytes(), path, format=FORMAT, version=VERSION, error=CorpusError)
            except CorpusError as error:
                raise CorpusError(f"{error}: delete {out} to begin again", path=str(path)) from error
            is_same = found["settings"] == settings
            if is_same and found["looks"] == looks and all(size >= 0 for _, size, _ in looks):
                return cls(inputs, recipe, out, found["digest"], tuple(found["files"]), base)
        job = cls.describe(inputs, recipe, out, base)
        # A description alone has cost nothing, so that it is written anew.
        if found is not None and found["digest"] != job.digest and any(path.parent.glob("*.arrow")):
            differs = _differences(found["settings"], settings) or _changed(found["files"], job.files)
            raise CorpusError(
                f"{out} holds a preparation that is not finished, with other {differs}: run it with those, choose "
                f"another folder, or delete {out} to begin again",
                path=str(out),
            )
        document = {"settings": settings, "files": job.files, "looks": looks, "digest": job.digest}
        write_atomic(path, seal({"format": FORMAT, "version": VERSION, **document}))
        return job

    @property
    def identity(self) -> str:
        """The digest of the files and settings, whatever corpus the rows are appended to."""
        return digest_of(_settings(self.inputs, self.recipe, None), self.files)

    @property
    def start_row(self) -> int:
        """The number of the first input row."""
        return 0 if self.base is None else self.base.start

    def path(self, kind: str, *numbers: int) -> Path:
        """Return the name of a file of work, such as ``work/clean-00001-02.arrow``."""
        name = "-".join([kind, *(f"{number:05}" for number in numbers)])
        return self.out / WORK / f"{name}.arrow"

    def write(self, path: Path, columns: Mapping[str, Any], /, **facts: Any) -> dict[str, Any]:
        """Write columns and facts as a shard of this job, and return the facts."""
        # Without syncing: a file that a power failure damages is made again.
        write_shard(path, columns, {"job": self.digest, "facts": facts}, sync=False)
        _verified[path] = stamp_of(path)
        return facts

    def finished(self, path: Path) -> dict[str, Any] | None:
        """Return the facts of a file of this job that is complete and undamaged; None for any other file or none."""
        try:
            stamp = stamp_of(path)
            shard = Shard(path)
        except (FileFormatError, OSError):
            return None
        _verified[path] = stamp
        return dict(shard.about["facts"]) if shard.about.get("job") == self.digest else None

    def facts(self, path: Path) -> dict[str, Any]:
        """Return the facts of a file that a task before has finished, without reading the rest of it."""
        return dict(self.read(path, verify=False).about["facts"])

    def read(self, path: Path, *, verify: bool = True) -> Shard:
        """Return a file of this job that a task before has finished; a CorpusError if it is not there."""
        try:
            stamp = stamp_of(path)
            shard = Shard(path, verify=verify and _verified.get(path) != stamp)
            if verify:
                _verified[path] = stamp
            if shard.about.get("job") == self.digest:
                return shard
            problem = "it is of another preparation"
        except FileNotFoundError:
            problem = "it is missing, so the phase before is not complete"
        except FileFormatError as error:
            problem = str(error)
        raise CorpusError(f"{path} cannot be used: {problem}; run the phase before again", path=str(path))


def digest_of(settings: Mapping[str, Any], files: tuple[Mapping[str, Any], ...]) -> str:
    """Return the digest of everything that determines a result."""
    return hashlib.sha256(json.dumps([settings, files], sort_keys=True).encode()).hexdigest()


def _settings(inputs: Inputs, recipe: Recipe, base: Base | None) -> dict[str, Any]:
    settings = {"inputs": inputs.to_dict(), "recipe": recipe.to_dict(), "versions": versions()}
    if base is not None:
        settings["corpus"] = {"corpus to append to": base.digest}
    return dict(json.loads(json.dumps(settings)))


def versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    return {"mrl": __version__, "rdkit": str(clean_rows([]).to_dict()["rdkit"])}


def _look(name: str) -> list[Any]:
    """Return what tells at a glance that a file is the same; a size of -1 for one that is not on this machine."""
    try:
        status = Path(name).stat()
    except OSError:
        return [name, -1, 0]
    return [name, status.st_size, status.st_mtime_ns]


def _file(source: Source) -> dict[str, Any]:
    """Return name, size and digest of an input."""
    with source.open() as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = "-" if Path(source.name).parts[-2:] == (WORK, STDIN) else source.name
        return {"name": name, "bytes": file.tell(), "sha256": digest}


def _differences(found: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return which settings differ, in groups as `_settings` makes them; "" if none do."""
    differs = [text for group, values in settings.items() for text in differing(found.get(group, {}), values)]
    return f"settings ({'; '.join(differs)})" if differs else ""


def differing(found: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Return which settings are others than those that were found, options of reading one by one."""
    old, new = _one_by_one(found), _one_by_one(json.loads(json.dumps(settings)))
    # Older versions had fewer settings.
    return [
        f"{name} was {old[name]!r} and is {value!r}" for name, value in new.items() if old.get(name, value) != value
    ]


def _one_by_one(settings: Mapping[str, Any]) -> dict[str, Any]:
    options = settings.get("options")
    others = {name: value for name, value in settings.items() if name != "options"}
    return {**others, **options} if isinstance(options, dict) else others


def _changed(found: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]]) -> str:
    """Return which files differ."""
    old = {file["name"]: file["sha256"] for file in found}
    changed = [file["name"] for file in files if old.get(file["name"]) != file["sha256"]]
    left_out = [name for name in old if name not in {file["name"] for file in files}]
    return f"files or contents ({', '.join([*changed, *left_out]) or 'in another order'})"


def differences(history: Mapping[str, Any], job: Job) -> str:
    """Return what differs between a job and that of a corpus, of which this is the history."""
    prepared = history.get("prepared", {})
    found = {name: history.get(name, {}) for name in ("recipe", "versions")} | {"inputs": prepared.get("columns", {})}
    settings = _settings(job.inputs, job.recipe, None)
    return _differences(found, settings) or _changed(prepared.get("inputs", ()), job.files)


def discard(out: Path) -> None:
    """Remove the work in a folder, and the shards that its job has written."""
    with suppress(OSError, ValueError, KeyError):
        digest = json.loads((out / WORK / JOB).read_bytes())["digest"]
        for path in out.glob("*.arrow"):
            if Shard(path, verify=False).about.get("job") == digest:
                path.unlink()
    shutil.rmtree(out / WORK, ignore_errors=True)


def rejects_columns(rejects: Rejects) -> dict[str, Any]:
    """Return rejects as the columns of a shard."""
    table = rejects.to_arrow()
    texts = {name: Text.from_arrow(table[name]) for name in ("text", "stage", "reason")}
    lines = rejects.lines
    return {"row": table["row"].to_numpy(), **texts, "line": np.array([lines.get(one.row, 0) for one in rejects], int)}


def prefixed(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the user under names that no column of work has."""
    return {f"c:{name}": column for name, column in columns.items()}


def user_columns(shard: Shard) -> dict[str, Any]:
    """Return the columns of the user from a file of work."""
    return {name[2:]: shard[name] for name in shard if name.startswith("c:")}


def concat(parts: list[Any]) -> Any:
    """Return the rows of several columns of one kind, one after the other; a single one without a copy."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Ragged):
        return type(parts[0]).concat(parts)
    return np.concatenate(parts)


def with_saved_input(inputs: Inputs, out: Path, *, is_read: bool = False) -> Inputs:
    """Return inputs with a file in the place of a pipe, with what came through it: inputs are read more than once."""
    if "-" not in inputs.paths:
        return inputs
    path = out / WORK / STDIN
    if not (is_read and path.exists()):
        (source,) = find_sources("-")
        with atomic(path) as temporary, open(temporary, "wb") as file, source.open() as piped:
            shutil.copyfileobj(piped, file)
    return replace(inputs, paths=tuple(str(path) if name == "-" else name for name in inputs.paths))
