"""What stands after a SMILES: nothing that is part of the molecule is lost in silence."""

from __future__ import annotations

import pytest

from mrl.chem import DropStereo, Duplicates, StripTail, clean, strip_tail
from mrl.errors import MoleculeError

RACEMATE, SAME_RACEMATE, PURE = "C[C@H](N)O |&1:1|", "O[C@@H](C)N |&7:1|", "C[C@H](N)O"
DROP = StripTail(stereo_groups="drop")


@pytest.mark.parametrize(
    ("text", "smiles"),
    [
        ("CCO ethanol", "CCO"),
        ("  C(C)O\t", "C(C)O"),
        ("OCC |c:1| dry ethanol", "OCC"),
        ("CCO |(0,0,0;1,1,0;2,2,0)|", "CCO"),
        ("CCO |$;;OH$|", "CCO"),
        ("CCO |atomProp:0.p.v|", "CCO"),
        ("C |^1:0|", "[CH3]"),
        ("[H]C |^1:1|", "[CH3]"),
        ("C=O |^4:0|", "[C]=O"),
        ("[O][O] |^1:0,1|", "[O][O]"),
        ("CC=CC |c:1|", "C/C=C\\C"),
        ("CC=CC |t:1|", "C/C=C/C"),
        ("C/C=C/C |t:1|", "C/C=C/C"),
        ("C[C@H](N)O |w:1.0|", "CC(N)O"),
        ("CC(N)O |(-1.3,-0.75,;0,0,;1.3,-0.75,;0,1.5,),wU:1.0|", "C[C@H](N)O"),
        ("C[C@H](N)O |a:1|", "C[C@H](N)O"),
        ("CC(N)O |&1:1|", "CC(N)O"),
        ("C( |&1:1|", "C("),
    ],
)
def test_what_a_tail_says_moves_into_the_smiles(text: str, smiles: str) -> None:
    assert strip_tail(text) == (smiles, "")


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        (RACEMATE, "C[C@H](N)O |&1:1|"),
        ("C[C@@H](N)O |&3:1|", "C[C@H](N)O |&1:1|"),
        ("C[C@H](N)O |o1:1|", "C[C@H](N)O |o1:1|"),
        ("C[C@H](N)O |r|", "C[C@H](N)O |r|"),
        ("O[C@H](F)[C@@H](N)C |a:1,o7:3|", "C[C@H](N)[C@H](O)F |o1:1|"),
    ],
)
def test_stereo_groups_are_returned_apart(text: str, groups: str) -> None:
    assert strip_tail(text) == (text.split()[0], groups)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("*CC |$R1;;$|", "labels a wildcard atom"),
        ("*CC |m:0:1.2|", "has 'm', which SMILES cannot express"),
        ("CC |Sg:n:1::ht|", "has 'Sg', which SMILES cannot express"),
        ("CC(N)O |wU:1.0|", "has wedged bonds that are not those of a stereo centre"),
        ("CCO |^9:0|", "cannot be read: '^9:0' is not"),
        ("C/C=C/C |c:1|", "contradicts the double bonds of the SMILES"),
        ("CCO |c:1", "has no second '|'"),
        ("C[C@H](N)O |&1:99|", "names atom 99, and the SMILES has 4 atoms, numbered from 0"),
        ("C[C@H](N)O |o1:1,4|", "names atom 4"),
        ("C[C@H](N)O |&1:0|", "has atom 0 in a stereo group, which has fewer than three neighbours"),
        ("C[C@H](N)O |&1:\u0661|", "'&1:\u0661' is not a feature of CXSMILES"),
        ("C[C@H](N)O |&1:1.5|", "'&1:1.5' is not a feature of CXSMILES"),
        ("C[C@H](N)O |1|", "'1' is not a feature of CXSMILES"),
        ("C[C@H](N)O |&1: 1|", "'&1: 1' is not a feature of CXSMILES"),
        ("C[C@H](N)O |&1:\0|", "is not a feature of CXSMILES"),
        ("C |^1:1|", "names atom 1, and the SMILES has 1 atom"),
        ("C |^8:0|", "'^8:0' is not a feature of CXSMILES"),
        ("C[CH2] |^2:1|", "has '^2:1', but the SMILES leaves atom 1 1 unpaired electron"),
        ("[CH3] |^2:0|", "leaves atom 0 1 unpaired electron"),
        ("[CH4] |^1:0|", "leaves atom 0 0 unpaired electrons"),
        ("[CH2] |^1:0|", "leaves atom 0 2 unpaired electrons"),
        ("[Fe] |^4:0|", "leaves atom 0 0 unpaired electrons"),
        ("C |^3:0|", "has '^3:0', with paired electrons, which SMILES does not distinguish"),
        ("CC=CC |c:1,3|", "names bond 3, and the SMILES has 3 bonds"),
        ("N[Pt] |C:0.1|", "names bond 1, and the SMILES has 1 bond"),
        ("CCO |$\ud800$|", "'|$\\ud800$|' cannot be read by RDKit"),
    ],
)
def test_what_cannot_be_kept_is_rejected(text: str, reason: str) -> None:
    with pytest.raises(MoleculeError, match="tail: ") as caught:
        strip_tail(text)
    assert reason in caught.value.reason
    (reject,) = clean([text], [StripTail()]).rejects
    assert (reject.stage, reject.reason) == ("strip tail", caught.value.reason)


def test_a_racemate_is_never_merged_with_a_pure_enantiomer() -> None:
    texts, labels = [RACEMATE, PURE, SAME_RACEMATE, PURE + " |o1:1|"], [1.0, 5.0, 3.0, 9.0]
    refused = clean(texts, [StripTail()], labels=labels, duplicates="mean")
    assert refused.kept.tolist() == [1]
    assert refused.rejects[0].reason == (
        "stereo groups: SMILES cannot express '|&1:1|'; to keep the isomer that is drawn, use "
        "StripTail(stereo_groups='drop')"
    )
    for by in ("smiles", "inchikey"):
        drawn = clean(texts, [DROP], labels=labels, duplicates=Duplicates("mean", by=by))
        assert drawn.labels is not None
        merged = by == "smiles"  # InChI of the two drawings differ
        assert drawn.kept.tolist() == ([0, 1, 3] if merged else [0, 1, 2, 3])
        assert drawn.labels.tolist() == ([2.0, 5.0, 9.0] if merged else labels)
    flat = clean(texts, [DROP, DropStereo()], labels=labels, duplicates="mean")
    assert flat.labels is not None
    assert (flat.smiles.tolist(), flat.labels.tolist()) == (["CC(N)O"], [4.5])
