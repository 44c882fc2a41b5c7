"""`SmilesVocab`: no text is unknown, every text comes back, frequent atoms are one token and rare ones several."""

from __future__ import annotations

import csv
import gzip
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from mrl.errors import DuplicateTokenError, TokenIdError, VocabError, VocabFileError
from mrl.text import SPECIAL_TOKENS, Coverage, RegexVocab, SmilesVocab, Unknown, Vocab, test_reconstruction
from mrl.text.io.file import VocabContent, write_vocab

UNTRAINED = SmilesVocab()
TRAINED = SmilesVocab(["[13CH3]", "%12", "[Fe+++]", "%(100)", "−", "[]", "CC"])
VOCABULARIES = {"untrained": UNTRAINED, "trained": TRAINED}
PIECES = [
    *"CNOcn123()=#$:/\\.%[]@+-~*>< \n|",
    *("[Cu++]", "[NH4+:005]", "[002H]", "[HH1]", "[As@TB15]", "[Co@OH30]", "[13CH3]", "[13", "C@@H]", "Br", "Cl", "Sc"),
    *(
        "%12",
        "%00",
        "%(100)",
        "%(",
        "->",
        "<-",
        ">>",
        "<0xE2>",
        *SPECIAL_TOKENS,
    ),
    *("é", "−", "\U0001f9ea", "\x00", "\x7f", "\x80", "\ufffd"),
]
TEXTS = st.text(max_size=20) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
ELEMENTS = [Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(1, 119)]
FORMS = ["[{}]", "[{}@]", "[{}@@]", "[{}+2]", "[{}H]", "[12{}]"]

each_vocabulary = pytest.mark.parametrize("kind", VOCABULARIES)


# --- laws --------------------------------------------------------------------------------------------------------


@each_vocabulary
@settings(deadline=None, max_examples=200)
@given(texts=st.lists(TEXTS, max_size=6))
def test_every_text_is_known_and_comes_back(kind: str, texts: list[str]) -> None:
    vocab = VOCABULARIES[kind]
    ids = vocab.encode(texts, on_unknown="raise")
    assert not (ids.values == 3).any()
    assert vocab.decode(ids) == vocab.decode_bytes(ids).tolist() == texts
    assert test_reconstruction(vocab, texts) == []
    for text, row in zip(texts, ids.tolist(), strict=True):
        tokens = vocab.tokenize(text)
        assert vocab.numericalize(tokens) == row
        assert (tokens[0], tokens[-1]) == ("bos", "eos")
        assert not {*tokens[1:-1]} & {*SPECIAL_TOKENS}
        assert (
            b"".join(vocab.token_text(token).encode(errors="surrogateescape") for token in tokens[1:-1]).decode()
            == text
        )
        assert vocab.prefixes(row)[-1] == text
    assert not vocab.unks


@settings(deadline=None, max_examples=100)
@given(texts=st.lists(TEXTS, max_size=6))
def test_a_piece_is_cut_by_the_longest_tokens(texts: list[str]) -> None:
    tokens = {TRAINED.token_text(t).encode(errors="surrogateescape"): i for i, t in enumerate(TRAINED.itos) if i > 3}
    regex = TRAINED.regex
    for text, row in zip(texts, TRAINED.encode(texts).tolist(), strict=True):
        expected, at = [], 0
        while at < len(text):
            found = regex.match(text, at)
            piece = found[0] if found else text[at]
            at += len(piece)
            rest = piece.encode()
            while rest:
                head = max((token for token in tokens if rest.startswith(token)), key=len)
                expected.append(tokens[head])
                rest = rest[len(head) :]
        assert row == [0, *expected, 1]


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(TEXTS, max_size=6), ids=st.lists(st.lists(st.integers(0, 420), max_size=12), max_size=4))
def test_growing_leaves_old_ids_readable(texts: list[str], ids: list[list[int]]) -> None:
    vocab = SmilesVocab()
    ids = [[i for i in row if i < len(vocab)] for row in ids]
    before, old = vocab.encode(texts), vocab.decode(ids)
    digest, n = vocab.fingerprint(), len(vocab)
    vocab.update_vocab_from_data(texts)
    assert vocab.decode(before) == texts
    assert vocab.decode(ids) == old
    assert vocab.decode(vocab.encode(texts)) == texts
    assert vocab.coverage(texts).cut == []
    assert vocab.accepts(n, digest)
    assert vocab.resegments


