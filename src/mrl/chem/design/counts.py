"""Fingerprints with counts as bits, so that the fast comparison of bits compares counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from mrl.chem.design.measures import atom_counts, sparse_counts
from mrl.chem.molecule import Molecule, to_mol

_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)
_ELEMENTS = ("C", "H", "N", "O", "S", "F", "Cl", "Br", "P")


def count_bits(x: Molecule, fingerprint: str = "ecfp4", n_bits: int = 2048) -> NDArray[np.uint64]:
    """Return a fingerprint with counts as bits: one for the first occurrence of a feature, another for its second, ...

    The Tanimoto coefficient of such bits is that of the counts, but for features that share a bit.

    Parameters
    ----------
    x : str or Mol
    fingerprint : str
        A kind that counts, see `SimilarityTo`.
    n_bits : int
        A multiple of 64.

    Returns
    -------
    ndarray of uint64, shape (n_bits / 64,)

    Raises
    ------
    MoleculeError
        `x` is not a molecule (see `to_mol`).

    Examples
    --------
    >>> from mrl.chem import SimilarityTo, tanimoto
    >>> a, b = count_bits("CCCC"), count_bits("CCCCCC")
    >>> tanimoto(a[None], b[None]).round(3), round(SimilarityTo("CCCC")("CCCCCC"), 3)
    (array([[0.471]]), 0.471)
    """
    counts = sparse_counts(to_mol(x), fingerprint)
    keys = np.fromiter(counts.keys(), np.int64, len(counts)).view(np.uint64)
    n = np.fromiter(counts.values(), np.int64, len(counts))
    starts = np.repeat(np.cumsum(n) - n, n)
    nth = (np.arange(n.sum()) - starts).astype(np.uint64)
    mixed = np.repeat(keys, n) * _MULTIPLIERS[0] + (nth + np.uint64(1)) * _MULTIPLIERS[1]  # wraps around, as a hash may
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MULTIPLIERS[0]
    bits = np.zeros(n_bits, np.uint8)
    bits[(mixed >> np.uint64(32)) % np.uint64(n_bits)] = 1
    return np.packbits(bits, bitorder="little").view(np.uint64)


def profile(x: Molecule) -> NDArray[np.float64]:
    """Return numbers that describe a molecule as a whole: logP, TPSA, rings, aromatic rings, atoms of each element.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    ndarray of float64, shape (13,)

    Raises
    ------
    MoleculeError
        `x` is not a molecule (see `to_mol`).

    Examples
    --------
    >>> profile("CCO")[2:].astype(int)
    array([0, 0, 2, 6, 0, 1, 0, 0, 0, 0, 0])
    """
    mol: Chem.Mol = to_mol(x)
    elements = atom_counts(mol)
    numbers = (
        rdMolDescriptors.CalcCrippenDescriptors(mol)[0],
        rdMolDescriptors.CalcTPSA(mol),
        rdMolDescriptors.CalcNumRings(mol),
        rdMolDescriptors.CalcNumAromaticRings(mol),
        *(elements[symbol] for symbol in _ELEMENTS),
    )
    return np.array(numbers, np.float64)
