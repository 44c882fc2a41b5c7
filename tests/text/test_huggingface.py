"""Tokenizers of HuggingFace: the same ids as ours for every text, the same text for all ids, and back again."""

from __future__ import annotations

import csv
import gzip
import os
import pickle
import re
import string
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_vocab_cases import CASES, ELEMENTS, FORMS

os.environ["HF_HUB_OFFLINE"] = "1"

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from mrl.data import TextDataset
from mrl.errors import UnknownTokenWarning, VocabError
from mrl.text import (
    HALOGEN_REPLACE,
    MAPPING_PATTERN,
    MAPPING_REGEX,
    MAPPING_REPLACE,
    SMILE_REGEX,
    SMILES_CHAR_VOCAB,
    SMILES_PATTERN,
    SPECIAL_TOKENS,
    AminoAcidVocab,
    CharacterReplaceVocab,
    CharacterVocab,
    KmerVocab,
    RegexVocab,
    SelfiesVocab,
    SmilesVocab,
    TransformedVocab,
    Vocab,
)
from mrl.text.compile.backtracking import ambiguous_repeat, shared_repeats
from mrl.text.io.file import VocabContent, write_vocab
from mrl.text.io.oniguruma import portable_prefix, to_portable

WORDS = [*SMILES_CHAR_VOCAB, "[nH]", "[C@@H]", "[Cu++]", "[unk]", "%12", "->", "é", "\n", " ", "\ufffd"]
VOCABULARIES: dict[str, Callable[[], Vocab]] = {
    "character": lambda: CharacterVocab(["u", "n", "k", *SMILES_CHAR_VOCAB[:30], "é", "\n", "\ufffd"]),
    "amino acids": AminoAcidVocab,
    "words": lambda: KmerVocab(3),
    "halogens": lambda: CharacterReplaceVocab([*SMILES_CHAR_VOCAB, "\\R", "[nH]"], HALOGEN_REPLACE),
    "mapping": lambda: CharacterReplaceVocab([*SMILES_CHAR_VOCAB, "\\A", "\\D"], MAPPING_REPLACE),
    "swapped": lambda: CharacterReplaceVocab(["\\e"], {"C": "N", "N": "C", "xbos": "\\", "\\N": "R", "CC": "e"}),
    "smile regex": lambda: RegexVocab(WORDS, SMILE_REGEX),
    "mapping regex": lambda: RegexVocab(WORDS, MAPPING_REGEX),
    "smiles pattern": lambda: RegexVocab(WORDS, SMILES_PATTERN),
    "mapping pattern": lambda: RegexVocab(WORDS, MAPPING_PATTERN),
    "letters": lambda: RegexVocab(["b", "o", "s", "k", "bosx", "unkunk", "CC"], "[a-z]+|C*"),
    "smiles": SmilesVocab,
    "more smiles": lambda: SmilesVocab(["[13CH3]", "%12", "[Fe+++]", "−", "[]", "CC", "[bos]", "eosx", "é", "\ufffd"]),
}
PIECES = [
    *SMILES_CHAR_VOCAB,
    *SPECIAL_TOKENS,
    *(f"‹{name}›" for name in SPECIAL_TOKENS),
    *("[unk]", "[bos]", "[xpadx]", "xbos", "<pad>C", "<0xE2>", "unkunk", "eosx", "Ġ", "##C", "▁"),
    *("[nH]", "[C@@H]", "[Si]", "[10*:1]", "[1*:1]", "Br", "Cl", "R", "L", "A", "\\R", "\\N", "%12", "%(100)"),
    *("\n", " ", "\r\n", "\u2028", "\x00", "\x85", "−", "é", "e\u0301", "\U0001f9ea", "\ufffd", "\ufeff", "ACGTA"),
    "\n" + " " * 17 + "#",
]
TEXTS = st.text(max_size=20) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)

laws = settings(deadline=None, max_examples=30)
each_vocabulary = pytest.mark.parametrize("kind", VOCABULARIES)


@cache
def pair(kind: str) -> tuple[Vocab, list[Any]]:
    """A vocabulary, and its tokenizer: new, loaded from a folder in two ways, pickled."""
    vocab = VOCABULARIES[kind]()
    tokenizer = vocab.to_huggingface()
    with TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        load: list[Callable[[str], Any]] = [PreTrainedTokenizerFast.from_pretrained, AutoTokenizer.from_pretrained]
        loaded = [function(folder) for function in load]
    return vocab, [tokenizer, *loaded, pickle.loads(pickle.dumps(tokenizer))]


