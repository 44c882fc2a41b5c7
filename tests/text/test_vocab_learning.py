"""Counting and learning: exact, in shards that add up in any order, and ids that never change."""

from __future__ import annotations

import csv
import gzip
import os
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import RowError, VocabError
from mrl.ragged import Text
from mrl.text import (
    HALOGEN_REPLACE,
    SMILE_REGEX,
    SMILES_PATTERN,
    CharacterReplaceVocab,
    CharacterVocab,
    KmerVocab,
    RegexVocab,
    SmilesVocab,
    Vocab,
)
from mrl.text.compile.segmentation import Segmentation
from mrl.text.learning.counting import PieceCounter

DATA = Path(os.environ.get("MRL_DATA", "no such folder"))


class Pairs(Vocab):
    """Runs by its own method."""

    def tokenize(self, input: str) -> list[str]:
        return ["bos", *(input[i : i + 2] for i in range(0, len(input), 2)), "eos"]


VOCABULARIES: dict[str, Callable[[], Vocab]] = {
    "character": lambda: CharacterVocab([]),
    "halogens": lambda: CharacterReplaceVocab([], HALOGEN_REPLACE),
    "special replaced": lambda: CharacterReplaceVocab([], {"bos": "X", "CC": "Y"}),
    "smile regex": lambda: RegexVocab([], SMILE_REGEX),
    "our pattern": lambda: RegexVocab([], SMILES_PATTERN),
    "by re": lambda: RegexVocab([], r"(?<=C)l|\[\w+]"),
    "k-mers": lambda: KmerVocab(2, alphabet="CNO"),
    "slow": lambda: Pairs([]),
}
PIECES = [*"CNO=()[]lB", "Cl", "Br", "[nH]", "[Si]", "é", "\U0001f9ea", "bos", "unk", "R", "%12"]
TEXTS = st.text(max_size=20) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
COLUMNS = st.lists(TEXTS, max_size=8)

laws = settings(deadline=None, max_examples=50)
each_vocabulary = pytest.mark.parametrize("kind", VOCABULARIES)


@each_vocabulary
@laws
@given(texts=COLUMNS)
def test_counts_are_those_of_tokenize(kind: str, texts: list[str]) -> None:
    vocab = VOCABULARIES[kind]()
    expected = Counter(token for text in texts for token in vocab.tokenize(text)[1:-1])
    assert vocab.count_tokens(texts) == vocab.count_tokens(iter(texts)) == expected
    assert not vocab.unks
    if vocab.segmentation is not None:
        counter = PieceCounter(vocab.segmentation, batch_sizes=(1, 2, 4), max_known=3)  # many tables
        for block in (Text.of(texts[:3]), Text.of(texts[3:])):
            counter.add(block)
        assert {vocab.segmentation.token(piece): n for piece, n in counter.counts.items()} == expected


