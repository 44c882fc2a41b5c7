"""``mrl vocab``, ``mrl encode``, and ``mrl inspect`` of a vocabulary."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mrl.cli.app import app
from mrl.ragged import Ragged
from mrl.text import CharacterVocab, RegexVocab, SelfiesVocab, SmilesVocab, Vocab

SMILES = ["CCO", "C[13CH3]", "[13CH3]N", "c1cc[nH]c1", "C/C=C\\[C@H](F)Cl", "CCBr"]


def run(*words: object, status: int = 0) -> tuple[str, str]:
    """Standard output and standard error of ``mrl words``."""
    result = CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}).invoke(
        app, [str(word) for word in words]
    )
    assert result.exit_code == status, (result.exit_code, result.output, result.exception)
    return result.stdout, re.sub(r"\x1b\[[0-9;]*m", "", result.stderr)


def file_of(folder: Path, rows: list[str], name: str = "molecules.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(["smiles", *rows]) + "\n")
    return path


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    return file_of(tmp_path, SMILES)


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """A vocabulary that knows C and O."""
    RegexVocab(["C", "O"], r"\[[^\]]+]").save(tmp_path / "narrow.json")
    return tmp_path / "narrow.json"


# --- learn -----------------------------------------------------------------------------------------------------------


def test_learn_makes_what_the_library_makes(molecules: Path, tmp_path: Path) -> None:
    _, messages = run("vocab", "learn", molecules, "-o", tmp_path / "vocab.json")
    learned = Vocab.load(tmp_path / "vocab.json")
    assert learned == SmilesVocab.from_data(SMILES)
    assert "[13CH3]" in learned.stoi
    assert f"saved {len(learned)} tokens" in messages


@pytest.mark.parametrize(
    ("kind", "options", "text", "tokens"),
    [
        ("regex", [], "C[Si]Br", ["C", "[Si]", "Br"]),
        ("regex", ["--pattern", "Si"], "C[Si]Br", ["C", "[", "Si", "]", "B", "r"]),
        ("character", [], "CBr", ["C", "B", "r"]),
        ("selfies", [], "[C][O]", ["[C]", "[O]"]),
        ("amino-acid", [], "MK", ["M", "K"]),
        ("nucleotide", [], "ACGT", ["A", "C", "G", "T"]),
        ("kmer", ["-k", "2"], "ACGTA", ["AC", "GT", "A"]),
        ("kmer", ["-k", "3", "--stride", "1"], "ACGTA", ["ACG", "CGT", "GTA"]),
        ("kmer", ["-k", "4", "--stride", "3"], "ACGTACGNA", ["ACGT", "TACG", "N", "A"]),
        ("smiles", ["--min-count", "1"], "C[13CH4]", ["C", "[13CH4]"]),
    ],
)
def test_every_kind_is_learned(tmp_path: Path, kind: str, options: list[str], text: str, tokens: list[str]) -> None:
    run("vocab", "learn", file_of(tmp_path, [text]), "-o", tmp_path / "v.json", "--kind", kind, *options)
    vocab = Vocab.load(tmp_path / "v.json")
    assert vocab.kind == kind
    assert vocab.tokenize(text)[1:-1] == tokens
    assert vocab.decode(vocab.encode([text], on_unknown="raise")) == [text]


def test_words_that_overlap_at_the_terminal(tmp_path: Path) -> None:
    texts = ["ACGTTGCA", "AC", "ACGNNACGTAA"]
    file, vocab = file_of(tmp_path, texts), tmp_path / "v.json"
    run("vocab", "learn", file, "-o", vocab, "--kind", "kmer", "-k", 3, "--stride", 2)
    assert json.loads(run("inspect", vocab, "--json")[0])["rules"]["stride"] == 2
    assert json.loads(run("vocab", "check", vocab, file, "--json")[0])["changed"] == []
    run("encode", vocab, file, "-o", tmp_path / "ids.npz")
    arrays = np.load(tmp_path / "ids.npz")
    assert Vocab.load(vocab).decode(Ragged(arrays["values"], arrays["offsets"])) == texts


def test_merges_are_learned_from_all_files(tmp_path: Path) -> None:
    rows = ["CC(=O)N", "CC(=O)O", "CC(=O)Cl"]
    files = [file_of(tmp_path, rows[:2], "a.csv"), file_of(tmp_path, rows[2:], "b.csv")]
    facts = json.loads(run("vocab", "learn", *files, "-o", tmp_path / "v.json", "--merges", 3, "--json")[0])
    assert facts["merges"] == 3
    assert Vocab.load(tmp_path / "v.json") == SmilesVocab.from_data(rows, merges=3)
    words = run("vocab", "learn", files[0], "-o", tmp_path / "w.json", "--merges", 3, "--max-size", 409)[1]
    assert "and 1 of several pieces learned from 2 rows" in words


def test_control_tokens_are_ids_that_no_text_can_spell(tmp_path: Path) -> None:
    file = file_of(tmp_path, ["CCO", "mask"])
    run("vocab", "learn", file, "-o", tmp_path / "v.json", "--control", "mask", "--control", "<a>", "--merges", 1)
    vocab = Vocab.load(tmp_path / "v.json")
    assert list(vocab.control) == ["mask", "<a>"]
    assert vocab.decode(vocab.encode(["mask<a>"])) == ["mask<a>"]
    assert json.loads(run("inspect", tmp_path / "v.json", "--json")[0])["control"] == ["mask", "<a>"]


def test_files_may_come_in_any_order(tmp_path: Path) -> None:
    a = file_of(tmp_path, SMILES[:4], "a.csv")
    b = tmp_path / "b.smi"
    b.write_text("\n".join(SMILES[4:]) + "\n")
    run("vocab", "learn", a, b, "-o", tmp_path / "ab.json", "--kind", "regex")
    run("vocab", "learn", b, a, "-o", tmp_path / "ba.json", "--kind", "regex")
    assert (tmp_path / "ab.json").read_bytes() == (tmp_path / "ba.json").read_bytes()


def test_what_is_left_out_is_reported(molecules: Path, tmp_path: Path) -> None:
    words = ("vocab", "learn", molecules, "-o", tmp_path / "v.json", "--kind", "regex")
    out, messages = run(*words, "--min-count", 2, "--json")
    facts = json.loads(out)
    assert facts["left_out"]["tokens"] == 12
    assert "'=' (1), 'Br' (1) and 7 more" in messages
    assert facts["fingerprint"] == Vocab.load(tmp_path / "v.json").fingerprint()
    assert json.loads(run(*words, "--max-size", 6, "--json")[0])["tokens"] == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "vocab.txt"], "ends in .json"),
        (["-o", "vocab.json", "--kind", "regex", "--pattern", "("], "is not a regular expression"),
        (["-o", "vocab.json", "--pattern", "C"], "--kind regex"),
        (["-o", "vocab.json", "-k", "3"], "--kind kmer"),
        (["-o", "vocab.json", "--stride", "1"], "--stride belongs to --kind kmer"),
        (["-o", "vocab.json", "--kind", "kmer", "-k", "3", "--stride", "4"], "stride is 4; expected 1 to 3"),
        (["-o", "vocab.json", "--max-size", "10"], "begins with 408 tokens; give 408 or more"),
        (["-o", "vocab.json", "--kind", "selfie"], "selfies"),
        (["-o", "vocab.json", "--control", "C"], "--control: the token 'C' is given twice"),
    ],
)
def test_wrong_options_are_usage_errors(
    molecules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in run("vocab", "learn", molecules, *words, status=2)[1]
    assert [path.name for path in tmp_path.iterdir()] == [molecules.name]


def test_a_text_in_another_notation_is_named_by_its_row_in_the_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, ["[C]", '""', "CCO"])
    _, messages = run("vocab", "learn", path, "-o", tmp_path / "v.json", "--kind", "selfies", status=1)
    assert "row 2, line 4: 'C' at position 0 of 'CCO'" in messages
    assert not (tmp_path / "v.json").exists()


# --- check -----------------------------------------------------------------------------------------------------------


def test_check_answers_no(molecules: Path, tmp_path: Path) -> None:
    run("vocab", "learn", molecules, "-o", tmp_path / "v.json")
    output, _ = run("vocab", "check", tmp_path / "v.json", molecules)
    assert "No molecule is changed: all 6 rows come back exactly" in output
    assert json.loads(run("vocab", "check", tmp_path / "v.json", molecules, "--json")[0])["changed"] == []


def test_check_names_every_row_by_its_place_in_the_file(narrow: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, ["CCO", '""', "C[Si]C", "CO", "CC\\[C@H]O"])
    output, _ = run("vocab", "check", narrow, path, status=1)
    assert "2 of 4 rows do not come back" in output
    assert re.search(r"2 +'C\[Si\]C' +'C\ufffdC'", output)
    assert "1 row could not be read" in output
    facts = json.loads(run("vocab", "check", narrow, path, "--json", status=1)[0])
    assert [(item["row"], item["text"], item["back"]) for item in facts["changed"]] == [
        (2, "C[Si]C", "C\ufffdC"),
        (4, "CC\\[C@H]O", "CC\ufffd\ufffdO"),
    ]
    assert [(item["token"], item["row"]) for item in facts["unknown"]] == [("[C@H]", 4), ("[Si]", 2), ("\\", 4)]
    assert (facts["rows"], [reject["row"] for reject in facts["not_read"]]) == (5, [1])


def test_an_unknown_token_that_looks_the_same_is_a_change(narrow: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, ["C\ufffd"])
    assert "1 of 1 row does not come back" in run("vocab", "check", narrow, path, status=1)[0]


def test_check_goes_on_after_a_row_that_cannot_be_encoded(tmp_path: Path) -> None:
    SelfiesVocab(["[C]"]).save(tmp_path / "v.json")
    path = file_of(tmp_path, ["CC", "[C]", "[C]x", "[O]"])
    facts = json.loads(run("vocab", "check", tmp_path / "v.json", path, "--json", status=1)[0])
    found = [(item["row"], item["back"]) for item in facts["changed"]]
    assert found == [(0, None), (2, None), (3, "\ufffd")]
    assert "'x' at position 3" in facts["changed"][1]["reason"]


def test_check_looks_past_the_first_rows_of_a_long_file(narrow: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, ["C"] * 25_000 + ["CN", "C"])
    facts = json.loads(run("vocab", "check", narrow, path, "--json", status=1)[0])
    assert [item["row"] for item in facts["changed"]] == [25_000]


# --- encode ----------------------------------------------------------------------------------------------------------


def test_ids_are_read_back_with_their_rows_and_their_vocabulary(tmp_path: Path) -> None:
    path = file_of(tmp_path, ["CCO", '""', "C[13CH3]"])
    vocab = SmilesVocab()
    vocab.save(tmp_path / "v.json")
    facts = json.loads(run("encode", tmp_path / "v.json", path, "-o", tmp_path / "ids.npz", "--json")[0])
    arrays = np.load(tmp_path / "ids.npz")
    ids = Ragged(arrays["values"], arrays["offsets"])
    assert vocab.decode(ids) == ["CCO", "C[13CH3]"]
    assert ids.values.dtype == vocab.dtype
    assert arrays["rows"].tolist() == [0, 2]
    assert vocab.accepts(int(arrays["n_tokens"]), str(arrays["fingerprint"]))
    assert (facts["rows"], facts["not_read"], facts["ids"]) == (2, 1, len(ids.values))


def test_the_same_file_gives_the_same_bytes(molecules: Path, tmp_path: Path) -> None:
    SmilesVocab().save(tmp_path / "v.json")
    for name in ("a.npz", "b.npz"):
        run("encode", tmp_path / "v.json", molecules, "-o", tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_unknown_tokens_are_an_error_unless_requested(narrow: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, ["CO", "C\\[C@H]O"])
    before = sorted(tmp_path.iterdir())
    _, messages = run("encode", narrow, path, "-o", tmp_path / "ids.npz", status=1)
    assert "2 tokens" in messages
    assert "row 1" in messages
    assert "mrl vocab check" in messages
    assert sorted(tmp_path.iterdir()) == before
    run("encode", narrow, path, "-o", tmp_path / "ids.npz", "--on-unknown", "unk")
    assert np.load(tmp_path / "ids.npz")["values"].tolist() == [0, 4, 5, 1, 0, 4, 3, 3, 5, 1]


def test_encode_rejects_other_names_before_it_works(narrow: Path, tmp_path: Path) -> None:
    assert "ends in .npz" in run("encode", narrow, tmp_path / "missing.csv", "-o", "ids.txt", status=2)[1]


def test_a_text_in_another_notation_is_not_encoded(tmp_path: Path) -> None:
    SelfiesVocab(["[C]"]).save(tmp_path / "v.json")
    path = file_of(tmp_path, ["[C]", "CC"])
    words = ("encode", tmp_path / "v.json", path, "-o", tmp_path / "ids.npz", "--on-unknown", "unk")
    assert "row 1, line 3: 'C' at position 0 of 'CC'" in run(*words, status=1)[1]


# --- inspect, and files that are not vocabularies -------------------------------------------------------------------


def test_inspect_knows_a_vocabulary_by_its_content(tmp_path: Path) -> None:
    vocab = RegexVocab(["C", "[Si]"], r"\[[^\]]+]")
    vocab.save(tmp_path / "anything.txt")
    output, _ = run("inspect", tmp_path / "anything.txt")
    assert r"\[[^\]]+]" in output
    assert vocab.fingerprint() in output
    assert re.search(r"first +'C'  '\[Si\]'", output)
    facts = json.loads(run("inspect", tmp_path / "anything.txt", "--json")[0])
    assert facts["kind"] == "regex"
    assert facts["engine"] == "table"
    assert facts["rules"] == {"pattern": vocab.pattern}
    assert (facts["tokens"], facts["first"], facts["last"]) == (6, ["C", "[Si]"], ["C", "[Si]"])


def test_inspect_of_a_vocabulary_takes_no_options_for_molecules(narrow: Path) -> None:
    assert "is a vocabulary" in run("inspect", narrow, "--smiles-column", "x", status=2)[1]


def test_an_edited_vocabulary_is_rejected_everywhere(narrow: Path, molecules: Path, tmp_path: Path) -> None:
    narrow.write_text(narrow.read_text().replace('"O"', '"N"'))
    for words in (
        ("inspect", narrow),
        ("vocab", "check", narrow, molecules),
        ("encode", narrow, molecules, "-o", tmp_path / "ids.npz"),
    ):
        assert "sha256" in run(*words, status=1)[1]
    assert not (tmp_path / "ids.npz").exists()


def test_a_missing_file_is_a_usage_error(molecules: Path, tmp_path: Path) -> None:
    assert "none.json" in run("vocab", "check", tmp_path / "none.json", molecules, status=2)[1]
    CharacterVocab(["C"]).save(tmp_path / "v.json")
    assert "none.csv" in run("vocab", "check", tmp_path / "v.json", tmp_path / "none.csv", status=2)[1]


def test_inspect_numbers_bad_rows_as_the_file_does(tmp_path: Path) -> None:
    path = file_of(tmp_path, ['""', "C(", "CC"])
    facts = json.loads(run("inspect", path, "--json", status=1)[0])
    assert [problem["row"] for problem in facts["problems"]] == [0, 1]


def test_inspect_numbers_unknown_tokens_as_the_file_does(narrow: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, ['""', "CO", '""', "CN"])
    facts = json.loads(run("inspect", path, "--vocab", narrow, "--json", status=1)[0])
    assert [(one["token"], one["row"]) for one in facts["vocabulary"]["unknown"]] == [("N", 3)]
    output, _ = run("inspect", path, "--vocab", narrow, status=1)
    assert re.search(r"'N' +1 +3 +'CN'", output)


def test_encode_and_check_load_neither_torch_nor_rdkit() -> None:
    loaded = "{'torch', 'rdkit', 'numba', 'pandas'} & set(sys.modules)"
    code = f"import sys\nfrom mrl.cli.commands import encode, vocab\nprint({loaded})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
