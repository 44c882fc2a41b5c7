"""The line that is named for a row is where it begins in an editor, in every format that has lines."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl import featurize
from mrl.chem import Descriptors, clean, screen
from mrl.corpus import ReadOptions, Table, open_corpus, read, read_blocks, save_corpus
from mrl.ragged import Rejects

ENDS = st.sampled_from(["\n", "\r\n", "\r"])
ANY = ReadOptions(notation="text", on_label="reject")


def starts(parts: list[str]) -> list[int]:
    """Return the line, from 1, in which each part of a text begins: line ends are those of Python's universal mode."""
    return [1 + len(re.findall("\r\n|\r|\n", "".join(parts[:i]))) for i in range(len(parts))]


def lines_of(table: Table) -> dict[int, int]:
    """Return the line of every row, kept or rejected."""
    assert table.lines is not None
    kept = dict(zip(table.rows.tolist(), table.lines.tolist(), strict=True))
    assert kept.keys() == set(table.rows.tolist())
    assert table.rejects.lines.keys() == {reject.row for reject in table.rejects}
    return kept | table.rejects.lines


def assert_lines(name: str, head: str, records: list[str], **options: object) -> Table:
    """Read the file of a header and records, each with its line end; return its table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes((head + "".join(records)).encode())
        table = read(path, options=ANY, **options)  # type: ignore[arg-type]
        blocks = [lines_of(block) for block in read_blocks(path, options=ANY, **options)]  # type: ignore[arg-type]
    expected = dict(enumerate(starts([head, *records])[1:]))
    assert lines_of(table) == expected
    assert {row: line for block in blocks for row, line in block.items()} == expected
    return table


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


CELL = st.text('ab,"\r\n\t ', max_size=6).map(quoted) | st.sampled_from(["x", 'x"y', ""])
ROW = st.tuples(CELL, CELL, st.sampled_from(["1", "2.5", "NA", "bad"])).map(",".join)
RECORD = ROW | st.sampled_from(
    ["", "# a comment", "C", "C,x,1,more", ',"two\nlines",3', '"a\r\nb","c\rd",', ' "x",C,1']
)


@given(st.lists(RECORD, min_size=1, max_size=20), ENDS, st.booleans(), st.sampled_from(["", "\n\n", "\ufeff"]))
@settings(deadline=None, max_examples=200)
def test_lines_of_a_table_with_line_ends_in_quotes(records: list[str], end: str, two: bool, before: str) -> None:
    head = f"{before}smiles,{quoted('a' + end + 'note') if two else 'note'},y{end}"
    records = [f"{record}{end}" for record in ["CCO,first,1", *records, "CCO,last,1"]]
    assert_lines("t.csv", head, records, smiles="smiles", targets="y", others=True)


@given(st.lists(st.sampled_from(["CCO a name", "", "# comment", "C C C", "\u00e9", "CC\t|x|"]), max_size=20), ENDS)
@settings(deadline=None, max_examples=50)
def test_lines_of_a_list(lines: list[str], end: str) -> None:
    assert_lines("t.smi", end, [f"{line}{end}" for line in ["CCO first", *lines, "CCO last"]])


def block(end: str, title: str, values: str) -> str:
    atoms = ["  1  0  0  0  0  0  0  0  0  0999 V2000", "    0.0000    0.0000    0.0000 C   0  0"]
    return end.join([title, "  mrl", "", *atoms, "M  END", *values.split("\n"), "$$$$", ""])


RECORDS: dict[str, Callable[[str, str], str]] = {
    "t.sdf": lambda end, text: block(end, text[:3], f">  <note>\n{text or '-'}\n") if text else f"junk{end}$$$${end}",
    "t.fasta": lambda end, text: f">{text or 'x'}{end}" + "".join(f"MK{end}" for _ in text),
    "t.jsonl": lambda end, text: f'{{"smiles": "C", "note": "{text}"}}{end}' if text else end,
}


@pytest.mark.parametrize("name", RECORDS)
@given(texts=st.lists(st.text("ab", max_size=4), max_size=10), end=ENDS)
@settings(deadline=None, max_examples=30)
def test_lines_of_records(name: str, texts: list[str], end: str) -> None:
    end = "\n" if name == "t.jsonl" and end == "\r" else end  # JSON Lines end with \n
    records = [RECORDS[name](end, text) for text in ["a", *texts, "b"]]
    assert_lines(name, "" if name == "t.sdf" else end, records)


def test_lines_inside_a_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"smiles":\r"C"}\nbad\n{"smiles": "N"}\n')
    assert lines_of(read(path)) == {0: 1, 1: 3, 2: 4}


AWKWARD = 'smiles,note\nCCO,"two\nlines"\n\nC(,"three\n\nlines"\nCCO,again\n"C[13CH2\n",x\nCC,last\n'
# rows        0            1   2                 3         4           5
# lines       2 3          4   5 6 7             8         9 10        11


@pytest.fixture
def table(tmp_path: Path) -> Table:
    path = tmp_path / "t.csv"
    path.write_text(AWKWARD)
    return read(path, others=True)


def test_rejects_of_every_later_step_have_the_lines_of_the_file(table: Table) -> None:
    assert lines_of(table) == {0: 2, 1: 4, 2: 5, 3: 8, 4: 9, 5: 11}
    assert table.rejects.lines == {1: 4}

    def lines(rejects: Rejects) -> list[int]:
        return [rejects.lines[reject.row] for reject in rejects]

    assert lines(clean(table, duplicates="first").rejects) == [5, 8, 9]
    assert lines(clean(table[1:]).rejects) == [5, 9]
    assert lines(screen(table).rejects) == [5, 9]
    assert lines(screen(["C"], cast(Any, table), on_error="drop").known_rejects) == [5, 9]
    assert lines(featurize(table, Descriptors(["qed"]), on_error="drop").rejects) == [5, 9]
    assert clean(table).rejects.to_dict()["line"] == [5, 9]
    assert clean(table.smiles).rejects.lines == {}


def test_lines_of_rejects_stay_in_a_corpus_that_is_saved(table: Table, tmp_path: Path) -> None:
    save_corpus(table, tmp_path / "corpus")
    assert open_corpus(tmp_path / "corpus").rejects.lines == {1: 4}


def test_files_without_lines(tmp_path: Path) -> None:
    table = Table({"smiles": ["C", "N"]}, rows=np.array([0, 2]))
    assert table.lines is None
    assert table[1:].lines is None
    assert clean(table).rejects.lines == {}
