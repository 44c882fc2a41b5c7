"""Proteins, nucleic acids, k-mers, SELFIES, and vocabularies with named transforms."""

from __future__ import annotations

import csv
import importlib.metadata
import os
import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import MoleculeError, RowError, UnknownTokenError, VocabError, VocabFileError
from mrl.text import (
    AminoAcidVocab,
    CharacterVocab,
    KmerVocab,
    NucleotideVocab,
    RegexVocab,
    SelfiesVocab,
    SmilesVocab,
    TransformedVocab,
    Vocab,
    register_transform,
    selfies_to_smiles,
    smiles_to_selfies,
)
from mrl.text.io.file import VocabContent, write_vocab

VOCABULARIES: dict[str, Callable[[], Vocab]] = {
    "amino acids": AminoAcidVocab,
    "nucleotides": NucleotideVocab,
    "3-mers": lambda: KmerVocab(3),
    "1-mers": lambda: KmerVocab(1, 1),
    "2-mers of odd letters": lambda: KmerVocab(2, alphabet="]^-\\"),
    "3-mers at each letter": lambda: KmerVocab(3, 1),
    "4-mers at every third letter": lambda: KmerVocab(4, 3),
}
TEXTS = st.text(max_size=20) | st.text("ACGTUN]^-\\ é", max_size=20)
DATA = Path(os.environ.get("MRL_DATA", "no such folder"))

laws = settings(deadline=None, max_examples=60)
each_vocabulary = pytest.mark.parametrize("kind", VOCABULARIES)


def text_of(vocab: Vocab, tokens: list[str]) -> str:
    """The text of tokens, of words that overlap without the letters that the one before has."""
    text = ""
    for i, token in enumerate(tokens):
        both = isinstance(vocab, KmerVocab) and i > 0 and {*token, *tokens[i - 1]} <= set(vocab.alphabet)
        text += token[vocab.k - vocab.stride if isinstance(vocab, KmerVocab) and both else 0 :]
    return text


@each_vocabulary
@laws
@given(texts=st.lists(TEXTS, max_size=6))
def test_what_was_learned_comes_back(kind: str, texts: list[str]) -> None:
    vocab = VOCABULARIES[kind]()
    ids = vocab.encode(texts, on_unknown="unk")
    assert ids.tolist() == [[vocab.stoi.get(token, 3) for token in vocab.tokenize(text)] for text in texts]
    assert all(text_of(vocab, vocab.tokenize(text)[1:-1]) == text for text in texts)
    vocab.update_vocab_from_data(texts)
    ids = vocab.encode(texts, on_unknown="raise")
    assert vocab.decode(ids) == vocab.decode_bytes(ids).tolist() == texts
    assert ids.tolist() == [vocab.numericalize(vocab.tokenize(text)) for text in texts]


@each_vocabulary
def test_saved_loaded_pickled(kind: str, tmp_path: Path) -> None:
    for learned in ([], ["C!?"]):
        vocab = VOCABULARIES[kind]()
        vocab.update_vocab_from_data(learned)
        vocab.save(tmp_path / "vocab.json")
        for other in (Vocab.load(tmp_path / "vocab.json"), pickle.loads(pickle.dumps(vocab))):
            assert type(other) is type(vocab)
            assert other == vocab
            assert other.fingerprint() == vocab.fingerprint()
            assert other.tokenize("ACGTACG") == vocab.tokenize("ACGTACG")
        assert vocab.engine == "table"


def test_letters() -> None:
    assert AminoAcidVocab().coverage(["ACDEFGHIKLMNPQRSTVWY", "UOBJXZ-*"]).complete
    assert NucleotideVocab().coverage(["ACGTU", "RYSWKMBDHVN-"]).complete
    assert len(AminoAcidVocab("AC")) == 6
    assert [u.token for u in NucleotideVocab().coverage(["acGT"]).unknown] == ["a", "c"]


