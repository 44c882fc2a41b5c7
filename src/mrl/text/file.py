"""Vocabulary files: one JSON file with canonical bytes and a digest of itself."""

from __future__ import annotations

import hashlib
import json
from os import PathLike, fspath
from pathlib import Path
from typing import Any, NamedTuple

from mrl.errors import VocabFileError
from mrl.files import write_atomic
from mrl.text.constants import SPECIAL_TOKENS

__all__ = ["VocabContent", "read_vocab", "write_vocab"]

FORMAT = "mrl-vocabulary"
VERSION = 1
KEYS = {"format", "version", "kind", "rules", "specials", "tokens", "sha256"}


class VocabContent(NamedTuple):
    """What a vocabulary file says: the kind of class, its arguments, and the tokens behind the specials."""

    kind: str
    rules: dict[str, Any]
    tokens: list[str]


def write_vocab(path: str | PathLike[str], content: VocabContent) -> None:
    """Write a vocabulary file, whole or not at all."""
    body = {"format": FORMAT, "version": VERSION, "specials": SPECIAL_TOKENS, **content._asdict()}
    write_atomic(path, _canonical(body | {"sha256": _digest(body)}))


def read_vocab(path: str | PathLike[str]) -> VocabContent:
    """Read a vocabulary file; refuse it, with the reason, unless every byte is as it was written.

    Raises
    ------
    VocabFileError
        If the file is damaged, was edited, or is of another program or version.
    FileNotFoundError
        If there is no such file.
    """
    data = Path(path).read_bytes()
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"it is not JSON ({error}); write it with vocab.save") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise _refused(path, f'it has no "format": "{FORMAT}"; it is a file of another program')
    if body.get("version") != VERSION:
        raise _refused(path, f"its format version is {body.get('version')!r} and this mrl reads {VERSION}; update mrl")
    if set(body) != KEYS or not _is_whole(body, data):
        raise _refused(
            path,
            "its content does not fit its sha256, so it was damaged or edited after it was saved; restore it, or make "
            "the vocabulary again and save that",
        )
    if body["specials"] != SPECIAL_TOKENS:
        raise _refused(path, f"its specials are {body['specials']}, expected {SPECIAL_TOKENS}")
    content = VocabContent(body["kind"], body["rules"], body["tokens"])
    for (name, value), kind in zip(content._asdict().items(), (str, dict, list), strict=True):
        if not isinstance(value, kind):
            raise _refused(path, f"its {name!r} is no {kind.__name__}; write it with vocab.save")
    return content


def _is_whole(body: dict[str, Any], data: bytes) -> bool:
    """Whether these are the very bytes that were written."""
    try:
        return bool(body["sha256"] == _digest(body)) and data == _canonical(body)
    except (UnicodeEncodeError, RecursionError):  # an escaped lone surrogate, a deep nesting: never ours
        return False


def _refused(path: str | PathLike[str], why: str) -> VocabFileError:
    return VocabFileError(f"{fspath(path)} is no vocabulary that can be trusted: {why}", path=fspath(path))


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical({key: body[key] for key in body if key != "sha256"})).hexdigest()


def _canonical(body: dict[str, Any]) -> bytes:
    return (json.dumps(body, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
