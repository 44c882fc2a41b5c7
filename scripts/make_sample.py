"""Make the bundled sample: products of virtual reactions, and well-known drugs.

Building blocks (building_blocks.csv) are joined in one to three steps by the reactions below, the common ones of
medicinal chemistry, written as RDKit reaction SMARTS. Products that are still reactive, too large, or without a stable
canonical SMILES are dropped. The drugs (drugs.csv) were written by hand with their molecular formulas, which are
compared with those that RDKit computes.

With the RDKit version named here the text is the same, byte for byte: the only source of randomness is
``random.Random(SEED).random()``, whose sequence Python guarantees, and nothing depends on the order of a set.

    python scripts/make_sample.py            # write src/mrl/corpus/sample.csv.bz2
    python scripts/make_sample.py --check    # make it again and compare; exit status 1 if it differs
"""

from __future__ import annotations

import argparse
import bz2
import csv
import io
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

import rdkit
from rdkit import Chem, RDLogger
from rdkit.Chem import QED, AllChem, Crippen, Descriptors, rdMolDescriptors

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "src" / "mrl" / "corpus" / "sample.csv.bz2"
RDKIT = "2026.09.1"  # the version that reproduces the text
SEED = 20
PRODUCTS = 20_500
MORE_STEPS = (0.68, 0.25)  # how often a second step is tried, and after it a third
WEIGHT = (120.0, 600.0)  # g/mol
LONGEST = 90  # characters of SMILES
HEADER = ("smiles", "name", "mw", "logp", "tpsa", "qed")

# A nucleophilic amine: not an amide, hydrazine or cyanamide. A Boc-amine counts as one: it is deprotected first.
AMINE = "[NX3;H1,H2;!$(N[C,S,P]=[O,S,N]);!$(N[!#6]);$(N[#6]):1]"
BOC = "CC(C)(C)OC(=O)[NX3;!$(N(C=O)C=O):1]"
ACID = "[OX2H1][C;$(C[#6]):2]=[O:3]"
ALCOHOL = "[OX2H1][CX4H2;!$(C[N,O,S]):2]"
PHENOL = "[OX2H1;$(Oc):1]"
LEAVING = "[Cl,Br;$([Cl,Br][CH2]C=O),$([Cl,Br][CH2]c),$(Br[CX4H2])][CX4H2:2]"
ACTIVATED = (  # an aryl halide next or opposite to a ring nitrogen, or opposite to a nitro group
    "[F,Cl;!$(Fc(:c):c);$([F,Cl]c:n),$([F,Cl]c:c:c:n)][c:2]",
    "[F,Cl;$([F,Cl]c1ccc(N(=O)~O)cc1)][c:2]",
)


class Reaction(NamedTuple):
    """Two classes of building blocks, the reaction SMARTS, and its relative frequency."""

    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    smarts: str
    share: int