def test_k_mers() -> None:
    vocab = KmerVocab(3, 3)
    assert vocab.itos[4:7] == ["AAA", "AAC", "AAG"]
    assert vocab.itos[68:70] == ["AA", "AC"]
    assert vocab.itos[-1] == "T"
    assert vocab.tokenize("")[1:-1] == []
    assert vocab.tokenize("ACGTA")[1:-1] == ["ACG", "TA"]
    assert vocab.tokenize("AC")[1:-1] == ["AC"]
    assert vocab.tokenize("ACNGTACg")[1:-1] == ["AC", "N", "GTA", "C", "g"]
    assert vocab.decode(vocab.encode(["ACGTA", "", "ACGT"], on_unknown="raise")) == ["ACGTA", "", "ACGT"]
    assert KmerVocab(2, alphabet="ACGTN").tokenize("ANGTC")[1:-1] == ["AN", "GT", "C"]


def test_words_that_overlap() -> None:
    vocab = KmerVocab(3, 1)
    assert vocab.itos == KmerVocab(3).itos
    assert vocab.fingerprint() != KmerVocab(3).fingerprint()
    assert vocab.tokenize("ACGTNACg")[1:-1] == ["ACG", "CGT", "N", "AC", "g"]
    assert KmerVocab(4, 3).tokenize("ACGTACGTA")[1:-1] == ["ACGT", "TACG", "GTA"]
    assert vocab.spans("ACGTN") == [(0, 0, None), (0, 3, 0), (1, 4, 0), (4, 5, 1), (5, 5, None)]
    with pytest.raises(UnknownTokenError, match=r"row 1.*'N'") as error:
        vocab.encode(["ACG", "ACGTNA"], on_unknown="raise")
    assert (error.value.row, error.value.position) == (1, 4)
    assert vocab.count_tokens(["ACGT", "ACGT", "N"]) == {"ACG": 2, "CGT": 2, "N": 1}
    assert [(one.token, one.count) for one in vocab.coverage(["ACGTN", "N"]).unknown] == [("N", 2)]
    whole = KmerVocab(3, 2, remainder="raise")
    assert whole.decode(whole.encode(["ACGTA"])) == ["ACGTA"]
    for use in (whole.encode, whole.update_vocab_from_data, lambda texts: list(map(whole.tokenize, texts))):
        with pytest.raises(UnknownTokenError, match="'GT' at position 2 of 'ACGT' is not part of"):
            use(["ACG", "ACGT"])
    with pytest.raises(VocabError, match=r"no words that overlap; export KmerVocab\(3\)"):
        vocab.to_huggingface()


@laws
@given(
    st.lists(st.lists(st.sampled_from(["ACG", "CGT", "GTA", "CG", "N", "bos", "pad", "unk"]), max_size=5), max_size=4)
)
def test_ids_that_are_not_a_text_are_an_error(rows: list[list[str]]) -> None:
    vocab = KmerVocab(3, 1)
    vocab.update_vocab_from_data(["N"])
    ids = [[vocab.stoi[token] for token in row] for row in rows]
    written = [[token for token in row if token not in ("bos", "pad")] for row in rows]
    pairs = [[(a, b) for a, b in pairwise(row) if "N" not in (a, b) and "unk" not in (a, b)] for row in written]
    ok = [all(len(a) == 3 and b[:2] == a[1:] and len(b) == 3 for a, b in row) for row in pairs]
    assert vocab.consistent(ids).tolist() == ok
    for row, good, tokens in zip(ids, ok, written, strict=True):
        if good:
            assert vocab.reconstruct(row, unk="?") == text_of(vocab, tokens).replace("unk", "?")
        else:
            with pytest.raises(VocabError, match="does not continue"):
                vocab.decode([row])


