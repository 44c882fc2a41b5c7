"""Manifest: what a corpus holds, file by file, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from mrl.corpus.store.kinds import parse_kind
from mrl.errors import CorpusError
from mrl.files import AnyPath, seal, unseal, write_atomic
from mrl.formatting import Html, html_table
from mrl.messages import format_count

FORMAT, VERSION = "mrl-corpus", 1
MANIFEST = "manifest.json"
MAX_ROWS = 1 << 60


class StoredFile(NamedTuple):
    """A file of a corpus.

    Attributes
    ----------
    name : str
        In the folder of the corpus.
    bytes : int
        Its size.
    digest : str
        The SHA-256 of a shard as `Shard.digest`, of any other file that of its bytes.
    columns : tuple of str
        Of a shard, the columns that it holds.

    Examples
    --------
    >>> StoredFile("vocab.json", 4200, "9f86d081...").columns
    ()
    """

    name: str
    bytes: int
    digest: str
    columns: tuple[str, ...] = ()


class ShardEntry(NamedTuple):
    """Some rows of a corpus that follow each other: one shard, or several with some of the columns each.

    Attributes
    ----------
    split : str
        The part of the split that all rows belong to; blank without a split.
    rows : int
        How many.
    files : tuple of StoredFile
        Together they have every column once.

    Examples
    --------
    >>> ShardEntry("train", 3, (StoredFile("train-00000.arrow", 1200, "9f86d081...", ("smiles",)),)).rows
    3
    """

    split: str
    rows: int
    files: tuple[StoredFile, ...]


class FeatureEntry(NamedTuple):
    """What a column of vectors is.

    Attributes
    ----------
    key : str
        What identifies the computation, as in a folder of `mrl.featurize`.
    size : int
        Numbers of a vector, D.
    dtype : str
        NumPy's name of their type.
    bits : bool
        Whether they are 0 and 1, eight to a byte, the first in the highest bit.

    Examples
    --------
    >>> FeatureEntry("ecfp radius=2", 2048, "uint8", True).kind
    'uint8 (256,)'
    """

    key: str
    size: int
    dtype: str
    bits: bool

    @property
    def kind(self) -> str:
        """The type of the column."""
        return f"uint8 ({-(-self.size // 8)},)" if self.bits else f"{self.dtype} ({self.size},)"


@dataclass(frozen=True)
class Manifest:
    """What a corpus holds, file by file, and how it was made.

    Attributes
    ----------
    columns : dict of str to str
        The columns in their order, and their types, such as ``"text"``, ``"float64"``.
    smiles_column : str
        Which column has the molecules.
    targets : tuple of str
        Which columns are labels.
    shards : tuple of ShardEntry
        The rows in their order.
    rejects : StoredFile, optional
        The Parquet file of rows that were left out: row, text, stage, reason.
    vocab : StoredFile, optional
        The vocabulary.
    vocab_fingerprint : str
        Its fingerprint.
    tokens : dict of str to str
        For columns of text, the column that holds their ids under the vocabulary.
    history : tuple of dict
        What was done, first the preparation: inputs with their digests, steps with parameters, counts and examples,
        duplicates, split, versions.
    features : dict of str to FeatureEntry
        Columns of vectors of the molecules.

    Examples
    --------
    >>> shards = (ShardEntry("train", 3, ()), ShardEntry("test", 1, ()))
    >>> manifest = Manifest({"smiles": "text"}, "smiles", shards=shards)
    >>> manifest.rows, manifest.splits
    (4, {'train': 3, 'test': 1})
    >>> manifest.files
    ()
    """

    columns: Mapping[str, str]
    smiles_column: str
    targets: tuple[str, ...] = ()
    shards: tuple[ShardEntry, ...] = ()
    rejects: StoredFile | None = None
    vocab: StoredFile | None = None
    vocab_fingerprint: str = ""
    history: tuple[Mapping[str, Any], ...] = field(default=())
    tokens: Mapping[str, str] = field(default_factory=dict)
    features: Mapping[str, FeatureEntry] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(entry.rows for entry in self.shards)

    @property
    def splits(self) -> dict[str, int]:
        """The parts of the split with their numbers of rows; empty without a split."""
        found: dict[str, int] = {}
        for entry in self.shards:
            if entry.split:
                found[entry.split] = found.get(entry.split, 0) + entry.rows
        return found

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """All files but the manifest itself."""
        other = (each for each in (self.rejects, self.vocab) if each is not None)
        return (*(file for entry in self.shards for file in entry.files), *other)

    def select(self, split: str) -> Manifest:
        """Return the manifest of one part of the split.

        Parameters
        ----------
        split : str
            The name of the part.

        Returns
        -------
        Manifest

        Examples
        --------
        >>> Manifest({"smiles": "text"}, "smiles", shards=(ShardEntry("train", 3, ()),)).select("train").rows
        3
        """
        return replace(self, shards=tuple(entry for entry in self.shards if entry.split == split))

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest for JSON.

        Examples
        --------
        >>> Manifest({"smiles": "text"}, "smiles").to_dict()["columns"]
        [['smiles', 'text']]
        """
        features = {name: entry._asdict() for name, entry in self.features.items()}
        return {
            "format": FORMAT,
            "version": VERSION,
            "rows": self.rows,
            "columns": [[name, kind] for name, kind in self.columns.items()],
            "smiles_column": self.smiles_column,
            "targets": list(self.targets),
            "shards": [
                {"split": entry.split, "rows": entry.rows, "files": [_file_dict(file) for file in entry.files]}
                for entry in self.shards
            ],
            "rejects": None if self.rejects is None else _file_dict(self.rejects),
            "vocab": None if self.vocab is None else _file_dict(self.vocab),
            "vocab_fingerprint": self.vocab_fingerprint,
            "tokens": dict(self.tokens),
            "history": [dict(entry) for entry in self.history],
        } | ({"features": features} if features else {})

    def save(self, folder: AnyPath) -> None:
        """Write the manifest to a folder, sealed, completely or not at all.

        Parameters
        ----------
        folder : path
            The folder of the corpus.

        Examples
        --------
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> Manifest({"smiles": "text"}, "smiles").save(folder)
        >>> Manifest.load(folder).smiles_column
        'smiles'
        """
        write_atomic(Path(folder, MANIFEST), seal(self.to_dict()))

    @classmethod
    def load(cls, folder: AnyPath) -> Self:
        """Read the manifest of a folder.

        Parameters
        ----------
        folder : path
            The folder of the corpus.

        Returns
        -------
        Manifest

        Raises
        ------
        CorpusError
            The folder is missing or has no manifest, or the manifest is damaged, or of another version; a
            ``ValueError``.

        Examples
        --------
        >>> Manifest.load("no such folder")
        Traceback (most recent call last):
        ...
        mrl.errors.CorpusError: no such folder is not a folder: pass the folder of a corpus, which mrl prepare writes
        """
        path = Path(folder, MANIFEST)
        if not path.is_file():
            raise _no_manifest(Path(folder))
        document = unseal(path.read_bytes(), path, format=FORMAT, version=VERSION, error=CorpusError)
        try:
            return cls(*read_manifest(document))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorpusError(
                f"{path} is not a valid {FORMAT} file: {error}; restore it, or prepare the corpus again", path=str(path)
            ) from None

    def _repr_html_(self) -> Html:
        vocab = None if self.vocab is None else f"{self.vocab.name}, {self.vocab_fingerprint[:12]}…"
        parts = " ".join(f"{name}: {rows:,}" for name, rows in self.splits.items())
        rows = [
            ("rows", self.rows),
            ("parts", parts or None),
            ("columns", ", ".join(f"{name} ({kind})" for name, kind in self.columns.items())),
            ("targets", ", ".join(self.targets) or None),
            ("vocabulary", vocab),
            ("shards", len(self.shards)),
            ("bytes", sum(file.bytes for file in self.files)),
            ("entries of its history", len(self.history)),
        ]
        return html_table(rows, caption=repr(self))

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {rows:,}" for name, rows in self.splits.items())
        return f"Manifest({format_count(self.rows, 'row')}{f' ({parts})' if parts else ''}: {', '.join(self.columns)})"


