"""The state of a loader: where it is, and what it belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np

from mrl.data.order.base import BaseOrder, Order
from mrl.errors import StateError
from mrl.messages import format_names, format_value

VERSION = 2


def make_state(order: Order, data: str | None, epoch: int, batches: int) -> dict[str, Any]:
    """Return the state of a loader that has yielded `batches` batches of epoch `epoch`."""
    return {"version": VERSION, "epoch": epoch, "batches": batches, **_identity(order, data, epoch, batches)}


def check_state(state: Any, order: Order, data: str | None, world_size: int) -> tuple[int, int]:
    """Return the epoch and the batch that come after a state, if it belongs to this order and this data.

    Raises
    ------
    StateError
        If it does not; it names what differs, and which `bs` would make the global batches equal.
    """
    if not isinstance(state, dict):
        raise StateError(f"the state is of type {type(state).__name__}; expected what state_dict returned")
    if wrong := [
        name for name, value in state.items() if not isinstance(value, int | np.integer | str | None) or _is_huge(value)
    ]:
        raise StateError(
            f"{format_names(map(str, wrong))} of the state is not a value that state_dict returns; "
            "pass what it returned"
        )
    if state.get("version") != VERSION:
        version = format_value(state.get("version"))
        raise StateError(
            f"the state has version {version}, this mrl reads {VERSION}; start the epoch again",
            differs=("version",),
        )
    if unknown := state.keys() - make_state(order, data, 0, 0):
        raise StateError(f"the state has {format_names(sorted(map(str, unknown)))} too; pass what state_dict returned")
    epoch, batches = state.get("epoch"), state.get("batches")
    place = None
    if type(epoch) is int and type(batches) is int and epoch >= 0 and batches >= 0:
        place = epoch, batches
    _require_same(state, _identity(order, data, *(place or (0, 0))), world_size)
    if place is None or place[1] > len(order):
        raise StateError(
            f"the state is at batch {format_value(batches)} of epoch {format_value(epoch)}, "
            f"of {len(order)} batches an epoch"
        )
    return (place[0] + 1, 0) if place[1] == len(order) > 0 else place


def _is_huge(value: int | np.integer | str | None) -> bool:
    return isinstance(value, int) and abs(value) >= 2**63


def _identity(order: Order, data: str | None, epoch: int, batches: int) -> dict[str, Any]:
    size = getattr(order, "batch_size", None)
    digest = order.fingerprint_at(epoch, batches) if isinstance(order, BaseOrder) else order.fingerprint()
    return {"global_batch_size": size, "rows": order.n, "order": digest, "data": data}


_DIGESTS = {
    "order": "the order differs (its kind, seed, drop_last, max_tokens, the lengths of the rows, or the "
    "weights of a mixture)",
    "data": "the data differ (the texts, their number or order, the vocabulary, labels, or settings such as augment)",
}


def _require_same(state: dict[str, Any], identity: dict[str, Any], world_size: int) -> None:
    differs = tuple(name for name in identity if state.get(name) != identity[name])
    if not differs:
        return
    values = [name for name in differs if name not in _DIGESTS]
    # A digest differs whenever one of the values that it covers does.
    reasons = [f"{name} is {identity[name]!r} here and {format_value(state.get(name))} in the state" for name in values]
    reasons = reasons or [_DIGESTS[name] for name in differs]
    total, hint = state.get("global_batch_size"), ""
    if "global_batch_size" in differs and isinstance(total, int):
        bs, rest = divmod(total, world_size)
        ranks = f"{world_size} rank{'s' if world_size > 1 else ''}"
        hint = f"; no bs makes that with {ranks}" if rest else f"; with {ranks} make the loader with bs={bs}"
    raise StateError(f"the state belongs to another loader: {'; '.join(reasons)}{hint}", differs=differs)
