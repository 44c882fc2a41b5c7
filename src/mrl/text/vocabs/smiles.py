"""`SmilesVocab`: tokens for SMILES with byte fallback, so that no text is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Self

from mrl.arguments import require_integer
from mrl.errors import VocabError
from mrl.ragged import as_text
from mrl.text.compile.segmentation import Segmentation
from mrl.text.constants import SMILES_PATTERN
from mrl.text.learning.counting import map_blocks
from mrl.text.learning.sampling import TextSample
from mrl.text.vocabs.regex import RegexVocab
from mrl.text.vocabs.spans import valid_text

_BYTES = [chr(byte) if byte < 0x80 else f"<0x{byte:02X}>" for byte in range(256)]
_BYTE_TEXTS = {name: chr(0xDC00 + byte) for byte, name in enumerate(_BYTES) if byte >= 0x80}  # as of surrogateescape
# Tokens of several characters: parts of bracket atoms, and everything else that the pattern keeps whole.
_ELEMENTS = (
    "He Li Be Ne Na Mg Al Si Cl Ar Ca Sc Ti Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Zr Nb Mo Tc Ru Rh Pd Ag Cd In "
    "Sn Sb Te Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac "
    "Th Pa Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
_AROMATIC = "si as se te"
_CHIRALITY = "@@ @TH @AL @SP @TB @OH"
_ARROWS = "-> <- >>"
_ATOMS = (
    "[nH] [C@H] [C@@H] [C@] [C@@] [O-] [N+] [n+] [NH+] [NH2+] [NH3+] [nH+] [N-] [n-] [S-] [C-] [CH-] [cH-] [S+] [s+] "
    "[P+] [B-] [S@] [S@@] [PH] [H] [2H] [Si] [Se] [se] [*]"
)
_LONGER = " ".join([_ELEMENTS, _AROMATIC, _CHIRALITY, _ARROWS, _ATOMS]).split()


class SmilesVocab(RegexVocab):
    r"""SMILES with byte fallback: no text is unknown, nothing is lost, and frequent atoms are one token each.

    Text is cut into bracket atoms, ``Br``, ``Cl``, ring numbers, arrows, and single characters. A piece that is not a
    token is cut again, from left to right into the longest tokens that fit: a rare bracket atom becomes its parts
    (``[``, isotope digits, element, chirality, ``H``, charge, map number, ``]``), any other text its UTF-8 bytes.

    The ids 4 to 259 are the 256 bytes: ASCII characters, and ``<0x80>`` to ``<0xFF>``; then come the elements and other
    parts of atoms, frequent atoms, and the `atoms` that are given or learned. A new atom is one token where it was
    several before; ids that were written earlier are read as before.

    Parameters
    ----------
    atoms : iterable of str
        Further tokens, in the order of their ids: bracket atoms, ring numbers.
    control : iterable of str
        The names of control tokens; see `Vocab.add_control`.

    Examples
    --------
    >>> vocab = SmilesVocab()
    >>> vocab.tokenize("C[C@H](Cl)[13CH3]")[1:-1]
    ['C', '[C@H]', '(', 'Cl', ')', '[', '1', '3', 'C', 'H', '3', ']']
    >>> SmilesVocab(["[13CH3]"]).tokenize("C[13CH3]é")[1:-1]
    ['C', '[13CH3]', '<0xC3>', '<0xA9>']
    >>> vocab.decode(vocab.encode(["[Og@OH30]", "C−C", "not a SMILES"]))
    ['[Og@OH30]', 'C−C', 'not a SMILES']
    """

    kind = "smiles"
    segmentation = Segmentation(texts=_BYTE_TEXTS, byte_fallback=True)

    def __init__(self, atoms: Iterable[str] = (), *, control: Iterable[str] = ()) -> None:
        super().__init__([*_BYTES, *_LONGER, *atoms], SMILES_PATTERN, control=control)

    @classmethod
    def from_data(
        cls,
        smiles: Any,
        *,
        min_count: int = 2,
        max_size: int | None = None,
        merges: int = 0,
        control: Iterable[str] = (),
    ) -> Self:
        """Return a vocabulary in which every piece that is frequent in some texts is one token.

        Parameters
        ----------
        smiles : column or iterator of str
            Texts, any number.
        min_count : int
            Rarer pieces stay cut into their parts.
        max_size : int, optional
            The most tokens that the vocabulary has, special tokens included.
        merges : int
            The number of tokens of several pieces to learn after these; see `Vocab.learn_merges`.
        control : iterable of str
            The names of control tokens, in front of the learned ones; see `Vocab.add_control`.

        Returns
        -------
        SmilesVocab

        Raises
        ------
        RowError
            A row is not a string.
        ValueError
            `merges` is not an integer of 0 or more.

        Examples
        --------
        >>> SmilesVocab.from_data(["C[13CH3]", "[13CH3]N", "[14CH4]"]).itos[-2:]
        ['[*]', '[13CH3]']
        >>> SmilesVocab.from_data(["CC(=O)N", "CC(=O)O"], merges=2).itos[-2:]
        ['(=', '(=O']
        """
        vocab = cls(control=control)
        if not require_integer("merges", merges, 0):
            vocab.update_vocab_from_data(smiles, min_count=min_count, max_size=max_size)
            return vocab
        counts: Counter[str] = Counter()
        sample = TextSample()
        for block in map_blocks(as_text, smiles):  # an iterator is read once
            counts += vocab.count_tokens(block)
            sample.add(block)
        vocab.update_from_counts(counts, min_count=min_count, max_size=max_size)
        most = merges if max_size is None else min(merges, max(max_size - len(vocab), 0))
        vocab.learn_merges(sample, most, min_count=min_count)
        return vocab

    def tokenize(self, smile: str) -> list[str]:
        """Return the tokens of `smile`, all of them known, with ``bos`` in front and ``eos`` at the end."""
        engine = self._compile()
        pieces = engine.pieces(valid_text(smile))
        return ["bos", *(self.itos[i] for piece in pieces for i in engine.piece_ids(piece)), "eos"]

    @classmethod
    def _restored(cls, tokens: list[str], rules: dict[str, Any], transforms: Mapping[str, Any]) -> Self:
        if tokens[:256] != _BYTES:
            raise VocabError("its first tokens are not the 256 bytes, which byte fallback needs")
        vocab = cls.__new__(cls)
        RegexVocab.__init__(vocab, tokens, **rules)
        return vocab
