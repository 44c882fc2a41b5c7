"""SELFIES (Krenn et al. 2020, doi:10.1088/2632-2153/aba947): their vocabulary, and conversion to and from SMILES."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Iterable
from typing import Any

from mrl.errors import MoleculeError
from mrl.text.compile.segmentation import Segmentation
from mrl.text.vocabs.regex import RegexVocab

_SYMBOLS = r"\[[^\[\]]*]|\."
_GRAMMAR = "SELFIES, which consist of symbols in brackets and dots; smiles_to_selfies converts SMILES"


def smiles_to_selfies(smiles: str) -> str:
    """Return the SELFIES of the molecule `smiles`; converted back, it is another SMILES of the molecule.

    Raises
    ------
    MoleculeError
        It cannot be written as SELFIES.
    ImportError
        The package ``selfies`` is not installed (``pip install "mrl[selfies]"``).

    Examples
    --------
    >>> smiles_to_selfies("C=O")
    '[C][=O]'
    """
    return _converted("encoder", smiles)


def selfies_to_smiles(selfies: str) -> str:
    """Return a SMILES of the molecule `selfies`.

    Raises
    ------
    MoleculeError
        The text is not SELFIES.
    ImportError
        The package ``selfies`` is not installed (``pip install "mrl[selfies]"``).

    Examples
    --------
    >>> selfies_to_smiles("[C][=O]")
    'C=O'
    """
    return _converted("decoder", selfies)


def _converted(function: str, text: str) -> str:
    try:
        package = importlib.import_module("selfies")  # optional, and not needed to read SELFIES
    except ImportError:
        raise ImportError('to convert SELFIES, install its package: pip install "mrl[selfies]"') from None
    try:
        converted: str = getattr(package, function)(text)
    except (package.EncoderError, package.DecoderError) as error:
        reason = " ".join(str(error).split())
        raise MoleculeError(f"{text!r} cannot be converted by selfies: {reason}", text=text, reason=reason) from None
    return converted


def _installed_version() -> str | None:
    """Return the version of the package ``selfies``, None if it is not installed."""
    try:
        return importlib.metadata.version("selfies")
    except importlib.metadata.PackageNotFoundError:
        return None


class SelfiesVocab(RegexVocab):
    r"""Tokens are the symbols of SELFIES; a text that is not SELFIES is an error, with the position.

    Nothing is converted here: `smiles_to_selfies` converts SMILES, or ``TransformedVocab(SelfiesVocab(), ["selfies"])``
    takes and returns SMILES.

    Parameters
    ----------
    itos : iterable of str
        The symbols, in the order of their ids.
    version : str or None
        The version of the package ``selfies`` that the symbols come from, which files keep; by default the installed
        one, None if it is not installed.
    control : iterable of str
        The names of control tokens; see `Vocab.add_control`.

    Raises
    ------
    VocabError
        A token is not a symbol of SELFIES.

    Examples
    --------
    >>> vocab = SelfiesVocab(["[C]", "[=Branch1]", "[nop]", "."])
    >>> vocab.tokenize("[C][=Branch1][C].[nop]")[1:-1]
    ['[C]', '[=Branch1]', '[C]', '.', '[nop]']
    >>> SelfiesVocab(version="2.1.2").rules()
    {'version': '2.1.2'}
    """

    kind = "selfies"
    segmentation = Segmentation(grammar=_GRAMMAR)

    def __init__(
        self, itos: Iterable[str] = (), version: str | None = "installed", *, control: Iterable[str] = ()
    ) -> None:
        super().__init__(itos, _SYMBOLS, control=control)
        self.version = _installed_version() if version == "installed" else version

    def rules(self) -> dict[str, Any]:
        """Return the version of ``selfies``."""
        return {"version": self.version}
