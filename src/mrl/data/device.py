"""Where tensors are."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import get_worker_info


def get_device() -> torch.device:
    """Return torch's default device: the CPU, unless ``torch.set_default_device`` chose another.

    Returns
    -------
    torch.device

    Examples
    --------
    >>> get_device()
    device(type='cpu')
    """
    return torch.get_default_device()


def to_device(batch: Any, device: torch.device | str | None = None) -> Any:
    """Move every tensor of `batch` to a device.

    In a worker process tensors stay where they are, since a forked process cannot use CUDA; the loader moves them
    afterwards.

    Parameters
    ----------
    batch : tensor, or tuple, list or dict of batches
        Anything else in it stays as it is.
    device : torch.device or str, optional
        Where to; torch's default device if not given.

    Returns
    -------
    tensor, tuple, list or dict
        The same structure.

    Examples
    --------
    >>> to_device((torch.zeros(1), {"n": 3}), "cpu")
    (tensor([0.]), {'n': 3})
    """
    if get_worker_info() is not None:
        return batch
    device = get_device() if device is None else torch.device(device)
    return _moved(batch, device)


def _moved(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, torch.Tensor):
        if batch.device == device:
            return batch
        if device.type == "cuda" and batch.device.type == "cpu":
            return batch.pin_memory().to(device, non_blocking=True)
        return batch.to(device)
    if isinstance(batch, tuple):
        parts = [_moved(part, device) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    if isinstance(batch, list):
        return [_moved(part, device) for part in batch]
    if isinstance(batch, dict):
        return {name: _moved(part, device) for name, part in batch.items()}
    return batch
