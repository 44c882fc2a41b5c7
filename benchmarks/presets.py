"""The presets of mrl.clean beside the programs that they follow, on the same molecules, row by row.

    git clone https://github.com/molecularsets/moses                 (and BenevolentAI/guacamol, MolecularAI/REINVENT4,
    git clone ...                                                     IBM/molformer, into one folder)
    python benchmarks/presets.py FOLDER FILES... -n 5000 -o differences.csv

Runs the functions of each program on rows of the files, with this RDKit, and compares the text that each row becomes,
or that it is left out, with what the preset makes of it; writes every difference to a file. The docstring of
`mrl.chem.preset` states the kinds of differences that are known.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import csv
import io
import re
import sys
import types
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import AllChem, rdMolDescriptors

import mrl
from mrl.chem import Canonical, DropIsotopes, DropStereo, Step, preset

Program: TypeAlias = Callable[[str], str | None]


def functions(file: Path, *names: str, **known: Any) -> dict[str, Any]:
    """Return functions and classes of a Python file without running the rest of it, which imports old packages."""
    wanted = [node for node in ast.parse(file.read_text()).body if getattr(node, "name", None) in names]
    space: dict[str, Any] = {"Chem": Chem, "AllChem": AllChem, "Optional": Any, **known}
    tree = ast.Module([ast.parse("from __future__ import annotations").body[0], *wanted], [])
    exec(compile(tree, str(file), "exec"), space)
    return space


def moses(folder: Path) -> Program:
    """Return `process_molecule` of scripts/prepare_dataset.py, and the bounds by which the paper selected from ZINC."""
    metrics = folder / "moses/moses/metrics"
    with (metrics / "mcf.csv").open() as mcf, (metrics / "wehi_pains.csv").open() as pains:
        smarts = [row["smarts"] for row in csv.DictReader(mcf)] + [row[0] for row in csv.reader(pains)]
    filters = [Chem.MolFromSmarts(pattern) for pattern in smarts]
    passes = functions(metrics / "utils.py", "mol_passes_filters", get_mol=Chem.MolFromSmiles, _filters=filters)

    descriptors: Any = import_module("rdkit.Chem.Descriptors")

    def run(text: str) -> str | None:
        if not passes["mol_passes_filters"](text):
            return None
        mol = Chem.MolFromSmiles(text)
        in_zinc = (
            250 <= descriptors.MolWt(mol) <= 350
            and rdMolDescriptors.CalcNumRotatableBonds(mol) <= 7
            and descriptors.MolLogP(mol) <= 3.5
        )
        return Chem.MolToSmiles(mol, isomericSmiles=False) if in_zinc else None

    return run


def guacamol(folder: Path) -> Program:
    """Return `get_raw_smiles` and `filter_and_canonicalize`, without the similarity to ten marketed drugs."""
    package = folder / "guacamol/guacamol"
    chemistry = functions(
        package / "utils/chemistry.py",
        "split_charged_mol",
        "initialise_neutralisation_reactions",
        "neutralise_charges",
        "filter_and_canonicalize",
        highest_tanimoto_precalc_fps=lambda mol, fps: 0.0,
        **dict.fromkeys(("List", "Iterable", "Collection", "Tuple"), Any),
    )
    data = functions(
        package / "data/get_data.py",
        "AllowedSmilesCharDictionary",
        "get_raw_smiles",
        "extract_smilesfile",
        split_charged_mol=chemistry["split_charged_mol"],
        platform=import_module("platform"),
    )
    allowed, reactions = (
        data["AllowedSmilesCharDictionary"](),
        chemistry["initialise_neutralisation_reactions"](),
    )

    def run(text: str) -> str | None:
        with contextlib.redirect_stdout(io.StringIO()):
            raw = data["get_raw_smiles"](
                text, allowed, lambda text, mode: io.StringIO(text), data["extract_smilesfile"]
            )
            found = [one for smiles in raw for one in chemistry["filter_and_canonicalize"](smiles, (), [], reactions)]
        return found[0] if found else None

    return run


def reinvent(folder: Path) -> Program:
    """Return the two filters of reinvent/datapipeline with their defaults; they never see the rest of the package."""
    package = types.ModuleType("reinvent")
    package.__path__ = [str(folder / "REINVENT4/reinvent")]
    sys.modules["reinvent"] = package
    filters, elements, normalizer, validation = (
        import_module(f"reinvent.datapipeline.{name}")
        for name in ("filters", "filters.elements", "normalizer", "validation")
    )
    config = validation.FilterSection(elements=sorted(elements.BASE_ELEMENTS))
    tokens, molecules = filters.RegexFilter(config), filters.RDKitFilter(config, normalizer.standard)

    def run(text: str) -> str | None:
        kept = tokens(text)
        try:
            written = molecules(kept)[0] if kept else None
        except Exception as error:  # the program ends here
            return f"{type(error).__name__}"
        return str(written) if written else None

    return run


def molformer(folder: Path) -> Program:
    """Return `normalize_smiles`, the tokens of `Encoder`, and the bounds of training/run_pubchem_light.sh."""
    code = folder / "molformer"
    normalize = functions(code / "finetune/utils.py", "normalize_smiles")["normalize_smiles"]
    line = re.search(r'self\.pattern = +(".*")', (code / "training/pubchem_encoder.py").read_text())
    pattern = re.compile(ast.literal_eval(line[1]) if line else "")

    def run(text: str) -> str | None:
        try:
            written = normalize(text, canonical=True, isomeric=False)
        except Exception:  # not a molecule: the program ends here
            return None
        return str(written) if 1 < len(pattern.findall(written)) < 202 else None

    return run


PROGRAMS: dict[str, tuple[Callable[[Path], Program], tuple[Step, ...]]] = {
    "none": (lambda folder: lambda text: Chem.MolToSmiles(Chem.MolFromSmiles(text)), (Canonical(),)),
    "moses": (moses, ()),
    "guacamol": (guacamol, ()),
    "reinvent": (reinvent, ()),
    "molformer": (molformer, (DropStereo(), DropIsotopes())),
}


def attempt(program: Program, text: str) -> str | None:
    """Return what a program makes of a text; an error is a row that it leaves out."""
    try:
        return program(text)
    except Exception as error:
        return f"({type(error).__name__})"


def main() -> None:
    """Run both sides and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("-n", type=int, default=5000, help="rows, as many of each file")
    parser.add_argument("-o", type=Path, default=Path("differences.csv"))
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    texts: list[str] = []
    for file in options.files:
        table = mrl.read(file)
        rows = rng.permutation(len(table))[: options.n // len(options.files)]
        texts += [table.smiles[int(row)] for row in np.sort(rows)]
    print(f"{len(texts):,} molecules, RDKit {rdBase.rdkitVersion}")
    with options.o.open("w", newline="") as opened, rdBase.BlockLogs():
        writer = csv.writer(opened)
        writer.writerow(["preset", "text", "program", "mrl", "reason"])
        for name, (make, more) in PROGRAMS.items():
            program = make(options.folder)
            cleaned = mrl.clean(texts, [*preset(name), *more])
            ours = dict(zip(cleaned.kept.tolist(), cleaned.smiles.tolist(), strict=True))
            reasons = {reject.row: f"{reject.stage}: {reject.reason}" for reject in cleaned.rejects}
            counts: Counter[str] = Counter()
            for row, text in enumerate(texts):
                theirs, mine = attempt(program, text), ours.get(row)
                kind = (
                    "both, equal"
                    if theirs == mine is not None
                    else "neither"
                    if theirs == mine
                    else ("only the program" if mine is None else "only mrl" if theirs is None else "both, different")
                )
                counts[kind] += 1
                if theirs != mine:
                    writer.writerow([name, text, theirs, mine, reasons.get(row, "")])
            print(f"{name:10}", ", ".join(f"{kind} {count:,}" for kind, count in sorted(counts.items())), flush=True)


if __name__ == "__main__":
    main()