AMINES = ("amine", "aniline")
REACTIONS = (
    Reaction("amide", AMINES, ("acid",), f"{AMINE}.{ACID}>>[N:1][C:2]=[O:3]", 18),
    Reaction("amide, Boc freed", AMINES, ("acid",), f"{BOC}.{ACID}>>[N:1][C:2]=[O:3]", 6),
    Reaction(
        "sulfonamide", AMINES, ("sulfonyl chloride",), f"{AMINE}.Cl[S:2](=[O:3])=[O:4]>>[N:1][S:2](=[O:3])=[O:4]", 7
    ),
    Reaction(
        "sulfonamide, Boc freed",
        AMINES,
        ("sulfonyl chloride",),
        f"{BOC}.Cl[S:2](=[O:3])=[O:4]>>[N:1][S:2](=[O:3])=[O:4]",
        3,
    ),
    Reaction("reductive amination", ("amine",), ("aldehyde",), f"{AMINE}.O=[CX3H1:2][#6:3]>>[N:1][CH2:2][#6:3]", 7),
    Reaction(
        "reductive amination, Boc freed", ("amine",), ("aldehyde",), f"{BOC}.O=[CX3H1:2][#6:3]>>[N:1][CH2:2][#6:3]", 3
    ),
    Reaction(
        "reductive amination of a ketone", AMINES, ("ketone",), f"{AMINE}.O=[C;R;$(C([CX4])[CX4]):2]>>[N:1][CH:2]", 4
    ),
    Reaction("urea", AMINES, ("isocyanate",), f"{AMINE}.[NX2:2]=[CX2:3]=[O:4]>>[N:1][C:3](=[O:4])[NH:2]", 5),
    Reaction("urea, Boc freed", AMINES, ("isocyanate",), f"{BOC}.[NX2:2]=[CX2:3]=[O:4]>>[N:1][C:3](=[O:4])[NH:2]", 2),
    Reaction(
        "carbamate",
        ("alcohol",),
        ("isocyanate",),
        "[OX2H1;$(O[CX4]):1].[NX2:2]=[CX2:3]=[O:4]>>[O:1][C:3](=[O:4])[NH:2]",
        3,
    ),
    Reaction("ester", ("alcohol",), ("acid",), f"[OX2H1;$(O[CX4]):1].{ACID}>>[O:1][C:2]=[O:3]", 4),
    Reaction("aryl ester", ("phenol",), ("acid",), f"{PHENOL}.{ACID}>>[O:1][C:2]=[O:3]", 1),
    Reaction("Mitsunobu ether", ("phenol",), ("alcohol",), f"{PHENOL}.{ALCOHOL}>>[O:1][C:2]", 4),
    Reaction("Williamson ether", ("phenol",), ("alkyl halide",), f"{PHENOL}.{LEAVING}>>[O:1][C:2]", 4),
    Reaction(
        "amine alkylation", ("amine",), ("alkyl halide",), f"[NX3;H1;$(N([CX4])[CX4]):1].{LEAVING}>>[N:1][C:2]", 5
    ),
    Reaction("azole alkylation", ("azole",), ("alkyl halide",), f"[nX3H1:1].{LEAVING}>>[n+0H0:1][C:2]", 6),
    Reaction("thioether", ("thiol",), ("alkyl halide",), f"[SX2H1:1].{LEAVING}>>[S:1][C:2]", 4),
    Reaction(
        "quaternary ammonium",
        ("alkyne", "alcohol"),
        ("alkyl halide",),
        f"[NX3H0;$(N([CX4])([CX4])[CX4]):1].{LEAVING}>>[N+:1][C:2]",
        1,
    ),
    Reaction("Suzuki", ("aryl halide",), ("boronic acid",), "[Br,I][c:1].[OX2H1]B([OX2H1])[c,CX4:2]>>[c:1][#6:2]", 14),
    Reaction(
        "Suzuki, E-alkenyl",
        ("aryl halide",),
        ("alkenylboronic acid",),
        "[Br,I][c:1].[OX2H1]B([OX2H1])/[CH:2]=[CH:3]/[#6:4]>>[c:1]/[CH:2]=[CH:3]/[#6:4]",
        2,
    ),
    Reaction("Buchwald", AMINES, ("aryl halide",), f"{AMINE}.[Br,I][c:2]>>[N:1][c:2]", 5),
    Reaction("Sonogashira", ("aryl halide",), ("alkyne",), "[Br,I][c:1].[CX2H1:2]#[CX2:3]>>[c:1][C:2]#[C:3]", 4),
    Reaction("SNAr", AMINES, ("snar",), f"{AMINE}.{ACTIVATED[0]}>>[N:1][c:2]", 8),
    Reaction("SNAr, nitro", ("amine",), ("snar",), f"{AMINE}.{ACTIVATED[1]}>>[N:1][c:2]", 2),
    Reaction("SNAr, Boc freed", AMINES, ("snar",), f"{BOC}.{ACTIVATED[0]}>>[N:1][c:2]", 3),
    Reaction("SNAr ether", ("phenol", "thiol"), ("snar",), f"[OX2H1,SX2H1;$(*c):1].{ACTIVATED[0]}>>[*:1][c:2]", 3),
    Reaction(
        "click triazole",
        ("azide",),
        ("alkyne",),
        "[#6:1][N:2]=[N+:3]=[N-:4].[CX2H1:5]#[CX2:6]>>[#6:1][n:2]1[n+0:3][n+0:4][c:6][cH:5]1",
        6,
    ),
    Reaction(
        "olefination",
        ("aldehyde",),
        ("phosphonate",),
        "O=[CX3H1:1][c:2].CCOP(=O)(OCC)[CH2:3][#6:4]>>[c:2]/[CH:1]=[CH:3]/[#6:4]",
        5,
    ),
    Reaction(
        "oxime ether",
        ("aldehyde",),
        ("hydroxylamine",),
        "O=[CX3H1:1][c:2].[NX3H2:3][OX2:4]>>[c:2]/[CH:1]=[N:3]/[O:4]",
        2,
    ),
    Reaction(
        "oxadiazole",
        ("amidoxime",),
        ("acid",),
        "[#6:1][C:2](=[N:3][OX2H1:4])[NX3H2:5].[OX2H1][C;$(C[#6]):6]=O>>[#6:1][c:2]1[n:3][o:4][c:6][n:5]1",
        3,
    ),
    Reaction(
        "thiazole",
        ("thioamide",),
        ("bromoketone",),
        "[NX3H2:1][C:2]=[S:3].O=[C:4][CH2:5]Br>>[n:1]1[c:2][s:3][cH:5][c:4]1",
        4,
    ),
    Reaction(
        "benzimidazole",
        ("diamine",),
        ("aldehyde",),
        "[NX3H2:1][c:2][c:3][NX3H2:4].O=[CX3H1:5][#6:6]>>[nH:1]1[c:2][c:3][n:4][c:5]1[#6:6]",
        3,
    ),
    Reaction("Boc removed", AMINES, (), f"{BOC}>>[N:1]", 1),
    Reaction("ester saponified", AMINES, (), "[CH3,CH2][OX2:1][C;$(C[#6]):2]=[O:3]>>[OH:1][C:2]=[O:3]", 2),
    Reaction("carboxylate", ("acid",), (), "[OX2H1:1][C;$(C[#6]):2]=[O:3]>>[O-:1][C:2]=[O:3]", 1),
    Reaction("ammonium", ("amine",), (), "[NX3;H1,H2;$(N[CX4]);!$(N[!#6]);!$(N[C,S]=[O,S,N]);!$(Nc):1]>>[N+:1]", 1),
    Reaction("pyridine N-oxide", ("snar",), (), "[nX2;$(n1ccccc1):1]>>[n+:1][O-]", 1),
    Reaction("sulfone", ("thiol",), (), "[SX2;$(S([#6])[#6]):1]>>[S:1](=O)=O", 2),
)

