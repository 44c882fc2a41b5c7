"""Files made wrong on purpose at every command that reads one: no traceback, a status, every row accounted for."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from cli_command import rows
from typer.testing import CliRunner

from mrl.cli.app import app

GOOD = b"smiles,y\nCCO,1\nc1ccccc1,2\nCCN,3\n"
MOL = b"\n  x\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n"
FILES: dict[str, bytes] = {
    "empty.csv": b"",
    "bom.csv": b"\xef\xbb\xbf",
    "header.csv": b"smiles,y\n",
    "nul.csv": GOOD.replace(b"CCN", b"C\0N"),
    "latin.csv": GOOD + b"CC\xe9,4\n",
    "utf16.csv": GOOD.decode().encode("utf-16"),
    "quotes.csv": GOOD + b'"CC,4\nCCC,5\n',
    "ragged.csv": GOOD + b"CC\nCC,1,2,3\n",
    "twice.csv": GOOD.replace(b"smiles,y", b"smiles,smiles"),
    "escape.csv": GOOD + b"C\x1b[31mC,4\n",
    "other.csv": b"a,b\n1,2\n3,4\n",
    "long.csv": GOOD + b"C" * 5000 + b",4\n[" * 2000 + b",5\n",
    "labels.csv": GOOD + b"CC,>10\nCCC,inactive\nCCCC,\n",
    "lines.csv": GOOD.replace(b"\n", b"\r") + b"C\xe2\x80\xa8C,4\r",
    "[bold]x.csv": GOOD + b"C(,4\nCO(C)C,5\n",
    "cut.csv.gz": gzip.compress(GOOD * 50)[:-12],
    "text.smi": b"name1 CCO\n# comment\n>fasta\nCCO |&1:9|\n",
    "cut.sdf": MOL + b"$$$$\n" + MOL[:60],
    "half.jsonl": b'{"smiles": "CCO", "y": 1}\n{"smiles": "CC"\n[]\n{"smiles": "\\ud800"}\n',
    "noise.parquet": b"PAR1" + bytes(range(256)) + b"PAR1",
    "noise.xlsx": b"PK\x03\x04" + bytes(range(256)),
}
COMMANDS = [
    ["inspect"],
    ["report", "-o", "OUT/report.html"],
    ["clean", "-o", "OUT/clean.csv", "--rejects", "OUT/rejects.csv"],
    ["clean", "-o", "OUT/clean.csv", "--duplicates", "mean", "--target", "y", "--on-label", "nan"],
    ["split", "-o", "OUT/parts", "--by", "random", "--sizes", "0.5,0.5", "--rejects", "OUT/rejects.csv"],
    ["featurize", "-o", "OUT/vectors.npz", "--rejects", "OUT/rejects.csv"],
    ["evaluate"],
    ["evaluate", "GOOD", "--reference"],
    ["show", "-o", "OUT/page.html"],
    ["vocab", "learn", "-o", "OUT/vocab.json"],
    ["vocab", "check", "VOCAB"],
    ["encode", "VOCAB", "-o", "OUT/ids.npz"],
    ["prepare", "-o", "OUT/corpus"],
]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_hostile_files_end_in_a_status_and_lose_no_row(command: list[str], tmp_path: Path) -> None:
    good, vocab = tmp_path / "good.csv", tmp_path / "vocab.json"
    good.write_bytes(GOOD)
    runner = CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})
    assert runner.invoke(app, ["vocab", "learn", str(good), "-o", str(vocab)]).exit_code == 0
    statuses = set()
    for i, (name, data) in enumerate(FILES.items()):
        folder = tmp_path / str(i)
        folder.mkdir()
        (folder / name).write_bytes(data)
        known = {"GOOD": str(good), "VOCAB": str(vocab)}
        words = [known.get(word, word.replace("OUT", str(folder))) for word in command]
        last = [*words, str(folder / name)]
        if command[0] not in ("vocab", "encode") and "GOOD" not in command:
            last = [command[0], str(folder / name), *words[1:]]
        has_json = command[0] in ("clean", "split", "featurize")
        result = runner.invoke(app, [*last, "--json"] if has_json else last)
        assert result.exception is None or isinstance(result.exception, SystemExit), (name, result.exception)
        assert result.exit_code in (0, 1, 2), (name, result.exit_code)
        assert "Traceback" not in result.output, name
        assert "\x1b[31m" not in result.output, name
        statuses.add(result.exit_code)
        if result.exit_code == 0 and "--rejects" in command:
            facts = json.loads(result.stdout)
            assert facts["rows"] == len(rows(folder / "rejects.csv")) + written(folder), (name, facts)
    assert statuses & {1, 2}


def written(folder: Path) -> int:
    """The rows of the files that a command wrote."""
    if (folder / "vectors.npz").exists():
        import numpy as np

        with np.load(folder / "vectors.npz") as made:
            return len(made["values"])
    paths = [folder / "clean.csv", *folder.glob("parts/*")]
    count = 0
    for path in paths:
        if path.suffix in (".csv", ".tsv") and path.exists():
            with open(path, newline="", encoding="utf-8") as file:
                count += sum(1 for _ in csv.reader(file)) - 1
        elif path.exists():
            count += len(path.read_text().splitlines())
    return count
