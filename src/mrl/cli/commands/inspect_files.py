"""What is in the files and folders that mrl writes: vocabularies, models, checkpoints, caches, corpora, arrays."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mrl.cli.console import DATA, stop
from mrl.corpus import MANIFEST, Corpus, Manifest, Shard, kind_of, open_corpus
from mrl.errors import CorruptShard
from mrl.features import cached
from mrl.files import open_regular
from mrl.text import SPECIAL_TOKENS, Vocab, is_vocab_file

_ENDS = 8  # tokens at both ends of a vocabulary
_MODELS = ("model.safetensors", "property_model.safetensors", "state.safetensors", "checkpoint.safetensors")
_KINDS = {
    "mrl-language-model": "language model",
    "mrl-property-model": "property model",
    "mrl-checkpoint": "checkpoint of a training",
    "mrl-improve-state": "state of mrl improve",
}
_MOST_HEADER = 100 << 20  # bytes


def facts_of_file(path: Path) -> dict[str, Any] | None:
    """Return the facts of a file or folder that mrl wrote; None for a table of molecules."""
    if path.is_dir():
        return _folder_facts(path)
    if is_vocab_file(path):
        return _vocabulary_facts(path)
    if path.suffix == ".safetensors":
        return _tensor_facts(path)
    if path.suffix == ".npz":
        return _array_facts(path)
    return _shard_facts(path) if path.suffix == ".arrow" else None


def _vocabulary_facts(path: Path) -> dict[str, Any]:
    vocab = Vocab.load(path)
    tokens = vocab.itos[len(SPECIAL_TOKENS) :]
    return {
        "is": "vocabulary",
        "file": str(path),
        "kind": vocab.kind,
        "tokens": len(vocab),
        "specials": vocab.special_tokens,
        **({"control": [*vocab.control]} if vocab.control else {}),
        "dtype": str(vocab.dtype),
        "engine": vocab.engine,
        "engine_reason": vocab.engine_reason,
        "rules": vocab.rules(),
        "fingerprint": vocab.fingerprint(),
        "first": tokens[:_ENDS],
        "last": tokens[-_ENDS:],
    }


def _folder_facts(path: Path) -> dict[str, Any]:
    if (path / MANIFEST).exists():
        return corpus_facts(open_corpus(path))
    found = [path / name for name in _MODELS if (path / name).exists()]
    if found:
        facts = _tensor_facts(found[0])
        vocab = path / "vocab.json"
        return facts | ({"vocabulary": _vocabulary_facts(vocab)} if vocab.exists() else {})
    featurizers = cached(path)
    if featurizers:
        return {
            "is": "cache of features",
            "folder": str(path),
            "bytes": sum(one.bytes for one in featurizers),
            "featurizers": {one.key: {"molecules": one.molecules, "bytes": one.bytes} for one in featurizers},
        }
    if (path / "work").is_dir():
        return corpus_facts(open_corpus(path))  # an error: a preparation that is not finished
    stop(
        f"{path} is a folder, but not a corpus, a model or a cache of features that mrl wrote: give the name of a file "
        "in it",
        DATA,
    )


def corpus_facts(corpus: Corpus) -> dict[str, Any]:
    """Return the facts of a corpus: what it holds, and how it was made."""
    manifest: Manifest = corpus.manifest
    return {
        "is": "corpus",
        "folder": str(corpus.path),
        "rows": len(corpus),
        "columns": dict(manifest.columns),
        "smiles_column": manifest.smiles_column,
        "targets": list(manifest.targets),
        "shards": len(manifest.shards),
        "bytes": sum(file.bytes for file in manifest.files),
        "splits": dict(manifest.splits),
        "rejects": dict(corpus.rejects.counts()),
        "vocabulary": manifest.vocab_fingerprint,
        "history": [dict(one) for one in manifest.history],
    }


def _tensor_facts(path: Path) -> dict[str, Any]:
    """Return what a file of tensors says of itself; every byte of it is checked."""
    metadata = _safetensors_metadata(path)
    format = next((name for name in metadata if name in _KINDS), None)
    if format is None:
        stop(
            f"{path} is not a model, checkpoint or state that mrl wrote: another program wrote it, or it is damaged",
            DATA,
        )
    from mrl.nn import read_tensors  # loads torch, for these files only

    version = json.loads(metadata[format]).get("version", 0)
    document, tensors = read_tensors(path, format=format, version=version)
    if format == "mrl-improve-state":
        document |= {name: len(document[name]) for name in ("calls", "rounds") if name in document}
    document.pop("optimizer", None)
    document.pop("loader", None)
    return {
        "is": _KINDS[format],
        "file": str(path),
        "version": version,
        "parameters": sum(tensor.numel() for name, tensor in tensors.items() if tensor.is_floating_point()),
        "bytes": path.stat().st_size,
        **document,
    }


def _safetensors_metadata(path: Path) -> Mapping[str, str]:
    with open_regular(path) as file:
        size = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(size) if size <= _MOST_HEADER else b"")
            found = header.get("__metadata__", {})
            return found if isinstance(found, dict) else {}
        except (ValueError, AttributeError, RecursionError):
            return {}


def _array_facts(path: Path) -> dict[str, Any]:
    """Return the facts of arrays, of which no more than a part is in memory at once."""
    found, fingerprint = {}, None
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if (damaged := archive.testzip()) is not None:
                    raise ValueError(f"the checksum of {damaged} differs")
                for part in archive.infolist():
                    name = part.filename.removesuffix(".npy")
                    dtype, shape = _array_header(archive, part)
                    found[name] = {"dtype": str(dtype), "shape": list(shape)}
                    if name == "fingerprint" and dtype.kind == "U" and not shape and part.file_size <= _MOST_HEADER:
                        with archive.open(part) as array:
                            fingerprint = str(np.load(array, allow_pickle=False))
        except Exception as error:  # zipfile, zlib and NumPy's parser of headers each have their own
            stop(f"{path} is not a file of arrays ({error}): mrl encode and mrl featurize write such files", DATA)
    facts: dict[str, Any] = {"is": "file of arrays", "file": str(path), "arrays": found}
    if fingerprint is not None:
        facts["vocabulary"] = fingerprint
    return facts


def _array_header(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> tuple[np.dtype[Any], tuple[int, ...]]:
    with archive.open(part) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        size = file.tell() + math.prod(shape) * dtype.itemsize
    if dtype.hasobject or min(shape, default=0) < 0 or size != part.file_size:
        raise ValueError(f"{part.filename} has {part.file_size:,} bytes, and is to hold {shape} of {dtype}")
    return dtype, shape


def _shard_facts(path: Path) -> dict[str, Any] | None:
    """Return the facts of a shard of a corpus or cache; None for any other Arrow file, which is a table."""
    try:
        shard = Shard(path)
    except CorruptShard as error:
        if "not an Arrow file that mrl wrote" in str(error):
            return None
        raise
    columns = {name: kind_of(shard[name]) for name in shard}
    return {"is": "shard of a corpus or cache", "file": str(path), "rows": shard.rows, "columns": columns}