@settings(deadline=None, max_examples=100)
@given(row=st.lists(st.integers(0, len(UNTRAINED) - 1), max_size=20))
def test_bytes_that_are_not_utf8_become_replacement_characters(row: list[int]) -> None:
    assert UNTRAINED.decode([row]) == [UNTRAINED.reconstruct(row)]
    assert UNTRAINED.decode_bytes([row]).tolist() == UNTRAINED.decode([row])


# --- cases -------------------------------------------------------------------------------------------------------

TOKENS = {
    "[Cu++]": ["[", "Cu", "+", "+", "]"],
    "[Fe+++]": ["[", "Fe", "+", "+", "+", "]"],
    "[NH4+:005]": ["[", "N", "H", "4", "+", ":", "0", "0", "5", "]"],
    "[002H]": ["[", "0", "0", "2", "H", "]"],
    "[0S]": ["[", "0", "S", "]"],
    "[HH1]": ["[", "H", "H", "1", "]"],
    "F[As@TB15](Cl)(S)(Br)N": [
        *("F", "[", "As", "@TB", "1", "5", "]", "(", "Cl", ")", "(", "S", ")", "(", "Br", ")", "N")
    ],
    "[Co@OH30]": ["[", "Co", "@OH", "3", "0", "]"],
    "[C@@H]C[C@H]": ["[C@@H]", "C", "[C@H]"],
    "[13C@@H]": ["[", "1", "3", "C", "@@", "H", "]"],
    "[W]$[W]": ["[", "W", "]", "$", "[", "W", "]"],
    "C%00CCCCC%00": [*"C%00CCCCC%00"],
    "C%123": [*"C%123"],
    "C%2112": [*"C%2112"],
    "C1CCC%(100)CC%(100)": [*"C1CCC%(100)CC%(100)"],
    "[NH3]->[Pt]<-N": ["[", "N", "H", "3", "]", "->", "[", "Pt", "]", "<-", "N"],
    "C>>O": ["C", ">>", "O"],
    "C>O>N": ["C", ">", "O", ">", "N"],
    "C~[C]": ["C", "~", "[", "C", "]"],
    "c1cc[se]c1": ["c", "1", "c", "c", "[se]", "c", "1"],
    "[te][si][asH]": ["[", "te", "]", "[", "si", "]", "[", "as", "H", "]"],
    "Sc1ccccc1": ["S", "c", "1", "c", "c", "c", "c", "c", "1"],
    "[Sc]": ["[", "Sc", "]"],
    "Cn1cnc2c1": [*"Cn1cnc2c1"],
    "[Cn]": ["[", "Cn", "]"],
    "": [],
    "[]": ["[", "]"],
    "[C": ["[", "C"],
    "C]": ["C", "]"],
    "[C[O]]": ["[", "C", "[", "O", "]", "]"],
    " CC ": [" ", "C", "C", " "],
    "C |c:1|": [*"C |c:1|"],
    "C−C": ["C", "<0xE2>", "<0x88>", "<0x92>", "C"],
    "C\U0001f9ea": ["C", "<0xF0>", "<0x9F>", "<0xA7>", "<0xAA>"],
    "\U0001f9ea[NH3+]": ["<0xF0>", "<0x9F>", "<0xA7>", "<0xAA>", "[NH3+]"],
    "<pad>C": ["<", "p", "a", "d", ">", "C"],
    "<0xE2>": ["<", "0", "x", "E", "2", ">"],
    "unk": ["u", "n", "k"],
    "[UNK]": ["[", "U", "N", "K", "]"],
    "_": ["_"],
    "bos": ["b", "o", "s"],
    "[C@@H1][=Branch1][C].[nop]": [
        *("[", "C", "@@", "H", "1", "]", "[", "=", "Br", "a", "n", "c", "h", "1", "]"),
        *("[", "C", "]", ".", "[", "n", "o", "p", "]"),
    ],
    "ACGTA": [*"ACGTA"],
}


