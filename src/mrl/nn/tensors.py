"""Files of tensors: safetensors with a sealed document in their metadata, so that damage and edits are found."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as format_tensors
from torch import Tensor

from mrl.errors import ReadError
from mrl.files import AnyPath, content_digest, open_regular, seal, unseal, write_atomic

__all__ = ["invalid_tensors", "join_parts", "read_tensors", "split_parts", "write_tensors"]


def write_tensors(
    path: AnyPath, tensors: Mapping[str, Tensor], document: Mapping[str, Any], *, format: str, version: int
) -> None:
    """Write tensors and a document to a safetensors file, completely or not at all.

    An interrupted call leaves the old file, or none where there was none. The same content gives the same bytes.

    Parameters
    ----------
    path : str or path
        The file; missing folders are created.
    tensors : mapping of str to Tensor
        On any device.
    document : mapping of str to JSON values
        Settings, sizes, metrics; without the entries ``"format"``, ``"version"`` and ``"tensors"``.
    format, version : str, int
        What the file is, for `read_tensors`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> write_tensors(path, {"w": torch.ones(2)}, {"seed": 1}, format="mrl-example", version=1)
    >>> read_tensors(path, format="mrl-example", version=1)
    ({'seed': 1}, {'w': tensor([1., 1.])})
    """
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    whole = {**document, "format": format, "version": version, "tensors": _digest(held)}
    write_atomic(path, format_tensors(held, {format: seal(whole).decode()}))  # of several entries the order would vary


def read_tensors(path: AnyPath, *, format: str, version: int) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the document and the tensors of an undamaged file that `write_tensors` wrote.

    Nothing is allocated by sizes that the file only claims to have, and nothing in it is run.

    Parameters
    ----------
    path : str or path
        The file.
    format, version : str, int
        As given to `write_tensors`.

    Returns
    -------
    document : dict
        As given to `write_tensors`.
    tensors : dict of str to Tensor
        On the CPU.

    Raises
    ------
    ReadError
        The file is damaged, was edited, or is of another program or version; a ValueError.
    OSError
        There is no such file (FileNotFoundError), or it is none: a folder, a pipe, a device.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> _ = path.write_bytes(b"damaged")
    >>> read_tensors(path, format="mrl-example", version=1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    mrl.errors.ReadError: ...a.safetensors is not a valid mrl-example file: it is not a complete safetensors file ...
    """

    with open_regular(path) as opened:
        data = opened.read()
    try:
        tensors = parse_tensors(data)
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except (
        SafetensorError,
        ValueError,
        KeyError,
        RecursionError,
    ) as error:  # KeyError: a dtype that torch does not have
        reason = f"it is not a complete safetensors file ({error}); restore it, or create it again"
        raise invalid_tensors(path, format, reason) from None
    if format not in metadata:
        raise invalid_tensors(path, format, f"it has no {format!r} in its metadata, so another program wrote it")
    document = unseal(metadata[format], path, format=format, version=version, error=ReadError)
    if document.pop("tensors", None) != _digest(tensors):
        reason = "its tensors do not match their sha256, so they were damaged or edited; restore it"
        raise invalid_tensors(path, format, reason)
    return {key: value for key, value in document.items() if key not in ("format", "version")}, tensors


def join_parts(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the tensors of several models as those of one file, ``part/name``; see `split_parts`.

    Parameters
    ----------
    parts : mapping of str to mapping of str to Tensor
        For each part its tensors by name.

    Returns
    -------
    dict of str to Tensor

    Examples
    --------
    >>> join_parts({"model": {"w": torch.ones(1)}, "best": {}})
    {'model/w': tensor([1.])}
    """
    return {f"{part}/{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def split_parts(tensors: Mapping[str, Tensor]) -> defaultdict[str, dict[str, Tensor]]:
    """Return the parts that `join_parts` made one; a part without tensors is empty.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        By names ``part/name``.

    Returns
    -------
    defaultdict of str to dict of str to Tensor

    Examples
    --------
    >>> parts = split_parts({"model/w": torch.ones(1)})
    >>> parts["model"], parts["best"]
    ({'w': tensor([1.])}, {})
    """
    parts: defaultdict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        parts[part][rest] = tensor
    return parts


def invalid_tensors(path: AnyPath, format: str, reason: str) -> ReadError:
    """Return the error for a file of tensors that is not what it should be.

    Parameters
    ----------
    path : str or path
        The file.
    format : str
        What it should be, as given to `write_tensors`.
    reason : str
        What is wrong with it, and a way out.

    Returns
    -------
    ReadError
        To be raised.

    Examples
    --------
    >>> invalid_tensors("a.safetensors", "mrl-example", "it has no weights; create it again").path
    'a.safetensors'
    """
    return ReadError(f"{os.fspath(path)} is not a valid {format} file: {reason}", path=os.fspath(path))


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of every tensor's name, dtype, shape and bytes."""
    return content_digest(
        (f"{name} {tensor.dtype} {tuple(tensor.shape)}", tensor.contiguous().flatten().view(torch.uint8).numpy())
        for name, tensor in sorted(tensors.items())
    )