def ids_of(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    return tokenizer(texts)["input_ids"] if texts else []


# --- the same ids ----------------------------------------------------------------------------------------------------


@each_vocabulary
@laws
@given(data=st.data())
def test_every_text_has_the_same_ids_and_comes_back(kind: str, data: st.DataObject) -> None:
    vocab, tokenizers = pair(kind)
    texts = data.draw(st.lists(TEXTS, min_size=1, max_size=5))
    rows = vocab.encode(texts, on_unknown="unk").tolist()
    for tokenizer in tokenizers:
        assert ids_of(tokenizer, texts) == rows
        assert [tokenizer.encode(text) for text in texts] == rows
        assert tokenizer.batch_decode(rows, skip_special_tokens=True) == vocab.decode(rows)


@each_vocabulary
@laws
@given(data=st.data())
def test_all_ids_have_the_same_text(kind: str, data: st.DataObject) -> None:
    vocab, tokenizers = pair(kind)
    row = data.draw(st.lists(st.integers(0, len(vocab) - 1).filter(lambda i: i != 1), max_size=12))
    for tokenizer in tokenizers:
        assert tokenizer.decode(row, skip_special_tokens=True) == vocab.reconstruct(row)


@each_vocabulary
def test_hard_cases_have_the_same_ids(kind: str) -> None:
    vocab, tokenizers = pair(kind)
    texts = [*CASES.values(), *(form.format(element) for element in ELEMENTS for form in FORMS), *vocab.itos, *PIECES]
    texts += [c * 2_000 for c in "[C%("]
    rows = vocab.encode(texts, on_unknown="unk").tolist()
    for tokenizer in tokenizers:
        assert ids_of(tokenizer, texts) == rows
        assert tokenizer.batch_decode(rows, skip_special_tokens=True) == vocab.decode(rows)


@each_vocabulary
def test_specials_and_size_are_ours(kind: str) -> None:
    vocab, tokenizers = pair(kind)
    for tokenizer in tokenizers:
        assert len(tokenizer) == tokenizer.vocab_size == len(vocab)
        assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (0, 1, 2)
        assert tokenizer.padding_side == "right"
        assert tokenizer("C", "N")["input_ids"] == vocab.encode(["C", "N"], on_unknown="unk").values.tolist()
        if kind == "smiles pattern":
            assert tokenizer.get_vocab() == vocab.stoi
            assert tokenizer.decode([0, 4, 3, 1, 2]) == f"bos{vocab.itos[4]}\ufffdeospad"


def test_a_special_in_a_text_is_text() -> None:
    for vocab in (RegexVocab([*"bosunkead"], "[a-z]+|<pad>"), SmilesVocab(["[unks]"])):
        tokenizer = vocab.to_huggingface()
        for text in ("bos", "unk", "<pad>C", "[unk]", "[unks]", "‹bos›", "boseos", "C bos\npad"):
            assert tokenizer(text)["input_ids"] == vocab.encode([text], on_unknown="unk")[0].tolist()
        assert tokenizer("bos")["input_ids"] == vocab.numericalize(["bos", *"bos", "eos"])


def test_an_unknown_token_is_never_left_out() -> None:
    tokenizer = CharacterVocab(["C"]).to_huggingface()
    assert tokenizer.decode(tokenizer("C[C")["input_ids"], skip_special_tokens=True) == "C\ufffdC"
    assert tokenizer.clean_up_tokenization_spaces is False


def test_the_pattern_of_an_older_file_is_used_with_byte_fallback(tmp_path: Path) -> None:
    path = tmp_path / "vocab.json"
    for pattern in ("C", "[a-z]+", "bos|b", r"\[[^\]]*"):
        write_vocab(path, VocabContent("smiles", {"pattern": pattern}, SmilesVocab(["bosx", "[bos"]).itos[4:]))
        vocab = Vocab.load(path)
        tokenizer = vocab.to_huggingface()
        texts = ["bos", "bosx", "xbos", "[bos", "[xbos]unk", "ZnunkPad", "eos\u0301"]
        assert ids_of(tokenizer, texts) == vocab.encode(texts).tolist()
        assert Vocab.from_huggingface(tokenizer) == vocab


def test_padding_gives_the_batches_of_our_dict_form() -> None:
    texts = ["C", "CC(=O)[O-]", "", "[nH]1cccc1Cl", "[Og]−"]
    for vocab in (SmilesVocab(), RegexVocab(WORDS, SMILES_PATTERN)):
        theirs = vocab.to_huggingface()(texts, padding=True, return_tensors="pt")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnknownTokenWarning)
            ours = next(iter(TextDataset(texts, vocab).dataloader(5, num_workers=0, output="dict", device="cpu")))
        assert set(theirs) == {"input_ids", "attention_mask"}
        for name in theirs:
            assert theirs[name].dtype == ours[name].dtype
            assert theirs[name].tolist() == ours[name].tolist()


