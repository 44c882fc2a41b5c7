"""The notebook's constants, character by character."""

from __future__ import annotations

__all__ = [
    "ATTACHMENT_REGEX",
    "HALOGEN_REPLACE",
    "MAPPING_REGEX",
    "MAPPING_REPLACE",
    "MAPPING_TOKENS",
    "SMILES_CHAR_VOCAB",
    "SMILE_REGEX",
    "SPECIAL_TOKENS",
]

SMILES_CHAR_VOCAB = list("#()+-/012345678=@BCFHINOPS[\\]cilnors*:")
"""38 characters that cover most drug-like SMILES."""

SPECIAL_TOKENS = ["bos", "eos", "pad", "unk"]
"""Begin, end, padding, unknown: the ids 0 to 3 of every vocabulary."""

MAPPING_TOKENS = [f"[{isotope}*:{number}]" for number in range(1, 6) for isotope in (1, 2)]
"""Attachment points ``[1*:1]`` to ``[2*:5]``."""

HALOGEN_REPLACE = {"Br": "R", "Cl": "L"}
"""Two-letter halogens as one character each."""

MAPPING_REPLACE = dict(zip(MAPPING_TOKENS, "ADEGJMQTUV", strict=True))
"""Attachment points as one character each."""

# Both patterns hold an alternative that can match only a line break, blanks and a '#': the notebook broke the literal
# over two lines. It is kept, because the constants are a contract; patterns of our own do not have it.
SMILE_REGEX = (
    r"(\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|H|\(|\)|\.|=|"
    + ("\n" + " " * 17)
    + r"#|-|\+|\\|\/|:|~|@|\?|>|#|\*|\$|\%[0-9]{2}|[0-9])"
)
"""Bracket atoms, ``Br``, ``Cl`` and ``%nn`` whole, everything else by character (after Schwaller et al. 2019,
doi:10.1021/acscentsci.9b00576)."""

MAPPING_REGEX = (
    r"(\[.\*:.]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|H|\[|\]|\(|\)|\.|=|"
    + ("\n" + " " * 20)
    + r"#|-|\+|\\|\/|:|~|@|\?|>|#|\*|\$|\%[0-9]{2}|[0-9])"
)
"""Like `SMILE_REGEX`, but of the brackets only one-digit attachment points ``[1*:1]`` stay whole."""

ATTACHMENT_REGEX = r"\[[0-9]*\*(?::[0-9]+)?]|Br|Cl|%[0-9]{2}|%\([0-9]+\)"
"""Our own: attachment points with any isotope and map number (``[10*:1]``, ``[*]``), halogens and ring numbers whole.

It names only what is longer than a character, since everything else goes by character anyway."""