def _file_dict(file: StoredFile) -> dict[str, Any]:
    return {**file._asdict(), "columns": list(file.columns)}


def read_manifest(document: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the fields of a `Manifest`; an error if they contradict each other, or could lead out of the folder."""
    pairs = document["columns"]
    kinds = {_text(name, "a column"): _text(kind, "a type") for name, kind in pairs}
    if len(kinds) != len(pairs):
        raise ValueError("it lists a column twice")
    for kind in kinds.values():
        parse_kind(kind)
    if document["smiles_column"] not in kinds or not set(document["targets"]) <= set(kinds):
        raise ValueError("its molecules or labels are not columns")
    shards = tuple(_entry(entry, set(kinds)) for entry in document["shards"])
    rows = sum(entry.rows for entry in shards)
    if rows != document["rows"] or rows > MAX_ROWS:
        raise ValueError(f"its shards have {rows} rows, expected {document['rows']!r}")
    rejects, vocab = (None if document[name] is None else _file(document[name]) for name in ("rejects", "vocab"))
    files = [file.name for entry in shards for file in entry.files]
    files += [file.name for file in (rejects, vocab) if file is not None]
    if len(set(files)) != len(files):
        raise ValueError("it lists a file twice")
    history = tuple(dict(entry) for entry in document["history"])
    fingerprint = _text(document["vocab_fingerprint"], "a fingerprint")
    tokens = dict(document["tokens"])
    for name, ids in tokens.items():
        if kinds.get(name) != "text" or not kinds.get(ids, "").startswith("ragged u") or vocab is None:
            raise ValueError(f"{ids!r} is not a column of the tokens of {name!r}")
    features = {name: _feature(entry) for name, entry in document.get("features", {}).items()}
    for name, entry in features.items():
        if kinds.get(name) != entry.kind:
            raise ValueError(f"{name!r} is not a column of vectors of {entry.size} numbers")
    names = document["smiles_column"], tuple(document["targets"])
    return kinds, *names, shards, rejects, vocab, fingerprint, history, tokens, features


def _feature(entry: Mapping[str, Any]) -> FeatureEntry:
    key, dtype = _text(entry["key"], "a key"), _text(entry["dtype"], "a type")
    return FeatureEntry(key, _count(entry["size"], "numbers"), dtype, entry["bits"] is True)


def _entry(entry: Mapping[str, Any], columns: set[str]) -> ShardEntry:
    files = tuple(map(_file, entry["files"]))
    held = [name for file in files for name in file.columns]
    if len(held) != len(columns) or set(held) != columns:
        raise ValueError(f"the files of a shard have the columns {held}")
    return ShardEntry(_text(entry["split"], "a part of the split"), _count(entry["rows"], "rows"), files)


def _file(entry: Mapping[str, Any]) -> StoredFile:
    name = _text(entry["name"], "a file")
    if (
        len(name.encode()) > 200
        or name in ("", ".", "..", MANIFEST, ".stamps.json")
        or not name.isprintable()
        or {"/", "\\", ":"} & set(name)
    ):
        raise ValueError(f"it lists a file called {name!r}")  # a manifest names files of its folder only
    columns = tuple(_text(column, "a column") for column in entry["columns"])
    return StoredFile(name, _count(entry["bytes"], "bytes"), _text(entry["digest"], "a digest"), columns)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is {value!r}, expected text")
    return value


def _count(value: Any, what: str) -> int:
    if type(value) is not int or not 0 <= value <= MAX_ROWS:
        raise ValueError(f"{what}: {value!r}, expected a number from 0 to {MAX_ROWS}")
    return value


def _no_manifest(folder: Path) -> CorpusError:
    if not folder.is_dir():
        problem = f"{folder} is not a folder: pass the folder of a corpus, which mrl prepare writes"
    elif (folder / "work").is_dir():
        problem = f"{folder} holds a preparation that is not finished: run the same mrl prepare again, which goes on"
    else:
        inside = ", ".join(sorted(child.name for child in folder.iterdir())[:5]) or "nothing"
        problem = f"{folder} is not a corpus: it has no {MANIFEST} (it contains {inside}); mrl prepare writes one"
    return CorpusError(problem, path=str(folder))