DATA = Path(os.environ.get("MRL_DATA", "no such folder"))


@pytest.mark.skipif(not DATA.is_dir(), reason="MRL_DATA names no folder")
@pytest.mark.parametrize("name", ["smiles.csv", "muv.csv.gz", "qm9.csv.gz", "tox21.csv.gz", "esol.csv", "lipo.csv"])
def test_real_molecules_have_the_same_ids(name: str) -> None:
    with (gzip.open if name.endswith("gz") else open)(DATA / name, "rt", encoding="utf-8") as file:
        table = csv.DictReader(file)
        column = next(field for field in table.fieldnames or [] if field.lower() == "smiles")
        smiles = [row[column] for row in table]
    smiles = smiles[:: max(1, len(smiles) // 1_000)]
    learned = RegexVocab([], SMILE_REGEX)
    learned.update_vocab_from_data(smiles)
    halogens = CharacterReplaceVocab(SMILES_CHAR_VOCAB, HALOGEN_REPLACE)
    for vocab in (learned, halogens, SmilesVocab(), SmilesVocab.from_data(smiles)):
        tokenizer = vocab.to_huggingface()
        rows = vocab.encode(smiles, on_unknown="unk").tolist()
        assert ids_of(tokenizer, smiles) == rows
        assert tokenizer.batch_decode(rows, skip_special_tokens=True) == vocab.decode(rows)


# --- patterns --------------------------------------------------------------------------------------------------------


def patterns() -> st.SearchStrategy[str]:
    characters = st.sampled_from([*"CNlabos01", *map(re.escape, string.punctuation), "\n", "é", "\U0001f9ea", r"\x43"])
    in_class = st.sampled_from([*"CNlab", *(f"\\{c}" for c in string.punctuation), "a-c", "0-9", r"\x00-\x20", "é-ü"])
    classes = st.builds("[{}{}]".format, st.sampled_from(["", "^"]), st.lists(in_class, min_size=1).map("".join))
    units = characters | classes | st.sampled_from([".", r"[\s\S]", r"[\w\W]", "(?s:.)", "[]C]", "[C-]"])
    repeats = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}", "{,2}", "{0}"])
    lazy = st.sampled_from(["", "?"])

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        groups = st.builds("({}{})".format, st.sampled_from(["", "?:", "?s:", "?P<n>"]), inner)
        return (
            st.builds("(?:{}){}{}".format, inner, repeats, lazy)
            | st.lists(inner, min_size=1, max_size=3).map("".join)
            | st.lists(inner, min_size=2, max_size=3).map("|".join)
            | groups
        )

    return st.recursive(st.builds("{}{}{}".format, units, st.just("") | repeats, lazy), larger, max_leaves=6)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@settings(deadline=None, max_examples=120)
@given(data=st.data(), pattern=patterns())
def test_a_pattern_means_the_same(data: st.DataObject, pattern: str) -> None:
    try:
        text = to_portable(pattern)
    except VocabError as error:
        assume("can be empty" not in str(error))
        raise
    except re.error:
        assume(False)
    assert portable_prefix(text) == len(text)
    # a vocabulary refuses such patterns, see test_vocab_hostile.py
    assume(ambiguous_repeat(pattern) is None and shared_repeats(pattern) is None)
    alphabet = st.sampled_from([*"CNlabos01-[]^\\{}\n\r", *string.punctuation, "é", "ö", "\U0001f9ea", "bos"])
    texts = data.draw(st.lists(st.lists(alphabet, max_size=10).map("".join), min_size=1, max_size=5))
    vocab = RegexVocab([], pattern)
    vocab.update_vocab_from_data(texts)
    tokenizer = vocab.to_huggingface()
    rows = vocab.encode(texts, on_unknown="raise").tolist()
    assert ids_of(tokenizer, texts) == rows
    assert tokenizer.batch_decode(rows, skip_special_tokens=True) == texts
    assert Vocab.from_huggingface(tokenizer) == vocab


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "|C",
        "C*",
        "C??",
        r"[^\s\S]|C+",
        "(?:C|)N?",
        "(?s).+?N",
        "(?x) C l # chlorine",
        "[[:alpha:]]",
        "[a&&b]+",
        "b{2}?C",
        "[]a]+",
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_pattern_that_oniguruma_would_read_differently(pattern: str) -> None:
    vocab = RegexVocab([], pattern)
    texts = ["CClCCN\n\nC", "bbCbCNCl", "a&&b[:al]p[", "]a]", "C C l # chlorine", ""]
    vocab.update_vocab_from_data(texts)
    assert ids_of(vocab.to_huggingface(), texts) == vocab.encode(texts, on_unknown="raise").tolist()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"C(?!l)", "look-around"),
        (r"(?<=C)l", "look-around"),
        (r"^C", "anchors"),
        (r"C\b", r"\b"),
        (r"\w+", r"\w, \d or \s"),
        (r"[\dx]", r"\d"),
        (r"(?i)cl", "ignores case"),
        (r"(a)\1", "back-references"),
        (r"C*+", "possessive"),
        (r"(?:C?)*", "can be empty"),
        ("[\\ud800-\\udfff]", "lone surrogate"),
    ],
)
def test_patterns_that_cannot_be_translated(pattern: str, reason: str) -> None:
    with pytest.raises(VocabError, match=re.escape(reason)):
        RegexVocab(["C"], pattern).to_huggingface()


