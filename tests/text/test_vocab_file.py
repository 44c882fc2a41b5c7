"""Vocabulary files: the same bytes from any process, every published version readable, every damage found."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import VocabError, VocabFileError
from mrl.text import CharacterReplaceVocab, CharacterVocab, RegexVocab, Vocab

FORMATS = Path(__file__).parent.parent / "formats"

SMALL = """{
 "format": "mrl-vocabulary",
 "kind": "character-replace",
 "rules": {
  "replace_dict": {
   "Br": "R",
   "Cl": "L"
  }
 },
 "sha256": "ad5ab79a9d4883b1a97f8ec1277a5154b7cf7af4e7745abe94a7e409746ab714",
 "specials": [
  "bos",
  "eos",
  "pad",
  "unk"
 ],
 "tokens": [
  "C",
  "[",
  "−",
  "R",
  "L"
 ],
 "version": 1
}
"""


def small() -> CharacterReplaceVocab:
    return CharacterReplaceVocab(["C", "[", "−"], {"Br": "R", "Cl": "L"})


def signed(**changed: Any) -> str:
    """The small file with other content and the digest that belongs to it."""
    body = json.loads(SMALL) | changed
    body = {key: value for key, value in body.items() if value is not ... and key != "sha256"}

    def text(content: dict[str, Any]) -> str:
        return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"

    return text(body | {"sha256": hashlib.sha256(text(body).encode()).hexdigest()})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vocab.json"


# --- the format --------------------------------------------------------------------------------------------------


def test_the_bytes_of_a_file(path: Path) -> None:
    small().save(path)
    assert path.read_bytes() == SMALL.encode()
    assert signed() == SMALL
    loaded = Vocab.load(path)
    assert type(loaded) is CharacterReplaceVocab
    assert loaded == small()
    assert loaded.fingerprint() == small().fingerprint()


def test_version_1_stays_readable(path: Path) -> None:
    vocab = Vocab.load(FORMATS / "vocab-1.json")
    assert type(vocab) is RegexVocab
    assert len(vocab) == 21
    assert vocab.itos[10:] == ["[nH]", "Cl", "[C@@H]", "\n", '"', "%12", "Br", "[Si]", "\\", "é", "−"]
    assert vocab.encode(['Cl[nH]−"'], on_unknown="raise").tolist() == [[0, 11, 10, 20, 14, 1]]
    assert vocab.fingerprint() == "157e696db1ace5d8df4b516c411a4ce2e9ff4b4414c49c73031b29d714e56535"
    vocab.save(path)
    assert path.read_bytes() == (FORMATS / "vocab-1.json").read_bytes()


@settings(deadline=None, max_examples=40)
@given(
    tokens=st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=8),
    keys=st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=3),
    kind=st.integers(0, 2),
)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, tokens: list[str], keys: list[str], kind: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    made: list[Callable[[], Vocab]] = [
        lambda: CharacterVocab(tokens),
        lambda: CharacterReplaceVocab(tokens, dict(zip(keys, "RLA", strict=False))),
        lambda: RegexVocab(tokens, "|".join(f"[{ord(c):#x}]" for c in "".join(keys))),
    ]
    vocab = made[kind]()
    vocab.save(path)
    data = path.read_bytes()
    loaded = Vocab.load(path)
    assert loaded == vocab
    assert (type(loaded), loaded.stoi) == (type(vocab), vocab.stoi)
    assert loaded.fingerprint() == vocab.fingerprint()
    loaded.save(path)
    assert path.read_bytes() == data


SCRIPT = """
import random, sys
from mrl.text import HALOGEN_REPLACE, SMILE_REGEX, CharacterReplaceVocab, CharacterVocab, RegexVocab
texts = ["C[Si]CBr", "[nH]1cc[se]c1", "ClC=O", "N#N", "[C@@H](F)I", "[Ru]", "PSB", "C%12OC%12"] * 3
random.Random(sys.argv[2]).shuffle(texts)
vocabs = CharacterVocab([]), CharacterReplaceVocab([], HALOGEN_REPLACE), RegexVocab([], SMILE_REGEX)
for i, vocab in enumerate(vocabs):
    vocab.update_vocab_from_data(texts if i else iter(texts))
    vocab.save(f"{sys.argv[1]}/{i}.json")
