"""One file with the rows that broke something once: at every command, rows in are rows out and rows rejected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_command import facts, rows

RINGS = [f"{'C' * n}{ring}" for n in range(1, 7) for ring in ("c1ccccc1", "C1CCNC1", "c1ccncc1")]
AWKWARD = [
    "CC−",  # U+2212
    "",
    "   ",
    "CCO junk",
    "C[C@H](N)C(=O)O |&1:1|",
    "C[C@H](N)C(=O)O",
    "C/C=C/C |t:1|",
    "CC(=O)Oc1ccccc1C(=O)O.NCCCC[C@H](N)C(=O)O",
    "C[n+]1cc([O-])on1",
    "C[N-][N+]#N",
    "CC(=O)O[Na]",
    "C[13CH](C)C",
    "[65537CH4]",
    "[CH260]",
    "[CH999]",
    "[#300]",
    "[#119]",
    "[C+128]",
    "O=C(c1cccc(-c2cccc(O)~c2)c1)N1CCc2ccccc2C1",
    "C" * 20_000,
    "c1ccccc",
    "CO(C)C",
    "c1cccc1",
    "[C][C][O]",
    "CC[Hg]C",
    "<rdkit.Chem.rdchem.Mol object at 0x7f0000000000>",
    "C\u2028C",
    "C\x1b[31mC",
    "[2H]C([2H])([2H])O",
    "F[P-](F)(F)(F)(F)F",
    "OCC",
    "CCO",
    "Cl[Pt](Cl)([NH3])[NH3]",
]


@pytest.fixture
def awkward(tmp_path: Path) -> Path:
    lines = [f'{i},"{text}",{i % 2},"a note, {i}"' for i, text in enumerate([*RINGS, *AWKWARD])]
    path = tmp_path / "awkward.csv"
    path.write_text("\n".join(["id,smiles,y,note", *lines, ""]), encoding="utf-8", newline="")
    return path


def test_every_row_is_written_or_rejected_at_every_step(awkward: Path, tmp_path: Path) -> None:
    total = len(RINGS) + len(AWKWARD)
    ids = {str(i) for i in range(total)}
    r = [tmp_path / f"rejects{i}.csv" for i in range(4)]

    clean = tmp_path / "clean.csv"
    steps = ["strip-tail", "disconnect-metals", "largest-fragment", "normalize", "uncharge", "canonical"]
    words = [word for step in steps for word in ("--step", step)]
    found = facts("clean", awkward, "-o", clean, *words, "--rejects", r[0])
    cleaned = rows(clean)
    assert found["rows"] == total == found["written"] + len(rows(r[0]))
    assert found["written"] == len(cleaned)
    assert {row["id"] for row in cleaned} < ids
    smiles = {row["id"]: row["smiles"] for row in cleaned}
    kept = {text: smiles[str(len(RINGS) + i)] for i, text in enumerate(AWKWARD) if str(len(RINGS) + i) in smiles}
    assert kept["CC(=O)Oc1ccccc1C(=O)O.NCCCC[C@H](N)C(=O)O"] == "CC(=O)Oc1ccccc1C(=O)O"
    assert kept["C[N-][N+]#N"] == "CN=[N+]=[N-]"
    assert kept["C[13CH](C)C"] == "C[13CH](C)C"
    assert kept["C/C=C/C |t:1|"] == "C/C=C/C"
    lost = {
        "CC−",
        "",
        "   ",
        "CCO junk",
        "[65537CH4]",
        "[CH260]",
        "[CH999]",
        "[#300]",
        "[#119]",
        "[C+128]",
        "C" * 20_000,
    }
    assert not {*kept} & (lost - {"CCO junk"})
    assert "C[C@H](N)C(=O)O |&1:1|" not in kept

    parts = tmp_path / "parts"
    found = facts("split", clean, "-o", parts, "--sizes", "0.5,0.25,0.25", "--by", "random", "--rejects", r[1])
    written = [row for name in ("train", "valid", "test") for row in rows(parts / f"{name}.csv")]
    assert len(cleaned) == found["rows"] == len(written) + found["rejects"]
    assert sorted(map(str, written)) == sorted(map(str, cleaned))

    vectors = tmp_path / "vectors.npz"
    found = facts("featurize", awkward, "-o", vectors, "--descriptors", "MaxPartialCharge,MolWt", "--rejects", r[2])
    with np.load(vectors) as made:
        assert np.isfinite(made["values"]).all()
        assert total == found["rows"] == len(made["values"]) + len(rows(r[2]))
        assert "CC[Hg]C" not in made["smiles"].tolist()

    found = facts("show", awkward, "-o", tmp_path / "page.html", "--rejects", r[3])
    assert total == found["rows"] + found["not_read"]
    assert found["not_read"] == len(rows(r[3]))
    found = facts("evaluate", awkward, "--train", clean)
    assert found["n"] == total