@pytest.mark.parametrize("text", TOKENS)
def test_tokens_of_hard_cases(text: str) -> None:
    assert UNTRAINED.tokenize(text)[1:-1] == TOKENS[text]
    ids = UNTRAINED.encode([text], on_unknown="raise")
    assert ids.tolist() == [[0, *(UNTRAINED.stoi[token] for token in TOKENS[text]), 1]]
    assert UNTRAINED.decode(ids) == [text]


def test_an_element_is_one_part_of_its_atom() -> None:
    for element in ELEMENTS:
        atoms = [form.format(element) for form in FORMS]
        parts = [
            ["[", element, "]"],
            ["[", element, "@", "]"],
            ["[", element, "@@", "]"],
            ["[", element, "+", "2", "]"],
            ["[", element, "H", "]"],
            ["[", "1", "2", element, "]"],
        ]
        for atom, expected in zip(atoms, parts, strict=True):
            expected = [atom] if atom in UNTRAINED.stoi else expected
            assert UNTRAINED.tokenize(f"C{atom}N")[1:-1] == ["C", *expected, "N"]
        assert UNTRAINED.decode(UNTRAINED.encode(atoms, on_unknown="raise")) == atoms


def test_what_was_learned_is_one_token() -> None:
    assert TRAINED.tokenize("[13CH3]C%12[Fe+++]%(100)−[13CH2]")[1:-1] == [
        *("[13CH3]", "C", "%12", "[Fe+++]", "%(100)", "−", "[", "1", "3", "C", "H", "2", "]")
    ]


def test_ids_0_to_259_are_the_specials_and_the_bytes() -> None:
    assert UNTRAINED.itos[:4] == SPECIAL_TOKENS
    spelled = [UNTRAINED.token_text(token).encode(errors="surrogateescape") for token in UNTRAINED.itos[4:260]]
    assert spelled == [bytes([byte]) for byte in range(256)]
    assert UNTRAINED.dtype == np.uint16
    # Kept by data and models, so that it may never change.
    assert (len(UNTRAINED), UNTRAINED.fingerprint()) == (FROZEN_SIZE, FROZEN)


FROZEN_SIZE, FROZEN = 408, "a705e0ff3ed2b14ba7ab1f516bde31a0e170f29497a9c2fa6599089843b74b9b"


@pytest.mark.parametrize(
    "text",
    [c * 1_000_000 for c in ("[", "C", "%", "(", "[C", "é", "->", "[C]")] + ["[" + "C" * 1_000_000 + "]"],
    ids=lambda t: t[:4],
)
def test_a_megabyte_comes_back(text: str) -> None:
    assert UNTRAINED.decode(UNTRAINED.encode([text], on_unknown="raise")) == [text]  # hours in quadratic time


# --- learning, files, errors -------------------------------------------------------------------------------------


def test_from_data_adds_what_is_frequent() -> None:
    texts = ["[13CH3]C%12CC%12", "[13CH3][14CH4]", "[15NH2][14CH4]", "é", "ü", "é"]
    n = len(UNTRAINED)
    assert SmilesVocab.from_data(texts).itos[n:] == ["%12", "[13CH3]", "[14CH4]", "é"]
    assert SmilesVocab.from_data(iter(texts), min_count=1).itos[n:] == [
        "%12",
        "[13CH3]",
        "[14CH4]",
        "é",
        "[15NH2]",
        "ü",
    ]
    assert SmilesVocab.from_data(texts, max_size=n + 1).itos[n:] == ["%12"]
    assert SmilesVocab.from_data(texts, max_size=10).itos == UNTRAINED.itos
    assert SmilesVocab.from_data([]) == SmilesVocab() == UNTRAINED


