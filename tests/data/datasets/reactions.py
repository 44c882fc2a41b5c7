"""Reactions: products from reactants, beside the atom economy of each. A task is one value."""

from __future__ import annotations

from typing import Any

from mrl.data import (
    Field,
    NumberColumn,
    Numbers,
    Padding,
    Task,
    TextColumn,
    Tokens,
    next_token_pairs,
    pad_rows,
    parts_of,
    stack_numbers,
    takes_lazy_batch,
)


@takes_lazy_batch
def reaction_collate(batch: Any, pad_idx: int, *, padding: Padding = Padding()) -> Any:
    """Return (reactants, x), y of next-token prediction of the products, and the atom economy (B,)."""
    reactants, products, economy = parts_of(batch, 3, "reaction_collate")
    x, y = next_token_pairs(products, pad_idx, padding=padding)
    return (pad_rows(reactants, pad_idx, padding), x), y, stack_numbers(economy).squeeze(-1)


def reaction_fields(ds: Any) -> tuple[Field, ...]:
    reactants = Tokens(ds.columns["reactants"], ds.vocab, name="source")
    return reactants, Tokens(ds.columns["products"], ds.vocab), Numbers(ds.columns["economy"], "economy")


COLUMNS: dict[str, Any] = {"reactants": TextColumn(), "products": TextColumn(default=""), "economy": NumberColumn()}
REACTIONS = Task(COLUMNS, reaction_fields, reaction_collate, generates="products")
