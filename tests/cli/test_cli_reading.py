"""How commands read tables: the notation of the rows, and the encoding of the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_command import facts, rows, run

TEXTS = {
    "selfies": ["[C][C][O]", "[C][=C][Ring1][Branch1]"],
    "amino-acid": ["MKTAYIAK", "GSHMLEDP"],
    "nucleotide": ["ACGTTGCA", "GATTACA"],
    "kmer": ["ACGTTG", "GATTAC"],
}


def table_of(folder: Path, texts: list[str], name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(["sequence", *texts]) + "\n")
    return path


@pytest.mark.parametrize("kind", TEXTS)
def test_a_vocabulary_is_learned_checked_and_used_in_its_own_notation(tmp_path: Path, kind: str) -> None:
    path, vocab = table_of(tmp_path, TEXTS[kind] * 10), tmp_path / "v.json"
    assert facts("vocab", "learn", path, "-o", vocab, "--kind", kind)["rows"] == 20
    assert facts("vocab", "check", vocab, path)["changed"] == []
    assert facts("encode", vocab, path, "-o", tmp_path / "ids.npz")["rows"] == 20


@pytest.mark.parametrize("kind", ["selfies", "amino-acid", "nucleotide"])
def test_another_notation_is_an_error_whose_way_out_works(tmp_path: Path, kind: str) -> None:
    path, vocab = table_of(tmp_path, TEXTS[kind] * 10), tmp_path / "v.json"
    words: tuple[object, ...] = ("vocab", "learn", path, "-o", vocab, "--kind", "character")
    assert "not SMILES" in (message := run(*words, status=1)[1])
    assert "(--notation text)" in message
    assert facts(*words, "--notation", "text")["rows"] == 20
    words = ("encode", vocab, path, "-o", tmp_path / "ids.npz")
    assert "(--notation text)" in run(*words, status=1)[1]
    assert facts(*words, "--notation", "text")["rows"] == 20


def test_commands_on_molecules_do_not_take_other_notations_for_smiles(tmp_path: Path) -> None:
    path, out = table_of(tmp_path, TEXTS["selfies"]), tmp_path / "c.csv"
    for command in (["clean", path, "-o", out], ["show", path, "-o", tmp_path / "a.html"], ["evaluate", path]):
        message = run(*command, status=1)[1].replace("\n", " ")
        assert "holds SELFIES, not SMILES, e.g. '[C][C][O]', but this command works on SMILES: choose" in message
        assert "with --notation text each row is parsed as SMILES" in message
        assert "works on SMILES" in run(*command, "--notation", "selfies", status=2)[1].replace("\n", " ")
    assert not out.exists()
    assert "left out, syntax: 1 row" in run("clean", path, "-o", out, "--notation", "text")[1]
    run("clean", path, "-o", out, "--notation", "text")  # as the message says: each row is parsed
    assert [row["sequence"] for row in rows(out)] == ["[C][C][O]"]


def test_a_fasta_file_is_sequences_even_where_their_letters_are_atoms(tmp_path: Path) -> None:
    path, vocab = tmp_path / "c.fasta", tmp_path / "v.json"
    path.write_text(">a\nCCN\n>b\nCCOP\n")
    assert facts("inspect", path)["notation"] == "protein"
    for command in (["clean", path, "-o", tmp_path / "c.csv"], ["vocab", "learn", path, "-o", vocab]):
        assert "holds protein sequences, not SMILES, e.g. 'CCN'" in run(*command, status=1)[1]
    assert facts("vocab", "learn", path, "-o", vocab, "--notation", "text")["rows"] == 2
    assert "not SMILES" in run("vocab", "check", vocab, path, status=1)[1]
    assert facts("vocab", "learn", path, "-o", vocab, "--kind", "character")["rows"] == 2
    assert facts("vocab", "check", vocab, path)["changed"] == []


def test_a_comment_in_front_of_the_column_names_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# from ChEMBL\nsmiles,y\nCCO,1\n")
    assert "delete the lines in front of the column names" in run("inspect", path, status=1)[1]
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert facts("inspect", path)["rows"] == 1


def test_text_of_another_encoding_is_read_if_it_is_named(tmp_path: Path) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "c.csv"
    path.write_bytes("smiles,name\nCCO,Käse\n".encode("utf-16"))
    assert "(--encoding utf-16)" in run("clean", path, "-o", out, status=1)[1]
    run("clean", path, "-o", out, "--encoding", "utf-16")
    assert rows(out) == [{"smiles": "CCO", "name": "Käse"}]
    assert "--encoding is 'utf-17'" in run("clean", path, "-o", out, "--encoding", "utf-17", status=2)[1]


def test_standard_input_and_sd_files_are_read(tmp_path: Path) -> None:
    block = "ethanol\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n"
    (tmp_path / "t.sdf").write_text(f"{block}>  <y>\n1\n\n$$$$\n{block.replace('M  END', '')}$$$$\n")
    out, rejects = tmp_path / "c.csv", tmp_path / "r.csv"
    assert facts("clean", tmp_path / "t.sdf", "-o", out, "--rejects", rejects)["rows"] == 2
    assert rows(out) == [{"smiles": "C", "name": "ethanol", "y": "1"}]
    assert [row["row"] for row in rows(rejects)] == ["1"]
    command = [sys.executable, "-m", "mrl", "clean", "-", "--format", "smi", "-o", str(out)]
    subprocess.run(command, input=b"CCO a\nC b\n", check=True, capture_output=True)
    assert rows(out) == [{"smiles": "CCO", "name": "a"}, {"smiles": "C", "name": "b"}]
    parts = tmp_path / "parts"
    run("split", tmp_path / "t.sdf", "-o", parts, "--sizes", "1,0", "--by", "random")
    assert [row["name"] for row in rows(parts / "train.csv")] == ["ethanol"]
    run("inspect", "-", status=1)


def test_decimal_commas_are_named_and_read(tmp_path: Path) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "c.csv"
    path.write_text("smiles;logD\nCCO;n.d.\nCCC;-1,5\nOCC;>2,5\nCCN;0,5\nCCCl;1,5\nCCF;3\n")
    words = ("clean", path, "-o", out, "--target", "logD", "--duplicates", "mean", "--on-label", "nan")
    assert "the column has decimal commas" in run(*words[:-2], status=1)[1]
    assert "(--decimal ,)" in run(*words[:-2], status=1)[1]
    assert "the column has decimal commas" in run(*words, status=1)[1]  # --on-label nan does not lose all of them
    assert facts("inspect", path)["column_facts"]["logD"]["decimal"] == ","
    assert "decimal commas: --decimal ," in run("inspect", path)[0].replace("\n", " ")
    run(*words, "--decimal", ",")
    assert [row["logD"] for row in rows(out)] == [">2.5", "-1.5", "0.5", "1.5", "3.0"]
    run(
        "prepare", path, "-o", tmp_path / "corpus", "--target-columns", "logD", "--decimal", ",", "--on-label", "reject"
    )


def test_labels_that_are_words_get_numbers(tmp_path: Path) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "c.csv"
    path.write_text("smiles,hERG\nCCO,active\nCCC,inactive\nOCC,active\nCCN,\n")
    words = ("clean", path, "-o", out, "--duplicates", "drop", "--target", "hERG")
    assert "(--label-map)" in run(*words, status=1)[1]
    run(*words, "--label-map", "active=1", "--label-map", "inactive=0")
    assert [row["hERG"] for row in rows(out)] == ["1.0", "0.0", ""]
    assert "--label-map is 'active'; expected WORD=NUMBER" in run(*words, "--label-map", "active", status=2)[1]