def test_coverage_names_pieces_that_were_cut() -> None:
    texts = ["C[Og]", "[Og]C[Ts]", "CC", "é"]
    found = UNTRAINED.coverage(texts)
    cut = [Unknown("[Og]", 2, 0, "C[Og]"), Unknown("[Ts]", 1, 1, "[Og]C[Ts]"), Unknown("é", 1, 3, "é")]
    assert found == Coverage(4, 15, 0, 0, [], cut)
    assert found.complete
    assert repr(found).startswith(
        "Coverage(all of 4 rows and 15 tokens known, cut into several tokens: '[Og]' (2, first"
    )
    assert found.to_dict()["cut"][2] == {"token": "é", "count": 1, "row": 3, "text": "é"}
    assert "cut" not in UNTRAINED.coverage(["C"]).to_dict()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        UNTRAINED.encode(texts)


def test_a_file_holds_all_tokens(tmp_path: Path) -> None:
    path = tmp_path / "vocab.json"
    TRAINED.save(path)
    loaded = Vocab.load(path)
    assert type(loaded) is SmilesVocab
    assert loaded == TRAINED
    assert loaded.fingerprint() == TRAINED.fingerprint()
    assert loaded.encode(["[13CH3]é−"]) == TRAINED.encode(["[13CH3]é−"])
    other = pickle.loads(pickle.dumps(TRAINED))
    assert (other, other.encode(["é"])) == (TRAINED, TRAINED.encode(["é"]))
    rules = {"pattern": "C"}  # an older or newer pattern is that of the file
    write_vocab(path, VocabContent("smiles", rules, TRAINED.itos[4:300]))
    assert Vocab.load(path).tokenize("[nH]−")[1:-1] == ["[", "n", "H", "]", "<0xE2>", "<0x88>", "<0x92>"]
    write_vocab(path, VocabContent("smiles", rules, TRAINED.itos[5:300]))
    with pytest.raises(VocabFileError, match="the 256 bytes"):
        Vocab.load(path)


def test_invalid_tokens_and_ids() -> None:
    for again in ("C", "[nH]", "<0xE2>"):
        with pytest.raises(DuplicateTokenError, match="twice"):
            SmilesVocab([again])
    with pytest.raises(VocabError, match="surrogate"):
        SmilesVocab(["\udce2"])
    with pytest.raises(TokenIdError):
        UNTRAINED.decode([[4, len(UNTRAINED)]])


def test_the_methods_of_a_subclass_are_used() -> None:
    class Upper(SmilesVocab):
        def tokenize(self, smile: str) -> list[str]:
            return super().tokenize(smile.upper())

    vocab = Upper(["[SI]"])
    assert vocab.decode(vocab.encode(["c[si]é"])) == ["C[SI]É"]
    assert vocab.engine == "python"


# --- real data ---------------------------------------------------------------------------------------------------

DATA = Path(os.environ.get("MRL_DATA", "no such folder"))


@pytest.mark.skipif(not DATA.is_dir(), reason="MRL_DATA names no folder")
@pytest.mark.parametrize("name", ["smiles.csv", "muv.csv.gz", "qm9.csv.gz", "tox21.csv.gz", "esol.csv", "lipo.csv"])
def test_real_molecules_come_back(name: str) -> None:
    with (gzip.open if name.endswith("gz") else open)(DATA / name, "rt", encoding="utf-8") as file:
        table = csv.DictReader(file)
        column = next(field for field in table.fieldnames or [] if field.lower() == "smiles")
        smiles = [row[column] for row in table][:20_000]
    trained, learned = SmilesVocab.from_data(smiles), RegexVocab([], UNTRAINED.pattern)
    learned.update_vocab_from_data(smiles)
    for vocab in (UNTRAINED, trained, learned):
        ids = vocab.encode(smiles, on_unknown="raise")
        assert vocab.decode(ids) == smiles
    assert (trained.encode(smiles).lengths <= UNTRAINED.encode(smiles).lengths).all()
    assert UNTRAINED.encode(smiles).values.size < 1.1 * learned.encode(smiles).values.size