def test_one_long_text_is_counted_by_a_table_not_piece_by_piece() -> None:
    counter = PieceCounter(Segmentation("Cl|Br"))
    text = Text.of(["C" * 1_000_000 + "ClBrN" * 200_000, "O"])
    tracemalloc.start()
    counter.add(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counter.counts == {"C": 1_000_000, "Cl": 200_000, "Br": 200_000, "N": 200_000, "O": 1}
    assert peak < 100 * 2_000_000  # bytes; pieces one by one take 330 million


@each_vocabulary
@laws
@given(shards=st.lists(COLUMNS, max_size=4), order=st.randoms(use_true_random=False), least=st.integers(1, 3))
def test_shards_add_up_in_any_order(kind: str, shards: list[list[str]], order: Any, least: int) -> None:
    whole, parts = VOCABULARIES[kind](), VOCABULARIES[kind]()
    whole.update_vocab_from_data((text for shard in shards for text in shard), min_count=least)
    order.shuffle(shards)
    counts: Counter[str] = Counter()
    for shard in shards:
        counter = VOCABULARIES[kind]()
        counter.update_vocab_from_data(shard[:1])  # the tokens of the counter make no difference
        counts += counter.count_tokens(shard)
    parts.update_from_counts(counts, min_count=least)
    assert parts == whole


@each_vocabulary
@laws
@given(texts=COLUMNS, least=st.integers(1, 3), more=st.integers(0, 6))
def test_rare_tokens_are_left_out_and_the_size_is_limited(kind: str, texts: list[str], least: int, more: int) -> None:
    vocab, every = VOCABULARIES[kind](), VOCABULARIES[kind]()
    n, counts = len(vocab), vocab.count_tokens(texts)
    every.update_vocab_from_data(texts)
    expected = [token for token in every.itos[n:] if counts[token] >= least][:more]
    assert vocab.update_vocab_from_data(texts, min_count=least, max_size=n + more) == len(expected)
    assert vocab.itos[n:] == expected
    assert vocab.update_vocab_from_data(texts, max_size=2) == 0


def test_many_different_pieces_are_counted_exactly() -> None:
    texts = [f"[{i % 700}]C[x{i}]" * (1 + i % 3) for i in range(6_000)]
    vocab = RegexVocab([], SMILES_PATTERN)
    expected = Counter(token for text in texts for token in vocab.tokenize(text)[1:-1])
    assert vocab.count_tokens(texts) == vocab.count_tokens(iter(texts)) == expected


def test_pieces_too_long_for_a_table() -> None:
    texts = ["[" + "C" * 20_000 + f"{i}]" for i in range(8)] * 2
    assert RegexVocab([], SMILES_PATTERN).count_tokens(texts) == Counter(texts)


def test_a_row_that_is_not_a_string_adds_nothing() -> None:
    vocab = SmilesVocab()
    with pytest.raises(RowError, match="row 2"):
        vocab.update_vocab_from_data(["C", "[Og]", None])
    assert vocab == SmilesVocab()


# --- append-only -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vocab", [CharacterVocab("CNO"), RegexVocab("CNO", SMILE_REGEX), Pairs("CNO")], ids=repr)
def test_an_id_that_got_another_token_is_named_at_the_next_use(vocab: Vocab, tmp_path: Path) -> None:
    ids = vocab.encode(["CNO"], on_unknown="unk")
    kept = list(vocab.itos)
    uses: list[Callable[[], object]] = [
        lambda: vocab.encode(["C"]),
        lambda: vocab.decode(ids),
        lambda: vocab.fingerprint(),
        lambda: vocab.count_tokens(["C"]),
    ]
    if vocab.kind:
        uses.append(lambda: vocab.save(tmp_path / "vocab.json"))
    for use in uses:
        vocab.itos[5] = "F"
        with pytest.raises(VocabError, match="the id 5 was the token 'N' and is 'F' now"):
            use()
        vocab.itos[:] = [*kept[:4], "F", *kept[4:]]
        with pytest.raises(VocabError, match="the id 4 was the token 'C' and is 'F' now"):
            use()
        vocab.itos[:] = kept[:5]
        with pytest.raises(VocabError, match="the id 5 was the token 'N' and is gone now"):
            use()
        vocab.itos[:] = [*kept, "F"]
        with pytest.raises(VocabError, match=r"in itos the id 7 is 'F', but stoi\['F'\] is None"):
            use()
        vocab.itos[:] = kept
    vocab.itos.append("F")
    vocab.stoi["F"] = 7
    assert vocab.decode([[7]]) == ["F"]


@each_vocabulary
def test_a_vocabulary_accepts_what_an_ancestor_wrote_and_nothing_else(kind: str) -> None:
    old, new, other = (VOCABULARIES[kind]() for _ in range(3))
    for vocab in (old, new):
        vocab.update_vocab_from_data(["CNCNCN"])
    new.update_vocab_from_data(["ZZ"])
    other.update_vocab_from_data(["ZZ"])
    assert new.accepts(len(old), old.fingerprint())
    assert new.accepts(len(new), new.fingerprint())
    assert not old.accepts(len(new), new.fingerprint())
    assert not new.accepts(len(old), new.fingerprint())
    assert not other.accepts(len(old), old.fingerprint()) or kind == "k-mers"
    assert not new.accepts(3, old.fingerprint())
    assert not new.accepts(10**6, old.fingerprint())


# --- real data ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not DATA.is_dir(), reason="MRL_DATA names no folder")
def test_a_real_column_is_learned() -> None:
    with gzip.open(DATA / "muv.csv.gz", "rt", encoding="utf-8") as file:
        smiles = [row["smiles"] for row in csv.DictReader(file)]
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    assert vocab.coverage(smiles).complete
    assert vocab.itos[4:8] == ["c", "C", "(", ")"]
    assert vocab.count_tokens(smiles) == sum((vocab.count_tokens(smiles[i::3]) for i in range(3)), Counter())