def test_k_mers_without_a_remainder() -> None:
    vocab = KmerVocab(3, remainder="raise")
    assert (len(vocab), vocab.tokenize("ACGTAC")[1:-1]) == (68, ["ACG", "TAC"])
    uses: list[Callable[[list[str]], Any]] = [
        vocab.encode,
        vocab.update_vocab_from_data,
        lambda texts: vocab.encode(texts, on_unknown="unk"),
        lambda texts: [vocab.tokenize(text) for text in texts],
    ]
    for use in uses:
        for text, token, position in (("ACGTA", "T", 3), ("AC", "A", 0), ("ACGNACG", "N", 3)):
            with pytest.raises(UnknownTokenError, match=f"{token!r} at position {position} of {text!r}") as error:
                use(["ACG", text])
            assert (error.value.token, error.value.position) == (token, position)
            assert error.value.row in (1, None)
    with pytest.raises(UnknownTokenError, match=r"^row 1: "):
        vocab.encode(["ACG", "AC"])
    assert len(vocab) == 68


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"k": 0}, "k is 0"),
        ({"k": 3, "stride": 0}, "stride is 0; expected 1 to 3"),
        ({"k": 3, "stride": 1.5}, "stride is 1.5; expected 1 to 3"),
        ({"k": 3, "stride": 4}, "gaps between them lose text"),
        ({"k": 3, "stride": 1, "alphabet": "AÅ"}, "only of ASCII letters"),
        ({"k": 3, "remainder": "drop"}, "remainder is 'drop'"),
        ({"k": 3, "alphabet": "ACA"}, "each of them once"),
        ({"k": 3, "alphabet": ""}, "expected letters"),
        ({"k": 12}, "22,369,620 words .* smaller k"),
    ],
)
def test_invalid_k_mers(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(VocabError, match=words):
        KmerVocab(**arguments)


# --- SELFIES -----------------------------------------------------------------------------------------------------


def test_selfies() -> None:
    vocab = SelfiesVocab([])
    texts = ["[C@@H1][=Branch1][C].[nop]", "", "[C][C]"]
    assert vocab.tokenize(texts[0])[1:-1] == ["[C@@H1]", "[=Branch1]", "[C]", ".", "[nop]"]
    assert vocab.update_vocab_from_data(texts) == 5
    assert vocab.decode(vocab.encode(texts, on_unknown="raise")) == texts
    assert vocab.encode(["[Si]"], on_unknown="unk").tolist() == [[0, 3, 1]]
    assert vocab.engine == "table"


@pytest.mark.parametrize(
    ("text", "token", "position"),
    [("[C]x[N]", "x", 3), ("CCO", "C", 0), ("[C", "[", 0), ("[C]]", "]", 3), ("[é][[]", "[", 3)],
)
def test_a_text_that_is_not_selfies_is_an_error_with_the_position(text: str, token: str, position: int) -> None:
    vocab = SelfiesVocab(["[C]", "[N]"])
    with pytest.raises(UnknownTokenError) as error:
        vocab.tokenize(text)
    assert (error.value.token, error.value.position, error.value.row) == (token, position, None)
    for use in (vocab.encode, vocab.update_vocab_from_data):
        with pytest.raises(UnknownTokenError, match=r"row 2: .*smiles_to_selfies") as error:
            use(["[C]", "[Si][Og]", text])
        assert (error.value.token, error.value.position, error.value.row) == (token, position, 2)
    assert len(vocab) == 6


def test_only_symbols_are_tokens() -> None:
    with pytest.raises(VocabError, match="the token 'C' is not part of SELFIES"):
        SelfiesVocab(["[C]", "C"])


def test_selfies_files_keep_the_version(tmp_path: Path) -> None:
    old = SelfiesVocab(["[C]"], version="1.0.4")
    old.save(tmp_path / "vocab.json")
    assert Vocab.load(tmp_path / "vocab.json").rules() == {"version": "1.0.4"}
    SelfiesVocab(["[C]"], version=None).save(tmp_path / "vocab.json")  # made where selfies was not installed
    assert Vocab.load(tmp_path / "vocab.json").rules() == {"version": None}
    assert old.fingerprint() != SelfiesVocab(["[C]"], version="2.1.2").fingerprint()


def test_conversion() -> None:
    pytest.importorskip("selfies")
    assert smiles_to_selfies("C=O") == "[C][=O]"
    assert selfies_to_smiles("[C][=O]") == "C=O"
    assert SelfiesVocab().version == importlib.metadata.version("selfies")
    with pytest.raises(MoleculeError, match=r"'C\(' cannot be converted") as error:
        smiles_to_selfies("C(")
    assert error.value.text == "C("
    with pytest.raises(MoleculeError, match="cannot be converted"):
        selfies_to_smiles("[C]x")
    vocab = TransformedVocab(SelfiesVocab(), ["selfies"])
    vocab.update_vocab_from_data(["C=O", "CN"])
    assert vocab.itos[4:] == ["[C]", "[=O]", "[N]"]
    assert vocab.tokenize("C=O")[1:-1] == ["[C]", "[=O]"]
    assert vocab.decode(vocab.encode(["C=O", "NC"])) == ["C=O", "NC"]
    with pytest.raises(RowError, match=r"row 1: the transform 'selfies' fails on 'C\('") as failed:
        vocab.encode(["C", "C("])
    assert failed.value.row == 1


def test_conversion_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "selfies", None)
    with pytest.raises(ImportError, match=r'pip install "mrl\[selfies\]"'):
        smiles_to_selfies("C")