def test_vocabularies_that_cannot_be_exported() -> None:
    class Upper(CharacterVocab):
        def tokenize(self, input: str) -> list[str]:
            return super().tokenize(input.upper())

    same = {"same": (str, str)}
    for vocab, reason in [
        (Upper(["C"]), "runs no Python.* Upper: Upper overrides tokenize"),
        (
            TransformedVocab(CharacterVocab(["C"]), ["same"], transforms=same),
            "runs no Python.* TransformedVocab: same in Python",
        ),
        (Vocab(["C"]), "runs no Python"),
        (CharacterReplaceVocab(["Br", "C"], {"Br": "R"}), "'R' and 'Br'|'Br' and 'R'.* both stand for the text 'Br'"),
        (CharacterReplaceVocab(["C"], {"bos": "R"}), "'bos' and 'R' both stand for the text 'bos'"),
    ]:
        with pytest.raises(VocabError, match=reason):
            vocab.to_huggingface()


def test_a_subclass_without_own_methods_is_exported() -> None:
    class Mine(CharacterVocab):
        pass

    vocab = Mine(["C", "N"])
    tokenizer = vocab.to_huggingface()
    assert tokenizer("CNO")["input_ids"] == vocab.encode(["CNO"], on_unknown="unk")[0].tolist()
    read = Vocab.from_huggingface(tokenizer)
    assert (type(read), read.itos) == (RegexVocab, vocab.itos)


def test_symbols_of_selfies_have_the_same_ids() -> None:
    vocab = SelfiesVocab(["[C]", "[=Branch1]", "[nop]", "."])
    tokenizer = vocab.to_huggingface()
    texts = ["[C][=Branch1][C].[nop]", "", "[nop][Ring1]"]
    assert ids_of(tokenizer, texts) == vocab.encode(texts, on_unknown="unk").tolist()
    assert tokenizer("[C]x")["input_ids"] == [0, 4, 3, 1]  # an error for `encode`
    assert Vocab.from_huggingface(tokenizer) == vocab


@pytest.mark.parametrize("name", ["transformers", "tokenizers"])
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = CharacterVocab(["C"]).to_huggingface()
    monkeypatch.setitem(sys.modules, name, None)
    for call in (CharacterVocab(["C"]).to_huggingface, lambda: Vocab.from_huggingface(tokenizer)):
        with pytest.raises(ImportError, match=re.escape("pip install 'mrl[transformers]'")):
            call()


# --- and back --------------------------------------------------------------------------------------------------------


@each_vocabulary
def test_an_exported_vocabulary_is_read_unchanged(kind: str) -> None:
    vocab, tokenizers = pair(kind)
    for tokenizer in tokenizers:
        tokenizer(["C", "CC"], padding=True, truncation=True, max_length=3)
        read = type(vocab).from_huggingface(tokenizer)
        assert type(read) is type(vocab)
        assert read == vocab
        assert read.fingerprint() == vocab.fingerprint()

    class Other(CharacterVocab):
        pass

    with pytest.raises(VocabError, match=f"that of a {type(vocab).__name__}, not Other"):
        Other.from_huggingface(tokenizers[0])


