"""Tensors and what they are, in one safetensors file that detects damage: models and checkpoints."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as format_tensors
from torch import Tensor

from mrl.errors import ReadError
from mrl.files import AnyPath, content_digest, seal, unseal, write_atomic

VERSION = 2


def write_tensors(path: AnyPath, format: str, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and facts about them, completely or not at all; the same content gives the same bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    sealed = seal({**about, "format": format, "version": VERSION, "tensors": _digest(tensors)}).decode()
    write_atomic(path, format_tensors(tensors, {format: sealed}))  # of several entries the order would vary


def read_tensors(path: AnyPath, format: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the facts and the tensors of an undamaged file of `format`; raise a ReadError for any other."""
    data = Path(path).read_bytes()
    try:
        tensors = parse_tensors(data)
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError, RecursionError) as error:  # KeyError: a dtype that torch lacks
        reason = f"it is not a complete safetensors file ({error}); restore it, or train again"
        raise invalid(path, format, reason) from None
    if format not in metadata:
        raise invalid(path, format, f"it has no {format!r} in its metadata, so another program wrote it")
    about = unseal(metadata[format], path, format=format, version=VERSION, error=ReadError)
    if about.get("tensors") != _digest(tensors):
        raise invalid(path, format, "its tensors do not match their sha256, so they were damaged or edited; restore it")
    return about, tensors


def invalid(path: AnyPath, format: str, reason: str) -> ReadError:
    """Return the error for a file that is not what it should be."""
    return ReadError(f"{os.fspath(path)} is not a valid {format} file: {reason}", path=os.fspath(path))


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of every tensor's name, dtype, shape and bytes."""
    return content_digest(
        (f"{name} {tensor.dtype} {tuple(tensor.shape)}", tensor.contiguous().flatten().view(torch.uint8).numpy())
        for name, tensor in sorted(tensors.items())
    )
