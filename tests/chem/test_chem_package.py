"""The package as a whole: what it exports, what an import costs, silence, other processes."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys

import numpy as np
import pytest

from mrl import chem
from mrl.errors import MoleculeError


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)


def test_the_import_is_silent_and_leaves_the_heavy_parts_out() -> None:
    late = (
        "rdkit.Chem.Draw",
        "rdkit.Chem.QED",
        "rdkit.Chem.AllChem",
        "sascorer",
        "torch",
        "pyarrow",
        "pandas",
        "numba",
    )
    found = run(f"import sys, mrl.chem; sys.exit([m for m in {late!r} if m in sys.modules] or 0)")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_bad_input_and_every_function_print_nothing() -> None:
    found = run(
        "from mrl.chem import *\n"
        "import mrl.chem\n"
        "screen(['C1CC', '', None, 'c1cccc1', 'CO(C)C', 'C(', '[H]'], known=['CCO', '[H]'])\n"
        "draw_molecule('[2H]')\n"
        "for name in ('ECFP4', 'ECFP6', 'FCFP4', 'FCFP6', 'murcko_scaffold', *PROPERTIES):\n"
        "    for x in ('[H]', 'CC(=O)Oc1ccccc1C(=O)O'):\n"
        "        getattr(mrl.chem, name)(x)\n"
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_names_of_the_notebook_come_with_the_star() -> None:
    names: dict[str, object] = {}
    exec("from mrl.chem import *", names)
    assert {"to_mol", "molwt", "tpsa", "rings", "heavy_atoms", "ECFP6"} <= set(names)
    assert set(chem.__all__) == {name for name in names if not name.startswith("__")}


@pytest.mark.parametrize("name", chem.__all__)
def test_every_public_name_is_documented_and_pickles(name: str) -> None:
    thing = getattr(chem, name)
    copy = pickle.loads(pickle.dumps(thing))
    assert copy is thing or copy == thing or dict(copy) == dict(thing)
    assert (thing.__doc__ or "").strip()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_functions_run_in_other_processes(method: str) -> None:
    smiles = ["CCO", "c1ccccc1O"]
    with multiprocessing.get_context(method).Pool(1) as pool:
        np.testing.assert_array_equal(pool.map(chem.ECFP6, smiles), [chem.ECFP6(x) for x in smiles])
        assert pool.map(chem.qed, smiles) == [chem.qed(x) for x in smiles]
        with pytest.raises(MoleculeError, match="'C1CC' is not a molecule"):
            pool.map(chem.canon_smile, ["C1CC"])