REACTIVE = tuple(
    map(
        Chem.MolFromSmarts,
        (
            "S(=O)(=O)Cl",  # sulfonyl chloride
            "N=C=O",  # isocyanate
            "[N-]=[N+]=N",  # azide
            "[CX4][Br,I]",  # alkyl bromide
            "[CH2]Cl",  # alkyl chloride
            "[CX3H1](=O)[#6]",  # aldehyde
            "[NX3H2][OX2]",  # free hydroxylamine
            "C(=N[OX2H1])[NX3H2]",  # amidoxime
            "[CX3](=S)[NX3H2]",  # thioamide
            "c([NX3H2])c[NX3H2]",  # diamine
            "[OX2H1]B([OX2H1])[#6]",  # boronic acid; esters stay
            "P(OCC)(OCC)(=O)CC=O",  # olefination reagent
            "[SX2H1]",  # thiol
        ),
    )
)

T = TypeVar("T")


class Maker:
    """Draws random products; all randomness comes from one stream of ``random()``."""

    def __init__(self, blocks: Sequence[tuple[str, str]]) -> None:
        self._random = random.Random(SEED).random
        self._blocks: dict[str, list[Chem.Mol]] = {}
        for smiles, kind in blocks:
            self._blocks.setdefault(kind, []).append(Chem.MolFromSmiles(smiles))
        self._reactions = [AllChem.ReactionFromSmarts(reaction.smarts) for reaction in REACTIONS]
        self._wheel = [i for i, reaction in enumerate(REACTIONS) for _ in range(reaction.share)]

    def _one_of(self, items: Sequence[T]) -> T:
        return items[int(self._random() * len(items))]

    def _block(self, classes: Sequence[str]) -> Chem.Mol:
        return self._one_of([block for kind in classes for block in self._blocks[kind]])

    def _react(self, number: int, start: Chem.Mol | None) -> Chem.Mol | None:
        """Return a product of a reaction of two building blocks, or of one and `start`; None if there is none."""
        recipe, reaction = REACTIONS[number], self._reactions[number]
        mols = [self._block(classes) for classes in (recipe.first, recipe.second) if classes]
        if start is not None:
            fits = [i for i in range(len(mols)) if start.HasSubstructMatch(reaction.GetReactantTemplate(i))]
            if not fits:
                return None
            mols[self._one_of(fits)] = start
        found: dict[str, Chem.Mol] = {}
        for (product,) in reaction.RunReactants(mols):
            if not Chem.SanitizeMol(product, catchErrors=True):
                found[Chem.MolToSmiles(product)] = product
        return found[self._one_of(sorted(found))] if found else None

    def product(self) -> Chem.Mol | None:
        """Return a molecule made in one to three steps, or None if the first one fails."""
        mol = self._react(self._one_of(self._wheel), None)
        for share in MORE_STEPS:
            if mol is None or self._random() >= share:
                return mol
            further = (self._react(self._one_of(self._wheel), mol) for _ in range(8))
            mol = next((new for new in further if new is not None), mol)
        return mol


