"""SELFIES (Krenn et al. 2020, doi:10.1088/2632-2153/aba947): conversion to and from SMILES, on request."""

from __future__ import annotations

import importlib
import importlib.metadata

from mrl.errors import MoleculeError

__all__ = ["installed_version", "selfies_to_smiles", "smiles_to_selfies"]


def smiles_to_selfies(smiles: str) -> str:
    """Convert a SMILES to SELFIES, with the package ``selfies``; the way back gives another SMILES of the molecule.

    Parameters
    ----------
    smiles : str
        A molecule.

    Returns
    -------
    str

    Raises
    ------
    MoleculeError
        If it cannot be written as SELFIES.
    ImportError
        If ``selfies`` is not installed (``pip install "mrl[selfies]"``).

    Examples
    --------
    >>> smiles_to_selfies("C=O")  # doctest: +SKIP
    '[C][=O]'
    """
    return _converted("encoder", smiles)


def selfies_to_smiles(selfies: str) -> str:
    """Convert SELFIES to a SMILES, with the package ``selfies``.

    Parameters
    ----------
    selfies : str
        Symbols.

    Returns
    -------
    str

    Raises
    ------
    MoleculeError
        If these are no SELFIES.
    ImportError
        If ``selfies`` is not installed (``pip install "mrl[selfies]"``).

    Examples
    --------
    >>> selfies_to_smiles("[C][=O]")  # doctest: +SKIP
    'C=O'
    """
    return _converted("decoder", selfies)


def _converted(way: str, text: str) -> str:
    try:
        package = importlib.import_module("selfies")  # optional, and not needed to read SELFIES
    except ImportError:
        raise ImportError('to convert SELFIES, install the package for it: pip install "mrl[selfies]"') from None
    try:
        converted: str = getattr(package, way)(text)
    except (package.EncoderError, package.DecoderError) as error:
        reason = " ".join(str(error).split())
        raise MoleculeError(f"{text!r} cannot be converted by selfies: {reason}", text=text, reason=reason) from None
    return converted


def installed_version() -> str | None:
    """The version of the package ``selfies``, None where it is not installed."""
    try:
        return importlib.metadata.version("selfies")
    except importlib.metadata.PackageNotFoundError:
        return None
