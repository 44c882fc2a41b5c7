"""Functions applied before a text is cut and after it is spelled again, known by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mrl.errors import VocabError
from mrl.text.selfies import selfies_to_smiles, smiles_to_selfies

__all__ = ["Transform", "find_transform", "register_transform"]


class Transform(NamedTuple):
    """A function of a text, and the one that undoes it."""

    function: Callable[[str], str]
    inverse: Callable[[str], str]


_registered = {"selfies": Transform(smiles_to_selfies, selfies_to_smiles)}


def register_transform(name: str, function: Callable[[str], str], inverse: Callable[[str], str]) -> None:
    """Give a pair of functions a name, by which vocabulary files refer to it; ``"selfies"`` is there already.

    Parameters
    ----------
    name : str
        The name.
    function : callable
        Text to text, applied before a text is cut into tokens.
    inverse : callable
        Text to text, applied to the text that tokens spell.

    Raises
    ------
    VocabError
        If other functions have that name.

    Examples
    --------
    >>> register_transform("upside down", lambda text: text[::-1], lambda text: text[::-1])
    """
    made = Transform(function, inverse)
    if _registered.setdefault(name, made) != made:
        raise VocabError(f"there is another transform {name!r}, which files may refer to; choose another name")


def find_transform(name: str, more: Mapping[str, Transform]) -> Transform:
    """The transform of that name, in `more` or else registered."""
    found = more.get(name) or _registered.get(name)
    if found is None:
        raise VocabError(
            f"no transform {name!r} is registered (there are: {', '.join(sorted({*_registered, *more}))}); call "
            f"register_transform({name!r}, function, inverse) first, or give transforms={{{name!r}: (function, "
            "inverse)} where the vocabulary is made or loaded"
        )
    return Transform(*found)