def read(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the data files next to this script."""
    with open(HERE / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def products(count: int) -> Iterator[str]:
    """Yield distinct canonical SMILES, in the order in which they were made."""
    maker = Maker([(row["smiles"], row["class"]) for row in read("building_blocks.csv")])
    seen: dict[str, None] = {}
    while len(seen) < count:
        mol = maker.product()
        if mol is None or not WEIGHT[0] <= Descriptors.MolWt(mol) <= WEIGHT[1]:
            continue
        smiles = Chem.MolToSmiles(mol)
        if smiles in seen or len(smiles) > LONGEST or "." in smiles or any(map(mol.HasSubstructMatch, REACTIVE)):
            continue
        again = Chem.MolFromSmiles(smiles)
        if again is not None and Chem.MolToSmiles(again) == smiles:
            seen[smiles] = None
            yield smiles


def drugs() -> Iterator[tuple[str, str]]:
    """Yield canonical SMILES and name of each drug, after its formula has been checked."""
    for row in read("drugs.csv"):
        mol = Chem.MolFromSmiles(row["smiles"])
        formula = rdMolDescriptors.CalcMolFormula(mol)
        if formula != row["formula"]:
            raise SystemExit(f"drugs.csv: {row['name']} has the formula {row['formula']}, its SMILES gives {formula}")
        yield Chem.MolToSmiles(mol), row["name"]


def labelled(row: tuple[str, str]) -> tuple[str, ...]:
    """Return one row of the sample: average weight in g/mol, Crippen logP, TPSA in Å², QED."""
    smiles, name = row
    mol = Chem.MolFromSmiles(smiles)
    return (
        smiles,
        name,
        f"{Descriptors.MolWt(mol):.2f}",
        f"{Crippen.MolLogP(mol):.2f}",
        f"{rdMolDescriptors.CalcTPSA(mol):.1f}",
        f"{QED.qed(mol):.3f}",
    )


def make() -> str:
    """Return the text of the sample."""
    named = dict(drugs())
    rows = chain(named.items(), ((smiles, "") for smiles in products(PRODUCTS) if smiles not in named))
    with ProcessPoolExecutor() as pool:
        table = list(pool.map(labelled, rows, chunksize=200))  # labels are computed while products are still made
    position = random.Random(SEED).random
    table = [row for _, row in sorted((position(), row) for row in table)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *table])
    return text.getvalue()


def summary(text: str) -> str:
    """Return a description of the sample: sizes, distributions of properties, lengths."""
    rows = list(csv.DictReader(io.StringIO(text)))
    lines = [
        f"{len(rows):,} molecules, {sum(row['name'] != '' for row in rows)} of them drugs; RDKit {rdkit.__version__}"
    ]
    for column in HEADER[2:]:
        values = sorted(float(row[column]) for row in rows)
        marks = [values[int(q * (len(values) - 1))] for q in (0, 0.05, 0.5, 0.95, 1)]
        lines.append(
            f"{column:>5}: mean {sum(values) / len(values):7.3f}   0/5/50/95/100 %: {' '.join(map(str, marks))}"
        )
    lengths = sorted(len(row["smiles"]) for row in rows)
    lines.append(f"SMILES of {lengths[0]} to {lengths[-1]} characters, {lengths[len(lengths) // 2]} in the middle")
    return "\n".join(lines)


def first_difference(ours: str, theirs: str) -> str | None:
    """Return the first line in which two texts differ, or None."""
    pairs = zip(ours.split("\n"), theirs.split("\n"), strict=False)
    for line, (a, b) in enumerate(pairs, start=1):
        if a != b:
            return f"line {line}: made {a!r}, the file has {b!r}"
    return None if ours == theirs else f"one text ends early: made {len(ours)} characters, the file has {len(theirs)}"


def main() -> int:
    """Write the sample, or compare the existing one with a new one."""
    parser = argparse.ArgumentParser(description="Make the sample of molecules that is bundled with mrl.")
    parser.add_argument("--out", type=Path, default=SAMPLE, help="the .csv.bz2 to write, or to compare with")
    parser.add_argument("--check", action="store_true", help="compare with the file and write nothing")
    arguments = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    if rdkit.__version__ != RDKIT:
        print(f"RDKit is {rdkit.__version__}; the text is reproducible with {RDKIT} only", file=sys.stderr)
    text = make()
    print(summary(text))
    if arguments.check:
        difference = first_difference(text, bz2.decompress(arguments.out.read_bytes()).decode("utf-8"))
        print(f"{arguments.out} differs: {difference}" if difference else f"{arguments.out} is the same text")
        return 1 if difference else 0
    packed = bz2.compress(text.encode("utf-8"))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(packed)
    print(f"{arguments.out}: {len(packed):,} bytes, {len(text):,} unpacked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
