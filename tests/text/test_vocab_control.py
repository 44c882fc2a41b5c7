"""Control tokens: named ids that no text can spell."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl.errors import DuplicateTokenError, VocabError
from mrl.text import AminoAcidVocab, CharacterVocab, KmerVocab, RegexVocab, SelfiesVocab, SmilesVocab, Vocab

NAMES = ("mask", "cls", "<logp_high>", "[MASK]", "[nH]!")
VOCABULARIES = [
    SmilesVocab(control=NAMES),
    CharacterVocab("COmask", control=NAMES),
    RegexVocab(["word", "C"], r"[a-z]+|\[[^\]]+]|<[a-z_]+>", control=NAMES),
    AminoAcidVocab(control=NAMES),
    KmerVocab(2, control=NAMES),
    KmerVocab(3, 1, control=NAMES),
    SelfiesVocab(["[C]"], version=None, control=NAMES),
]


@pytest.mark.parametrize("vocab", VOCABULARIES, ids=lambda vocab: type(vocab).__name__)
def test_they_are_ids_after_the_tokens(vocab: Vocab, tmp_path: Path) -> None:
    assert [vocab.itos[i] for i in vocab.control.values()] == list(NAMES)
    assert vocab.add_control([]) == []
    vocab.save(tmp_path / "vocab.json")
    for again in (Vocab.load(tmp_path / "vocab.json"), pickle.loads(pickle.dumps(vocab))):
        assert again == vocab
        assert again.control == vocab.control
        assert again.fingerprint() == vocab.fingerprint()


@given(st.lists(st.sampled_from([*NAMES, "C", "word", " ", "ma", "sk"]), max_size=6).map("".join) | st.text())
def test_no_text_spells_them(text: str) -> None:
    for vocab in VOCABULARIES[:3]:
        ids = vocab.encode([text], on_unknown="unk")
        assert not set(ids.values.tolist()) & set(vocab.control.values())
        assert vocab.numericalize(vocab.tokenize(text)) == ids[0].tolist()
        assert not set(vocab.count_tokens([text])) & set(vocab.control)
    assert VOCABULARIES[0].decode(VOCABULARIES[0].encode([text])) == [text]


def test_decoding_leaves_them_out_or_writes_their_names() -> None:
    vocab = SmilesVocab(control=["<logp_high>"])
    ids = [0, vocab.control["<logp_high>"], *vocab.encode(["CO"])[0].tolist()[1:]]
    assert vocab.decode([ids]) == ["CO"]
    assert vocab.decode([ids], control=True) == ["<logp_high>CO"]
    assert vocab.decode_bytes([ids], control=True).tolist() == ["<logp_high>CO"]
    assert vocab.reconstruct(ids) == "CO"
    assert vocab.reconstruct(ids, control=True) == "<logp_high>CO"
    assert vocab.prefixes(ids)[:3] == ["", "", "C"]


def test_ids_stay_and_descendants_are_accepted() -> None:
    vocab = CharacterVocab("C")
    old = len(vocab), vocab.fingerprint()
    assert vocab.add_control(["mask"]) == [5]
    middle = len(vocab), vocab.fingerprint()
    vocab.update_vocab_from_data(["CON"])
    assert vocab.add_control("cls") == [8]
    assert vocab.itos[4:] == ["C", "mask", "N", "O", "cls"]
    assert vocab.accepts(*old)
    assert vocab.accepts(*middle)
    assert CharacterVocab(["C", "mask"]).fingerprint() != CharacterVocab("C", control=["mask"]).fingerprint()


def test_files_without_them_are_as_they_were(tmp_path: Path) -> None:
    CharacterVocab("C").save(tmp_path / "a.json")
    CharacterVocab("C", control=["mask"]).save(tmp_path / "b.json")
    assert '"version": 1' in (tmp_path / "a.json").read_text()
    assert '"version": 2' in (tmp_path / "b.json").read_text()


@pytest.mark.parametrize("name", ["", "C", "bos", None])
def test_names_that_are_taken_or_empty(name: str) -> None:
    vocab = CharacterVocab("C")
    with pytest.raises(VocabError):
        vocab.add_control(["mask", name])
    assert vocab == CharacterVocab("C")
    with pytest.raises(DuplicateTokenError):
        vocab.add_control(["mask", "mask"])


def test_a_tokenizer_in_python_may_not_spell_them() -> None:
    class Words(Vocab):
        def tokenize(self, input: str) -> list[str]:
            return ["bos", *input.split(), "eos"]

    vocab = Words(["C"], control=["mask"])
    assert vocab.encode(["C C"]).tolist() == [[0, 4, 4, 1]]
    with pytest.raises(VocabError, match="row 1: tokenize cuts 'C mask' into 'mask' and others, but that is the name"):
        vocab.encode(["C", "C mask"])


def test_huggingface_knows_their_roles() -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    for vocab in VOCABULARIES[:3]:
        tokenizer = vocab.to_huggingface()
        assert tokenizer.mask_token_id == vocab.control["mask"]
        assert tokenizer.cls_token_id == vocab.control["cls"]
        assert len(tokenizer) == len(vocab)
        texts = ["word[MASK]C", "mask", "<logp_high>C", "clsC"]
        assert tokenizer(texts)["input_ids"] == vocab.encode(texts, on_unknown="unk").tolist()
        assert Vocab.from_huggingface(tokenizer) == vocab
        collate = transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.5, seed=1)
        batch = collate([tokenizer("CCCCCCC", return_special_tokens_mask=True)] * 8)
        assert (batch["input_ids"] == vocab.control["mask"]).any()
        assert (batch["labels"] != -100).any()
