"""Texts that tokenizers are known to change, case by case: each comes back byte for byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rdkit import Chem

from mrl.text import (
    HALOGEN_REPLACE,
    MAPPING_PATTERN,
    MAPPING_REGEX,
    MAPPING_REPLACE,
    MAPPING_TOKENS,
    SMILE_REGEX,
    SMILES_CHAR_VOCAB,
    SMILES_PATTERN,
    CharacterReplaceVocab,
    CharacterVocab,
    RegexVocab,
    Vocab,
)

VOCABULARIES: dict[str, Callable[[], Vocab]] = {
    "character": lambda: CharacterVocab(SMILES_CHAR_VOCAB),
    "halogens": lambda: CharacterReplaceVocab(SMILES_CHAR_VOCAB, HALOGEN_REPLACE),
    "mapping": lambda: CharacterReplaceVocab(SMILES_CHAR_VOCAB, MAPPING_REPLACE),
    "smile regex": lambda: RegexVocab(SMILES_CHAR_VOCAB, SMILE_REGEX),
    "mapping regex": lambda: RegexVocab(SMILES_CHAR_VOCAB, MAPPING_REGEX),
    "smiles pattern": lambda: RegexVocab(SMILES_CHAR_VOCAB, SMILES_PATTERN),
    "mapping pattern": lambda: RegexVocab(SMILES_CHAR_VOCAB, MAPPING_PATTERN),
}
CASES = {
    "charge by repeated signs": "[Cu++]",
    "three signs": "[Fe+++]",
    "map number with leading zeros": "[NH4+:005]",
    "isotope with leading zeros": "[002H]",
    "isotope zero": "[0S]",
    "one hydrogen written as H1": "[HH1]",
    "trigonal bipyramidal centre": "F[As@TB15](Cl)(S)(Br)N",
    "octahedral centre": "[Co@OH30]",
    "quadruple bond": "[W]$[W]",
    "ring zero with two digits": "C%00CCCCC%00",
    "a digit after a two-digit ring": "C%123",
    "two digits after a two-digit ring": "C%2112",
    "three-digit ring": "C1CCC%(100)CC%(100)",
    "dative bond": "[NH3]->[Pt]",
    "dative bond to the left": "N<-[Pt]",
    "reaction": "CCO>>CC=O",
    "reaction with agents": "CCO>[Pt]>CC=O",
    "any bond": "C~[C]",
    "aromatic selenium": "c1cc[se]c1",
    "aromatic tellurium": "c1cc[te]c1",
    "aromatic silicon": "c1cc[si]cc1",
    "aromatic arsenic": "c1cc[asH]c1",
    "sulphur in front of an aromatic ring": "Sc1ccccc1",
    "scandium": "[Sc]",
    "caffeine": "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "copernicium": "[Cn]",
    "aluminium without brackets": "CAlC",
    "carbon and nitrogen that spell cobalt": "[Co]CoC",
    "nothing": "",
    "empty brackets": "[]",
    "bracket never closed": "[C",
    "bracket never opened": "C]",
    "bracket in a bracket": "[C[O]]",
    "leading blank": " CC",
    "trailing blank": "CC ",
    "line ends": "CC\r\n",
    "tabulator and name": "CC\tethane",
    "CXSMILES tail": "CC |c:1|",
    "minus sign that is not a hyphen": "C\u2212C",
    "emoji": "C\U0001f9eaC",
    "emoji before a bracket": "\U0001f9ea[NH3+]",
    "letter and combining accent": "Ce\u0301",
    "zero byte": "C\x00C",
    "replacement character": "C\ufffdC",
    "padding in angle brackets": "<pad>C",
    "the name of a special": "unk",
    "a special in brackets": "[UNK]",
    "underscore": "_",
    "begin": "bos",
    "all specials": "boseospadunk",
    "special between atoms": "CeosC",
    "the unused alternative": "C\n" + " " * 17 + "#N",
    "the other unused alternative": "C\n" + " " * 20 + "#N",
    "replacement characters": "RLADEGJMQTUV",
    "backslash in front of a replacement character": "C\\R\\\\L",
    "ruthenium, lithium, bromine": "[Ru][Li]Br[Br]BrCl",
    "attachment points": "".join(MAPPING_TOKENS) + "[10*:1][1*:10][*:1][*]",
    "bond directions": r"F/C=C\F",
    "SELFIES": "[C@@H1][=Branch1][C].[nop]",
    "DNA": "ACGTA",
}
ELEMENTS = [Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(1, 119)]
FORMS = ["[{}]", "[{}@]", "[{}@@]", "[{}+2]", "[{}H]", "[12{}]"]

each_vocabulary = pytest.mark.parametrize("kind", VOCABULARIES)


@each_vocabulary
@pytest.mark.parametrize("case", CASES)
def test_every_case_comes_back(kind: str, case: str) -> None:
    vocab, text = VOCABULARIES[kind](), CASES[case]
    tokens = vocab.tokenize(text)
    assert "".join(map(vocab.token_text, tokens[1:-1])) == text
    vocab.update_vocab_from_data([text])
    assert vocab.reconstruct(vocab.numericalize(tokens)) == text


@each_vocabulary
def test_all_cases_and_all_elements_come_back_together(kind: str) -> None:
    assert len(ELEMENTS) == 118
    texts = [*CASES.values(), *(form.format(element) for element in ELEMENTS for form in FORMS), *ELEMENTS]
    vocab = VOCABULARIES[kind]()
    before = vocab.coverage(texts)
    vocab.update_vocab_from_data(texts)
    ids = vocab.encode(texts, on_unknown="raise")
    assert vocab.decode(ids) == texts
    assert ids.tolist() == [vocab.numericalize(vocab.tokenize(text)) for text in texts]
    assert not before.complete
    assert vocab.coverage(texts).complete


def test_bracket_atoms_are_one_token() -> None:
    for vocab in (VOCABULARIES["smile regex"](), VOCABULARIES["smiles pattern"]()):
        for element in ELEMENTS:
            for form in FORMS:
                atom = form.format(element)
                assert vocab.tokenize(f"C{atom}N")[1:-1] == ["C", atom, "N"]


TOKENS = {
    "[Cu++]": ["[Cu++]"],
    "[NH4+:005]": ["[NH4+:005]"],
    "F[As@TB15](Cl)N": ["F", "[As@TB15]", "(", "Cl", ")", "N"],
    "[Co@OH30]": ["[Co@OH30]"],
    "C$C": ["C", "$", "C"],
    "C%123": ["C", "%12", "3"],
    "C%2112": ["C", "%21", "1", "2"],
    "N->[Pt]": ["N", "-", ">", "[Pt]"],
    "N<-[Pt]": ["N", "<", "-", "[Pt]"],
    "C>>C~C": ["C", ">", ">", "C", "~", "C"],
    "c1cc[se]c1": ["c", "1", "c", "c", "[se]", "c", "1"],
    "Sc1": ["S", "c", "1"],
    "[Sc]": ["[Sc]"],
    "Cn1[Cn]": ["C", "n", "1", "[Cn]"],
    "[]": ["[", "]"],
    "[C": ["[", "C"],
    "C]": ["C", "]"],
    "[C[O]]": ["[C[O]", "]"],
    " C |c:1|": [" ", "C", " ", "|", "c", ":", "1", "|"],
    "C\u2212C": ["C", "\u2212", "C"],
    "C\U0001f9ea": ["C", "\U0001f9ea"],
    "<pad>C": ["<", "p", "a", "d", ">", "C"],
    "unk": ["u", "n", "k"],
    "[UNK]": ["[UNK]"],
    "CeosC": ["C", "e", "o", "s", "C"],
}


@pytest.mark.parametrize("text", TOKENS)
def test_tokens_of_the_smile_regex(text: str) -> None:
    assert VOCABULARIES["smile regex"]().tokenize(text) == ["bos", *TOKENS[text], "eos"]


def test_tokens_of_the_smiles_pattern() -> None:
    vocab = VOCABULARIES["smiles pattern"]()
    assert vocab.tokenize("C1CC%(100)")[1:-1] == ["C", "1", "C", "C", "%(100)"]
    assert vocab.tokenize("C%123N->[Pt]<-N")[1:-1] == ["C", "%12", "3", "N", "->", "[Pt]", "<-", "N"]
    assert vocab.tokenize("Brc1>>[C[O]]")[1:-1] == ["Br", "c", "1", ">>", "[", "C", "[O]", "]"]


def test_tokens_of_the_mapping_pattern() -> None:
    vocab = VOCABULARIES["mapping pattern"]()
    assert vocab.tokenize("C1CC%(100)")[1:-1] == ["C", "1", "C", "C", "%(100)"]
    assert vocab.tokenize("[10*:2]C[Na+]%12Cl")[1:-1] == ["[10*:2]", "C", "[", "N", "a", "+", "]", "%12", "Cl"]


@pytest.mark.parametrize("text", ["C\u2212C", "C\U0001f9eaC"])
@each_vocabulary
def test_a_character_that_no_molecule_has_is_one_unknown_token(kind: str, text: str) -> None:
    vocab = VOCABULARIES[kind]()
    assert vocab.encode([text], on_unknown="unk")[0].tolist() == [0, vocab.stoi["C"], 3, vocab.stoi["C"], 1]
    assert vocab.coverage([text]).unknown == [(text[1], 1, 0, text)]


@each_vocabulary
@pytest.mark.parametrize("character", "[C%(")
def test_a_megabyte_of_one_character_comes_back(kind: str, character: str) -> None:
    vocab = VOCABULARIES[kind]()
    vocab.update_vocab_from_data([character])
    text = character * 1_000_000  # it would take hours in quadratic time
    assert vocab.decode(vocab.encode([text], on_unknown="raise")) == [text]