def custom(
    words: list[str],
    split: Any,
    *,
    specials: tuple[str, ...] = ("<s>", "</s>", "<pad>", "<unk>"),
    normalizer: Any = None,
    template: str = "{} $A {}",
    **options: Any,
) -> PreTrainedTokenizerFast:
    bos, eos, pad, unk = specials
    ids = {word: i for i, word in enumerate(options.pop("order", [*specials, *words]))}
    backend = Tokenizer(options.pop("model", models.WordLevel)(ids, unk_token=unk))
    backend.pre_tokenizer, backend.decoder = split, decoders.Fuse()
    if normalizer:
        backend.normalizer = normalizer
    backend.post_processor = processors.TemplateProcessing(
        single=template.format(bos, eos), special_tokens=[(bos, ids[bos]), (eos, ids[eos])]
    )
    names = {"bos_token": bos, "eos_token": eos, "pad_token": pad, "unk_token": unk}
    make: Callable[..., PreTrainedTokenizerFast] = PreTrainedTokenizerFast
    return make(tokenizer_object=backend, **names, **options)


SPLIT = pre_tokenizers.Split(Regex(SMILE_REGEX), "isolated")
TOKENS = ["C", "Cl", "[nH]", "c", "1", "=", "O"]


@pytest.mark.parametrize(
    "split",
    [SPLIT, pre_tokenizers.Split(Regex(SMILE_REGEX), "removed", invert=True), pre_tokenizers.Sequence([SPLIT])],
    ids=["isolated", "removed", "sequence"],
)
def test_a_word_level_tokenizer_is_read(split: Any) -> None:
    tokenizer = custom(TOKENS, split)
    vocab = RegexVocab.from_huggingface(tokenizer)
    assert vocab == RegexVocab(TOKENS, SMILE_REGEX)
    texts = ["CCl", "[nH]1cccc1", "", "O=C[Si]Br", "Cc1nc[nH]c1"]
    assert ids_of(tokenizer, texts) == vocab.encode(texts, on_unknown="unk").tolist()
    assert ids_of(vocab.to_huggingface(), texts) == ids_of(tokenizer, texts)
    assert vocab.encode(["CAlC"], on_unknown="unk").tolist() == [[0, 4, 3, 3, 4, 1]]  # not left out, not one token


def test_tokenizers_that_cannot_be_read() -> None:
    specials = ("<s>", "</s>", "<pad>", "<unk>")
    other_order = custom(TOKENS, SPLIT, order=["<pad>", "<s>", "</s>", "<unk>", *TOKENS])
    added = custom(TOKENS, SPLIT)
    added.add_tokens(["[Si]"])
    more = custom(TOKENS, SPLIT)
    more.add_tokens([AddedToken("[nH]")])
    ours = RegexVocab(TOKENS, SMILES_PATTERN).to_huggingface()
    ours.add_tokens(["[Si]"])
    for tokenizer, reason in [
        (other_order, re.escape("ids of bos, eos, pad and unk are [1, 2, 0, 3]; expected 0, 1, 2, 3")),
        (custom(TOKENS, SPLIT, template="$A {1}"), "makes the ids .* of ''; expected"),
        (custom(TOKENS, SPLIT, normalizer=normalizers.Lowercase()), "by Lowercase; expected no normalizer"),
        (custom(TOKENS, pre_tokenizers.Whitespace()), "splits texts by .*Whitespace"),
        (
            custom(TOKENS, pre_tokenizers.Split(" ", "removed")),
            "splits texts by .*expected Split with a Regex",
        ),
        (
            custom(TOKENS, pre_tokenizers.Split(Regex("l"), "merged_with_previous")),
            "splits texts by .*MergedWith",
        ),
        (custom(["CCO", "."], pre_tokenizers.Split(Regex(r"\."), "isolated")), "of 'CCO'; expected"),
        (
            custom(TOKENS, pre_tokenizers.Split(Regex("C|[[:alpha:]]"), "isolated")),
            "differently from position 2",
        ),
        (custom(TOKENS, pre_tokenizers.Split(Regex("C(?m:.)"), "isolated")), "from position 1"),
        (custom(TOKENS, pre_tokenizers.Split(Regex("C|(?:N?)*"), "isolated")), "can be empty"),
        (custom(TOKENS, pre_tokenizers.Split(Regex("C{2}?"), "isolated")), "from position 1"),
        (custom(["bos"], SPLIT), "'bos'.* names of special tokens"),
        (custom(TOKENS, SPLIT, model=models.WordPiece), "model is WordPiece; expected WordLevel"),
        (added, re.escape("looks for ['[Si]']")),
        (more, re.escape("looks for ['[nH]']")),
        (ours, re.escape("looks for ['[Si]']")),
        (
            custom([], SPLIT, order=[*specials, "C"], specials=(*specials[:3], "C")),
            "ids of bos, eos, pad and unk",
        ),
        (SmilesVocab().to_huggingface().backend_tokenizer, "is a Tokenizer; expected a PreTrainedTokenizerFast"),
    ]:
        with pytest.raises(VocabError, match=reason):
            Vocab.from_huggingface(tokenizer)