# --- transforms --------------------------------------------------------------------------------------------------


def backwards(text: str) -> str:
    return text[::-1]


def shifted(text: str) -> str:
    return ">" + text


def unshifted(text: str) -> str:
    return text[1:]


TRANSFORMS = {"backwards": (backwards, backwards), "shifted": (shifted, unshifted)}
INNER: dict[str, Callable[[], Vocab]] = {
    "character": lambda: CharacterVocab([]),
    "regex": lambda: RegexVocab([], "Cl|Br"),
    "smiles": SmilesVocab,
}


@pytest.mark.parametrize("kind", INNER)
@laws
@given(texts=st.lists(TEXTS, max_size=6))
def test_transformed_texts_come_back(kind: str, texts: list[str]) -> None:
    vocab = TransformedVocab(INNER[kind](), ["backwards", "shifted"], transforms=TRANSFORMS)
    plain = INNER[kind]()
    changed = [">" + text[::-1] for text in texts]
    assert vocab.count_tokens(texts) == vocab.count_tokens(iter(texts)) == plain.count_tokens(changed)
    assert vocab.update_vocab_from_data(texts) == plain.update_vocab_from_data(changed)
    assert (vocab.itos, vocab.stoi) == (plain.itos, plain.stoi)
    ids = vocab.encode(texts, on_unknown="raise")
    assert ids == plain.encode(changed)
    assert ids.tolist() == [vocab.numericalize(vocab.tokenize(text)) for text in texts]
    assert vocab.decode(ids) == vocab.decode_bytes(ids).tolist() == [vocab.reconstruct(row) for row in ids] == texts
    assert vocab.coverage(texts) == plain.coverage(changed)


def test_a_transformed_vocabulary_grows_with_the_one_inside() -> None:
    inner = CharacterVocab([])
    vocab = TransformedVocab(inner, ["backwards"], transforms=TRANSFORMS)
    assert vocab.numericalize(vocab.tokenize("CN")) == [0, 3, 3, 1]
    assert vocab.update_vocab() == 2
    assert (inner.itos[4:], vocab.unks, inner.unks) == (["C", "N"], {}, {})
    inner.update_vocab_from_data(["O"])
    assert vocab.decode(vocab.encode(["NO"], on_unknown="raise")) == ["NO"]
    assert vocab.spans("CN") == [(0, 0, None), (0, 1, 0), (1, 2, 1), (2, 2, None)]
    assert vocab.engine == "table"
    assert vocab.engine_reason.startswith("backwards in Python, then a table")


