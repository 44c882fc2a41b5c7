"""Rows, columns and token ids that are added to a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stored import write_corpus

from mrl.corpus import Corpus, Table, open_corpus, save_corpus
from mrl.data import MaskedDataset, PairDataset, TextDataset
from mrl.errors import ColumnError, CorpusError, VocabError
from mrl.prepare import prepare_corpus
from mrl.ragged import Ragged, Text
from mrl.text import CharacterVocab, SmilesVocab

SMILES = ["CCO", "c1ccccc1", "", "C[C@H](N)C(=O)O", "CBr", "[Na+].[Cl-]", "O"]
VOCAB = SmilesVocab.from_data(SMILES, min_count=1)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    columns: dict[str, Any] = {"smiles": Text.of(SMILES), "name": Text.of(SMILES[::-1])}
    write_corpus(tmp_path / "c", columns, [0, 2, 2, 5, 7])
    return open_corpus(tmp_path / "c")


def test_a_column_comes_from_values_a_function_or_parts_of_any_size(corpus: Corpus) -> None:
    values = np.arange(7) / 2
    corpus = corpus.add_column("a", values)
    corpus = corpus.add_column("b", lambda table: table["a"] * 2)
    corpus = corpus.add_column("c", iter([values[:1], values[1:1], values[1:6], values[6:]]))
    corpus = corpus.add_column("text", (Text.of([text]) for text in SMILES))
    corpus = corpus.add_column("bits", lambda table: np.stack([table["a"] > k for k in range(2048)], 1))
    corpus = corpus.add_column("ids", Ragged.from_rows([[k] * k for k in range(7)], "uint8"))
    corpus = corpus.add_column("copy", corpus["smiles"])
    assert [corpus[name].tolist() for name in "abc"] == [values.tolist(), (values * 2).tolist(), values.tolist()]
    assert corpus["text"].tolist() == corpus["copy"].tolist() == SMILES
    assert (corpus["bits"].kind, corpus["bits"].take([6, 1]).sum(1).tolist()) == ("bool (2048,)", [3, 1])
    assert corpus["ids"][6].tolist() == [6] * 6
    assert corpus.verify() == []
    assert [entry["added column"] for entry in corpus.manifest.history] == [
        "a",
        "b",
        "c",
        "text",
        "bits",
        "ids",
        "copy",
    ]
    assert max(file.bytes for entry in corpus.manifest.shards for file in entry.files if "bits" in file.columns) < 4_000


def fails(table: Table) -> Any:
    if "CBr" in table.smiles.tolist():
        raise RuntimeError("no bromine")
    return table.smiles.lengths


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2], "x has 2 values for 7 rows; give one for each"),
        (lambda table: [1], "x has 1 values for the 2 rows of shard 0; give one for each"),
        (iter([[1, 2, 3]]), "x has only 1 values for the last 3 rows; give one for each"),
        (iter([np.arange(8)]), "x has more values than the 7 rows; give one for each"),
        (iter(["CCO"]), r"column 'x' is a single string, 'CCO': wrap it in a list, \['CCO'\]"),
        (iter([[1, 2], [0.5] * 5]), "x is int64 in some rows and float64 in others; give one type"),
        (["a", None] * 3 + ["b"], "column 'x' is 1-D object; expected text"),
        (np.zeros((7, 0)), "column 'x' is 2-D float64; expected text"),
        (np.zeros(7, complex), "column 'x' is 1-D complex128"),
    ],
)
def test_a_column_that_does_not_fit_leaves_the_corpus_as_it_was(corpus: Corpus, values: Any, words: str) -> None:
    before = sorted(path.name for path in corpus.path.iterdir())
    with pytest.raises(ColumnError, match=words):
        corpus.add_column("x", values)
    with pytest.raises(RuntimeError, match="no bromine"):
        corpus.add_column("x", fails)
    with pytest.raises(ColumnError, match="there is a column 'name' already"):
        corpus.add_column("name", values)
    assert sorted(path.name for path in corpus.path.iterdir()) == before
    assert open_corpus(corpus.path).verify() == []


def test_a_corpus_that_others_have_changed_is_not_written_over(corpus: Corpus) -> None:
    corpus.add_column("a", np.arange(7))
    with pytest.raises(CorpusError, match="opened before the corpus changed: open the whole corpus again"):
        corpus.add_column("b", np.arange(7))
    assert open_corpus(corpus.path).add_column("b", np.arange(7))["a"].tolist() == list(range(7))


def test_datasets_use_the_ids_that_are_kept(corpus: Corpus) -> None:
    with pytest.raises(CorpusError, match="has no vocabulary"):
        corpus.add_tokens()
    corpus = corpus.add_tokens(VOCAB)
    assert list(corpus.columns) == ["smiles", "name"]
    assert corpus.vocab == VOCAB
    text = corpus.smiles
    ids = text.token_ids(VOCAB.fingerprint())
    assert ids is not None
    assert [row.tolist() for row in ids] == [row.tolist() for row in VOCAB.encode(SMILES)]
    for make in (lambda text: TextDataset(text, VOCAB), lambda text: MaskedDataset(text, VOCAB, 0.5)):
        disk, memory = make(text), make(SMILES)
        assert str(disk.batch([3, 0, 6])) == str(memory.batch([3, 0, 6]))
        again = [ds.view([5, 1]).new(ds.view([5, 1]).smiles).batch() for ds in (disk, memory)]
        assert str(again[0]) == str(again[1])
        assert disk.lengths().tolist() == memory.lengths().tolist()
        assert disk.fingerprint() == make(corpus["smiles"]).fingerprint()


def test_another_vocabulary_encodes_the_text(corpus: Corpus) -> None:
    corpus = corpus.add_tokens(VOCAB)
    other = CharacterVocab("CO")
    assert corpus.smiles.token_ids(other.fingerprint()) is None
    assert TextDataset(corpus.smiles, other)[0].tolist() == [0, 4, 4, 5, 1]
    grown = SmilesVocab.load(corpus.path / "vocab.json")
    ds = TextDataset(corpus.smiles, grown)
    assert ds[4].tolist() == VOCAB.numericalize(VOCAB.tokenize("CBr"))
    grown.learn_merges(["CBr"] * 3, 1)
    assert ds[4].tolist() == grown.numericalize(grown.tokenize("CBr"))
    with pytest.raises(CorpusError, match="has another vocabulary: leave out vocab"):
        corpus.add_tokens(other, "name")
    with pytest.raises(ColumnError, match="there is a column 'smiles_tokens' already"):
        corpus.add_tokens()
    corpus = corpus.add_column("y", np.arange(7))
    with pytest.raises(ColumnError, match="column 'y' is int64, expected text"):
        corpus.add_tokens(column="y")
    corpus = corpus.add_tokens(column="name")
    pairs = PairDataset(corpus["smiles"], corpus["name"], corpus.vocab)
    assert str(pairs.batch([2, 3])) == str(PairDataset(SMILES, SMILES[::-1], VOCAB).batch([2, 3]))


def test_ids_are_not_kept_for_a_vocabulary_with_code_of_its_own(corpus: Corpus) -> None:
    class Reversed(CharacterVocab):
        kind = "reversed in a test"

        def tokenize(self, input: str) -> list[str]:
            return super().tokenize(input[::-1])

    with pytest.raises(VocabError, match="runs its own code: Reversed overrides tokenize"):
        corpus.add_tokens(Reversed("CO"))
    assert "vocab.json" not in [path.name for path in corpus.path.iterdir()]


def test_appended_rows_have_tokens_too(corpus: Corpus) -> None:
    corpus = corpus.add_tokens(VOCAB)
    corpus = corpus.append(Table({"smiles": Text.of(["CBr", "CO"]), "name": Text.of(["a", "b"])}))
    assert len(corpus) == 9
    assert TextDataset(corpus.smiles, VOCAB)[7].tolist() == VOCAB.numericalize(VOCAB.tokenize("CBr"))
    assert open_corpus(corpus.path).verify() == []
    with pytest.raises(
        ColumnError, match=r"the rows have the columns smiles \(text\), the corpus has smiles \(text\), na"
    ):
        corpus.append(Table({"smiles": Text.of(["C"])}))


def test_appended_rows_do_not_take_the_file_of_others(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("C\nC\nN\n")
    prepare_corpus(tmp_path / "a.smi", tmp_path / "c", duplicates="first", rows_per_part=1, workers=1, vocab=None)
    corpus = open_corpus(tmp_path / "c")
    assert [file.name for file in corpus.manifest.files] == [
        "shard-00000.arrow",
        "shard-00002.arrow",
        "rejects.parquet",
    ]
    corpus = corpus.append(Table({"smiles": Text.of(["O"]), "input_row": np.array([3])}))
    assert corpus.smiles[:].tolist() == ["C", "N", "O"]
    assert corpus.verify() == []


def test_a_split_may_have_any_name(tmp_path: Path) -> None:
    names = ["train", "a/b", "a_b", "..", "é", "x" * 200]
    write_corpus(tmp_path, {"smiles": Text.of(SMILES[:6])}, list(range(7)), names)
    corpus = open_corpus(tmp_path)
    assert {name: part.smiles.tolist() for name, part in corpus.splits.items()} == {
        name: [text] for name, text in zip(names, SMILES, strict=False)
    }
    assert corpus.verify() == []
    assert corpus.append(Table({"smiles": Text.of(["C"])}), split="a/b").splits["a/b"].smiles.tolist() == [
        SMILES[1],
        "C",
    ]
    with pytest.raises(CorpusError, match=r"this is a part of .*open the whole corpus again, and add to that"):
        corpus.splits["train"].add_column("y", [1])


def test_an_empty_corpus(tmp_path: Path) -> None:
    save_corpus(Table({"smiles": Text.of([])}), tmp_path)
    corpus = open_corpus(tmp_path).add_column("y", np.zeros(0)).add_column("z", lambda table: table["y"] > 0)
    corpus = corpus.add_tokens(VOCAB)
    assert (len(corpus), corpus.smiles.tolist(), corpus["z"].kind) == (0, [], "bool")
    assert len(TextDataset(corpus.smiles, corpus.vocab)) == 0