"""


def test_any_process_hash_seed_and_order_of_rows_gives_the_same_bytes(tmp_path: Path) -> None:
    found = set()
    for seed in ("0", "1", "12345"):
        folder = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(folder), seed], env=os.environ | {"PYTHONHASHSEED": seed}, check=True
        )
        found.add(tuple((folder / f"{i}.json").read_bytes() for i in range(3)))
    assert len(found) == 1
    assert [len(Vocab.load(tmp_path / "0" / f"{i}.json")) for i in range(3)] == [32, 32, 26]


# --- damage ------------------------------------------------------------------------------------------------------


def test_every_flipped_byte_is_found(path: Path) -> None:
    data = SMALL.encode()
    path.write_bytes(data)
    file = os.open(path, os.O_WRONLY)
    for position, right in enumerate(data):
        for wrong in {right ^ 1, right ^ 4, right ^ 32, right ^ 128, *b"\t0"} - {right}:
            os.pwrite(file, bytes([wrong]), position)
            with pytest.raises(VocabFileError, match="is not a valid mrl-vocabulary file"):
                Vocab.load(path)
        os.pwrite(file, bytes([right]), position)
    os.close(file)
    assert Vocab.load(path) == small()


def test_every_cut_and_every_insertion_is_found(path: Path) -> None:
    data = SMALL.encode()
    for position in range(0, len(data) + 1, 3):
        for damaged in (
            data[:position],
            data[:position] + b" " + data[position:],
            data[:position] + data[position + 1 :],
        ):
            if damaged != data:
                path.write_bytes(damaged)
                with pytest.raises(VocabFileError):
                    Vocab.load(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"smiles\nCCO\n", "not JSON"),
        (b"\x89PNG\r\n\x1a\n", "not JSON"),
        (pickle.dumps({"itos": ["C"]}), "not JSON"),
        (b"\xff\xfe\x00\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
        (b"1" * 10_000, "not JSON"),
        (b"[]", "another program"),
        (b"null", "another program"),
        (b'"mrl-vocabulary"', "another program"),
        (b'{"C": 0, "O": 1}', "another program"),
        (b'{"format": "mrl-corpus", "version": 1}', "another program"),
        (b'{"format": "mrl-vocabulary"}', "version is None and this mrl reads 1"),
        (b'{"format": "mrl-vocabulary", "version": 1}', "sha256"),
        (SMALL.encode("utf-16"), "sha256"),
        (b"\xef\xbb\xbf" + SMALL.encode(), "sha256"),
        (SMALL.replace("\n", "\r\n").encode(), "sha256"),
        (SMALL.replace('"C"', '"\\u0043"').encode(), "sha256"),
        (SMALL.replace('"C"', '"\\ud800"').encode(), "sha256"),
        (SMALL.replace('"R",', '"R", "Br": "R",', 1).encode(), "sha256"),
        (json.dumps(json.loads(SMALL)).encode(), "sha256"),
    ],
)  # fmt: skip
def test_files_of_other_programs_and_edited_files(path: Path, data: bytes, words: str) -> None:
    path.write_bytes(data)
    with pytest.raises(VocabFileError, match=words):
        Vocab.load(path)
    assert path.read_bytes() == data


@pytest.mark.parametrize("depth", [100, 500, 800, 900, 950, 980, 990, 5_000, 100_000])
def test_a_deep_nesting_is_found_like_any_edit(path: Path, depth: int) -> None:
    path.write_text(SMALL.replace('"tokens": [', '"tokens": [' + "[" * depth + "]" * depth + ","), encoding="utf-8")
    with pytest.raises(VocabFileError):
        Vocab.load(path)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"version": 3}, "version is 3 and this mrl reads 1 and 2; update mrl"),
        ({"version": "1"}, "version is '1'"),
        ({"version": ...}, "version is None"),
        ({"kind": "syllables"}, "the kind 'syllables', which is not known here .*import the module that defines"),
        ({"kind": ...}, "has the entries .*, expected"),
        ({"more": 1}, "has the entries .*'more'"),
        ({"kind": ["regex"]}, "as 'kind', expected a str"),
        ({"rules": ["replace_dict"]}, "as 'rules', expected a dict"),
        ({"rules": {}}, "does not hold a valid CharacterReplaceVocab: .*replace_dict"),
        ({"rules": {"replace_dict": {"Br": "R"}, "itos": []}}, "does not hold a valid CharacterReplaceVocab"),
        ({"rules": {"replace_dict": {"Br": "RR"}}}, "expected a single character"),
        ({"rules": {"replace_dict": None}}, "does not hold a valid CharacterReplaceVocab"),
        ({"specials": ["eos", "bos", "pad", "unk"]}, "has the special tokens"),
        ({"tokens": "CNO"}, "as 'tokens', expected a list"),
        ({"tokens": {"C": 0}}, "as 'tokens', expected a list"),
        ({"tokens": ["C", None, "R", "L"]}, "token 1 is None"),
        ({"tokens": ["C", "R", "L", "C"]}, "'C' is given twice"),
        ({"tokens": ["bos", "C", "R", "L"]}, "other ids than in the file"),
        ({"tokens": ["C", "R"]}, "other ids than in the file"),
    ],
)
def test_files_with_a_right_digest_and_wrong_content(path: Path, changed: dict[str, Any], words: str) -> None:
    path.write_text(signed(**changed), encoding="utf-8")
    with pytest.raises(VocabFileError, match=words) as error:
        Vocab.load(path)
    assert error.value.path == str(path)
    assert isinstance(error.value, ValueError)


def test_a_bad_pattern_in_a_file(path: Path) -> None:
    path.write_text(signed(kind="regex", rules={"pattern": "("}, tokens=["C"]), encoding="utf-8")
    with pytest.raises(VocabFileError, match=r"does not hold a valid RegexVocab: .*not a regular expression"):
        Vocab.load(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Vocab.load(tmp_path / "none.json")
    with pytest.raises(OSError, match="folder"):
        Vocab.load(tmp_path)


# --- classes -----------------------------------------------------------------------------------------------------


def test_the_class_that_was_saved_or_an_error(path: Path) -> None:
    small().save(str(path))
    assert CharacterReplaceVocab.load(path) == Vocab.load(str(path)) == small()
    with pytest.raises(
        VocabFileError, match=r"holds a CharacterReplaceVocab, not a RegexVocab; load it with Vocab\.load"
    ):
        RegexVocab.load(path)


class Syllables(Vocab):
    """A vocabulary of a user, with a setting."""

    kind = "test-syllables"

    def __init__(self, itos: list[str], size: int = 2) -> None:
        super().__init__(itos)
        self.size = size

    def tokenize(self, input: str) -> list[str]:
        return ["bos", *(input[i : i + self.size] for i in range(0, len(input), self.size)), "eos"]

    def rules(self) -> dict[str, Any]:
        return {"size": self.size}


def test_a_class_of_a_user_is_saved_by_its_kind(path: Path) -> None:
    vocab = Syllables(["CCO"], size=3)
    vocab.update_vocab_from_data(["CCOCNC"])
    vocab.save(path)
    loaded = Syllables.load(path)
    assert (loaded, loaded.size, loaded.itos[4:]) == (vocab, 3, ["CCO", "CNC"])
    assert loaded.decode(loaded.encode(["CNCCCO"])) == ["CNCCCO"]
    assert loaded != Syllables(["CCO", "CNC"], size=2)


def test_a_class_without_a_kind_of_its_own_is_not_saved_as_another(path: Path) -> None:
    class Mine(RegexVocab):
        pass

    path.write_text("kept")
    for vocab in (Vocab(["C"]), Mine(["C"], "C")):
        with pytest.raises(VocabError, match=r"has no `kind`.*give the class an attribute `kind`"):
            vocab.save(path)
    assert path.read_text() == "kept"
    assert list(path.parent.iterdir()) == [path]


def test_saving_makes_folders_and_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "vocab.json"
    for _ in range(2):
        small().save(target)
    assert list(target.parent.iterdir()) == [target]
    assert target.read_text(encoding="utf-8") == SMALL
