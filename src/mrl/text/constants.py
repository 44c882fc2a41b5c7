"""The notebook's constants, character by character, and clean patterns."""

from __future__ import annotations

SMILES_CHAR_VOCAB = list("#()+-/012345678=@BCFHINOPS[\\]cilnors*:")
"""38 characters that cover most drug-like SMILES."""

SPECIAL_TOKENS = ["bos", "eos", "pad", "unk"]
"""Beginning and end of a text, padding, unknown token: the ids BOS, EOS, PAD and UNK of every vocabulary."""

UNKNOWN = "\ufffd"
"""The text of an unknown token: a character that no molecule contains."""

MAPPING_TOKENS = [f"[{isotope}*:{number}]" for number in range(1, 6) for isotope in (1, 2)]
"""Attachment points ``[1*:1]`` to ``[2*:5]``."""

HALOGEN_REPLACE = {"Br": "R", "Cl": "L"}
"""Two-letter halogens as one character each."""

MAPPING_REPLACE = dict(zip(MAPPING_TOKENS, "ADEGJMQTUV", strict=True))
"""Attachment points as one character each."""

# Both patterns have an alternative that matches only a line break, blanks and a '#', because the notebook broke the
# literal over two lines. It is kept, because the constants are a contract; the patterns below do not have it.
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

# These patterns list only what is longer than a character, since everything else is cut by character anyway.
SMILES_PATTERN = r"\[[^\[\]]+]|Br|Cl|%[0-9]{2}|%\([0-9]+\)|->|<-|>>"
"""Clean: bracket atoms, two-letter organic atoms, ring numbers, dative bonds and the arrow of reactions stay whole."""

MAPPING_PATTERN = r"\[[0-9]*\*(?::[0-9]+)?]|Br|Cl|%[0-9]{2}|%\([0-9]+\)"
"""Clean: attachment points with any isotope and map number (``[10*:1]``, ``[*]``), halogens, ring numbers are whole."""
