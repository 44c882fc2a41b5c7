"""Learned tokens of several pieces: what is learned, how it is used, written and exported."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.chem import randomize
from mrl.errors import VocabError
from mrl.text import (
    SMILES_PATTERN,
    CharacterReplaceVocab,
    CharacterVocab,
    KmerVocab,
    RegexVocab,
    SelfiesVocab,
    SmilesVocab,
    TextSample,
    TransformedVocab,
    Vocab,
)
from mrl.text.learning.pairs import PairMerger

SMILES = ["CC(=O)Nc1ccc(O)cc1", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "ClCCCl", "C[N+](C)(C)C", "c1ccc2ccccc2c1"]


def trained(n: int = 12) -> SmilesVocab:
    return SmilesVocab.from_data(SMILES, merges=n)


def test_the_most_frequent_neighbours_are_joined_first_ties_by_text() -> None:
    vocab = CharacterVocab("COcl")
    assert vocab.learn_merges(["CCO", "CCO", "OCC", "cl", "cl", "cl"], 3) == 3
    assert vocab.itos[8:] == ["CC", "cl", "CCO"]  # CC and cl occur 3 times each
    assert vocab.tokenize("CCCCOcl")[1:-1] == ["CC", "CCO", "cl"]
    assert vocab.learn_merges(["CCO"], 5) == 0  # nothing is left that occurs twice


def test_a_run_is_counted_as_often_as_it_can_be_joined() -> None:
    vocab = CharacterVocab("CNO")
    vocab.learn_merges(["CCC", "CCC", "NO", "NO", "NO"], 1)  # CC twice, NO three times
    assert vocab.itos[-1] == "NO"


def merged_slowly(rows: list[list[int]], texts: list[str], min_count: int) -> list[str]:
    """Join the most frequent neighbours, counted anew each time; of neighbours that overlap, every other pair."""

    def join(row: list[int], pair: tuple[int, int], symbol: int) -> list[int]:
        made: list[int] = []
        for one in row:
            made.append(one)
            if tuple(made[-2:]) == pair:
                made[-2:] = [symbol]
        return made

    found: list[str] = []
    texts = list(texts)
    while True:
        pairs = {pair for row in rows for pair in pairwise(row)}
        counts = {pair: sum(len(row) - len(join(row, pair, -1)) for row in rows) for pair in pairs}
        best = min(counts, key=lambda p: (-counts[p], texts[p[0]] + texts[p[1]], p), default=None)
        if best is None or counts[best] < min_count:
            return found
        texts.append(texts[best[0]] + texts[best[1]])
        found.append(texts[-1])
        rows = [join(row, best, len(texts) - 1) for row in rows]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), max_size=6), st.integers(1, 3))
def test_counting_anew_gives_the_same_merges(rows: list[list[int]], min_count: int) -> None:
    symbols = np.array([one for row in rows for one in [*row, -1]] or [-1])
    merger = PairMerger(symbols, np.ones(len(symbols), np.int64), ["a", "b", "c"])
    assert list(merger.merges(min_count=min_count)) == merged_slowly(rows, ["a", "b", "c"], min_count)


def test_a_vocabulary_with_merges_grows_on() -> None:
    vocab, other = trained(6), trained(6)
    n, digest = len(vocab), vocab.fingerprint()
    ids = vocab.encode(SMILES)
    assert vocab.learn_merges(SMILES, 4) == 4
    assert vocab.accepts(n, digest)
    assert vocab.decode(ids) == SMILES
    assert len(vocab.encode(SMILES).values) < len(ids.values)
    assert not other.accepts(len(vocab), vocab.fingerprint())
    base = SmilesVocab.from_data(SMILES)
    assert vocab.accepts(len(base), base.fingerprint())
    assert base.fingerprint() != vocab.fingerprint()
    assert vocab.resegments


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text() | st.text("Cc1(=O)N[nH]l2%é"), max_size=5))
def test_any_text_comes_back_and_tokenize_agrees(texts: list[str]) -> None:
    vocab = VOCAB
    ids = vocab.encode(texts, on_unknown="raise")
    assert vocab.decode(ids) == texts
    assert [vocab.numericalize(vocab.tokenize(text)) for text in texts] == ids.tolist()


VOCAB = SmilesVocab.from_data(SMILES * 2, merges=20)


def test_no_token_cuts_a_bracket_atom() -> None:
    merged = VOCAB.itos[VOCAB.merging_from :]
    assert len(merged) == 20
    assert all(token.count("[") == token.count("]") for token in merged)
    assert any("[" in token for token in SmilesVocab.from_data(["C[C@H](N)O"] * 3, merges=9).itos[-9:])


def test_randomised_smiles_have_no_unknown_tokens() -> None:
    texts = [randomize(smiles, seed) for smiles in SMILES for seed in range(20)]
    ids = VOCAB.encode(texts, on_unknown="raise")
    assert VOCAB.decode(ids) == texts


def test_shards_add_up_in_any_order_and_an_iterator_is_read_once() -> None:
    whole = trained(10)
    parts = TextSample(SMILES[3:]) + TextSample(SMILES[:3])
    vocab = SmilesVocab.from_data(SMILES)
    vocab.learn_merges(parts, 10)
    assert vocab == whole
    assert SmilesVocab.from_data(iter(SMILES[::-1]), merges=10) == whole
    texts = [f"C{i}" for i in range(300)]
    small = TextSample(texts, limit=50)
    shards = (
        TextSample(texts[200:], limit=50) + TextSample(texts[:100], limit=50) + TextSample(texts[100:200], limit=50)
    )
    assert small.counts == shards.counts == dict.fromkeys(small.counts, 1)
    assert not small.complete
    assert len(small.counts) == 50


def test_weights_are_how_often_texts_occur() -> None:
    vocab = CharacterVocab("CNO")
    vocab.learn_merges(["CN"] * 3 + ["CO", "CO"], 1)
    assert vocab.itos[-1] == "CN"


@pytest.mark.parametrize(
    ("vocab", "texts"),
    [
        (RegexVocab([], SMILES_PATTERN), SMILES),
        (CharacterVocab([]), SMILES),
        (CharacterReplaceVocab([], {"Br": "R", "Cl": "L"}), [*SMILES, "BrCBr", "RCRC"]),
        (KmerVocab(3), ["ACGTACGTTA", "ACGTACG"]),
        (KmerVocab(2, remainder="raise"), ["ACGTACGTTA", "ACGTAC"]),
        (SelfiesVocab(version=None), ["[C][C][=O]", "[C][C][N].[C]"]),
        (TransformedVocab(CharacterVocab([]), ["r"], transforms={"r": (lambda t: t[::-1], lambda t: t[::-1])}), SMILES),
    ],
)
def test_any_vocabulary_learns_them(vocab: Vocab, texts: list[str], tmp_path: Path) -> None:
    vocab.update_vocab_from_data(texts)
    before = len(vocab.encode(texts).values)
    assert vocab.learn_merges(texts, 3, min_count=1) == 3
    ids = vocab.encode(texts, on_unknown="raise")
    assert len(ids.values) < before
    assert vocab.decode(ids) == texts
    assert [vocab.numericalize(vocab.tokenize(text)) for text in texts] == ids.tolist()
    vocab.save(tmp_path / "vocab.json")
    again = Vocab.load(tmp_path / "vocab.json", transforms={"r": (lambda t: t[::-1], lambda t: t[::-1])})
    assert again == vocab
    assert again.fingerprint() == vocab.fingerprint()
    assert again.encode(texts).tolist() == ids.tolist()


def test_the_atoms_of_a_token() -> None:
    vocab = SmilesVocab.from_data(["CC(=O)N"] * 2, merges=10)
    assert vocab.tokenize("CC(=O)NC")[1:-1] == ["CC(=O)N", "C"]
    assert vocab.spans("CC(=O)NC")[1:-1] == [(0, 7, (0, 1, 2, 3)), (7, 8, 4)]


def test_what_runs_no_table_says_so() -> None:
    class Words(Vocab):
        def tokenize(self, input: str) -> list[str]:
            return ["bos", *input.split(), "eos"]

    with pytest.raises(VocabError, match="Words cannot join pieces, because it runs no compiled table: Words"):
        Words([]).learn_merges(["a b"], 3)
    with pytest.raises(VocabError, match=r"cannot join pieces.*anchors"):
        RegexVocab([], r"\bC").learn_merges(["CC"], 3)
    with pytest.raises(ValueError, match="n is -1; expected an integer of 0 or more"):
        SmilesVocab().learn_merges(["CC"], -1)
    with pytest.raises(ValueError, match=r"merges is 1\.5; expected an integer of 0 or more"):
        SmilesVocab.from_data(["CC"], merges=1.5)  # type: ignore[arg-type]


def test_huggingface_gives_the_same_ids() -> None:
    pytest.importorskip("transformers")
    draw = random.Random(3)
    parts = ["C", "Cl", "l", "[C@H]", "[", "c1", "(=O)", "N", "%12", "é", "CC", "Sc", "bos", " "]
    texts = ["".join(draw.choices(parts, k=12)) for _ in range(300)] + SMILES
    kmers = KmerVocab(2)
    kmers.learn_merges(["ACGTACGT"], 4, min_count=1)
    regex = RegexVocab([], "[A-Z][a-z]|[a-z]|bos|mask")
    regex.update_vocab_from_data(texts)
    regex.learn_merges(texts, 30)
    for vocab in (VOCAB, kmers, regex):
        vocab.add_control([name for name in ("mask", "<a>") if name not in vocab.control])
        tokenizer = vocab.to_huggingface()
        assert tokenizer(texts)["input_ids"] == vocab.encode(texts, on_unknown="unk").tolist()
        assert Vocab.from_huggingface(tokenizer) == vocab
