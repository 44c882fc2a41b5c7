"""Any texts through every function of a column: typed errors or rejects, no row lost, no valid one changed."""

from __future__ import annotations

import random
from typing import Any

import pytest
from rdkit import Chem, rdBase

from mrl.chem import (
    canon_smile,
    canonical_groups,
    clean,
    evaluate,
    fragment,
    from_safe,
    fuse,
    molecule_facts,
    murcko_scaffold,
    randomize,
    scaffold_groups,
    screen,
    strip_tail,
    to_mol,
    to_safe,
)
from mrl.errors import MoleculeError, MrlError

SEEDS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)[O-].[Na+]",
    "F/C=C/[13CH2]Br",
    "C[n+]1cc([O-])on1",
    "[CH3:1][OH:2]",
    "c1ccc2[nH]ccc2c1 |c:1|",
    "N->[Pt](<-N)(Cl)Cl",
    "[1*]C1CC%10CC1.C%10",
    "[2H]C([3H])([H])C#N",
]
CHARACTERS = [*"CNOcn()[]=#$%@+-./\\:*~|0123456789HBrClSi \t\n\0", "\u2212", "\ud800", "\u2028", "\xe9", "\U0001f600"]


class Text(str):
    """A subclass with a length of its own."""

    def __len__(self) -> int:
        return 3


def damaged(rng: random.Random) -> str:
    """Return a text near a molecule, or far from one."""
    if rng.random() < 0.1:
        return "".join(rng.choices(CHARACTERS, k=rng.randrange(12)))
    if rng.random() < 0.1:
        return f"C[{rng.choice(['', '13', '70000'])}{rng.choice(['CH', '#', 'Fe+', 'C-', 'C:'])}{rng.randrange(10**6)}]"
    text = list(rng.choice(SEEDS))
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(text) + 1)
        text[place : place + rng.randrange(3)] = rng.choices(CHARACTERS, k=rng.randrange(3))
    made = "".join(text) * rng.choice([1, 1, 1, 1, 1, 60])
    return Text(made) if rng.random() < 0.05 else made


def check(texts: list[Any]) -> int:
    """Check all functions of a column of texts, and of one text; return the number of valid ones."""
    valid: dict[int, str] = {}
    for row, text in enumerate(texts):
        try:
            valid[row] = canon_smile(text)
        except MoleculeError:
            continue
        assert Chem.MolToSmiles(to_mol(text)) == valid[row]
        with rdBase.BlockLogs():
            assert canon_smile(valid[row]) == valid[row], text
        for function in (to_mol, murcko_scaffold, randomize):
            assert function(text) is not None
        try:
            assert canon_smile(from_safe(to_safe(text))) == valid[row]
            assert canon_smile(fuse(fragment(text))) == valid[row]
        except MrlError:
            pass  # several molecules, a wildcard, or a bond whose stereo cannot be kept: said, not silent
    for text in texts:
        for reader in (strip_tail, from_safe, fuse):
            try:
                reader(text)
            except MrlError:
                continue
    rows = len(texts)
    cleaned, screened = clean(texts), screen(texts)
    assert sorted([*cleaned.kept.tolist(), *(reject.row for reject in cleaned.rejects)]) == [*range(rows)]
    assert cleaned.kept.tolist() == sorted(valid)
    assert [canon_smile(text) for text in cleaned.smiles] == [valid[row] for row in sorted(valid)]
    assert screened.n_valid == len(valid)
    assert len(evaluate(texts)) > 0
    for groups in (scaffold_groups(texts, on_error="mask"), canonical_groups(texts, on_error="mask")):
        assert [row for row in range(rows) if groups[row] >= 0] == sorted(valid)
    known = {row for row, ok in enumerate(molecule_facts(texts).ok) if ok}
    assert known >= valid.keys()
    assert all(" |" in texts[row] for row in known - valid.keys())  # it reads the tails of CXSMILES
    for name in ("moses", "guacamol", "reinvent", "molformer"):
        done = clean(texts, name)
        assert sorted([*done.kept.tolist(), *(reject.row for reject in done.rejects)]) == [*range(rows)]
    return len(valid)


def test_any_texts() -> None:
    rng = random.Random(0)
    assert 3 < check([damaged(rng) for _ in range(24)]) < 24


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_many_texts(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(10):
        check([damaged(rng) for _ in range(100)])