def test_files_name_the_transforms(tmp_path: Path) -> None:
    path = tmp_path / "vocab.json"
    vocab = TransformedVocab(SmilesVocab(["[Og]"]), ["backwards"], transforms=TRANSFORMS)
    vocab.save(path)
    with pytest.raises(
        VocabFileError, match=r"no transform 'backwards' is registered .*register_transform\('backwards'"
    ):
        Vocab.load(path)
    loaded = Vocab.load(path, transforms=TRANSFORMS)
    assert loaded == vocab
    assert loaded.fingerprint() == vocab.fingerprint()
    assert loaded.fingerprint() != vocab.vocab.fingerprint()
    assert loaded.decode(loaded.encode(["[Og]C"])) == ["[Og]C"]
    assert pickle.loads(pickle.dumps(loaded)).decode([[5, 6]]) == vocab.decode([[5, 6]])
    write_vocab(path, VocabContent("transformed", {"transforms": [], "kind": "nothing", "rules": {}}, []))
    with pytest.raises(VocabFileError, match="does not hold a valid TransformedVocab"):
        Vocab.load(path)


def test_a_transform_may_be_applied_twice() -> None:
    vocab = TransformedVocab(CharacterVocab([]), ["shifted", "shifted"], transforms=TRANSFORMS)
    assert vocab.tokenize("C")[1:-1] == [">", ">", "C"]
    vocab.update_vocab_from_data(["C"])
    assert vocab.decode(vocab.encode(["C"], on_unknown="raise")) == ["C"]


def test_a_row_of_an_iterator_is_named_by_its_number_among_all() -> None:
    texts = ["[C]"] * 70_000
    vocab = SelfiesVocab(["[C]"])
    failing = TransformedVocab(SelfiesVocab(["[C]"]), ["odd"], transforms={"odd": (check_bracket, str)})
    uses: list[Callable[[Any], Any]] = [
        *(vocab.encode, vocab.count_tokens, failing.encode, failing.count_tokens),
    ]
    for use in uses:
        with pytest.raises((UnknownTokenError, RowError)) as error:
            use(iter([*texts, "C"]))
        assert getattr(error.value, "row", None) == 70_000


def check_bracket(text: str) -> str:
    if not text.startswith("["):
        raise ValueError("no bracket")
    return text


def test_a_registered_name_cannot_be_registered_again() -> None:
    register_transform("test: backwards", backwards, backwards)
    register_transform("test: backwards", backwards, backwards)
    with pytest.raises(VocabError, match="another transform"):
        register_transform("test: backwards", shifted, unshifted)
    assert TransformedVocab(SmilesVocab(), ["test: backwards"]).tokenize("lC")[1:-1] == ["Cl"]


def test_a_transform_that_fails_is_named_with_the_row() -> None:
    failing = {"odd": (lambda text: text if text != "N" else 1 / 0, lambda text: None)}
    vocab = TransformedVocab(CharacterVocab("CN"), ["odd"], transforms=failing)
    with pytest.raises(RowError, match="row 1: the transform 'odd' fails on 'N': division") as error:
        vocab.encode(["C", "N"])
    assert (error.value.row, error.value.value) == (1, "N")
    with pytest.raises(RowError, match="row 0: the inverse of the transform 'odd' returns None for 'C'; expected"):
        vocab.decode([[4]])


# --- real data ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not DATA.is_dir(), reason="MRL_DATA names no folder")
@pytest.mark.parametrize(
    ("name", "column", "make"),
    [
        ("peptides.csv", "sequence", AminoAcidVocab),
        ("promoters.csv", "sequence", NucleotideVocab),
        ("promoters.csv", "sequence", lambda: KmerVocab(4)),
    ],
)
def test_real_sequences_come_back(name: str, column: str, make: Callable[[], Vocab]) -> None:
    with open(DATA / name, encoding="utf-8") as file:
        texts = [row[column] for row in csv.DictReader(file)]
    vocab = make()
    vocab.update_vocab_from_data(texts)
    assert vocab.decode(vocab.encode(texts, on_unknown="raise")) == texts
