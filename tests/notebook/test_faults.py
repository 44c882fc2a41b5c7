"""The faults B1 to B24 of the notebook's code, each shown by an input; mrl has none of them.

``MRL_FAULTS_AGAINST=notebook`` (with ``MRL_NOTEBOOK``) runs the same tests on the notebook's code: each must fail.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import notebook_cells
import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem

import mrl.chem
import mrl.dataloaders
import mrl.text
from mrl.data import split
from mrl.errors import DuplicateTokenError, FeatureError, MoleculeError, TokenIdError, UnknownTokenWarning
from mrl.text import constants

ELEMENTS = [Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(1, 119)]


@pytest.fixture
def nb() -> Any:
    """The names of the notebook's module: those of mrl, or those that the notebook's cells define."""
    if os.environ.get("MRL_FAULTS_AGAINST") == "notebook":
        module = notebook_cells.module(Path(os.environ["MRL_NOTEBOOK"]))
        vars(module)["to_mol"] = Chem.MolFromSmiles  # as in its chemistry module
        return module
    module = ModuleType("ours")
    vars(module).update({name: getattr(mrl.dataloaders, name) for name in mrl.dataloaders.__all__})
    vars(module).update(
        MAPPING_PATTERN=mrl.text.MAPPING_PATTERN,
        SMILES_PATTERN=mrl.text.SMILES_PATTERN,
        source=Path(constants.__file__).read_text(encoding="utf-8"),
        to_mol=mrl.chem.to_mol,
    )
    return module


def round_trip(vocab: Any, texts: list[str]) -> list[str]:
    """Return what becomes of the texts after a vocabulary has learned them."""
    vocab.update_vocab_from_data(texts)
    return [vocab.reconstruct(vocab.numericalize(vocab.tokenize(text))) for text in texts]


def carbons(nb: Any, n: int) -> tuple[list[str], Any]:
    """Return chains of one to n carbon atoms, and a vocabulary for them."""
    return ["C" * size for size in range(1, n + 1)], nb.CharacterVocab(nb.SMILES_CHAR_VOCAB)


def test_b01_split_uses_its_own_length(nb: Any) -> None:
    nb.smiles = ["C"] * 2000  # a global variable of the user, of another length
    texts, vocab = carbons(nb, 100)
    assert [len(part) for part in nb.TextDataset(texts, vocab).split(0.2)] == [80, 20]


def test_b02_split_cuts_exactly_and_checks_its_fraction(nb: Any) -> None:
    nb.smiles, vocab = carbons(nb, 10)
    ds = nb.TextDataset(nb.smiles, vocab)
    assert [len(part) for part in ds.split(0.9)] == [1, 9]
    for fraction in (1.5, 1, 0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            ds.split(fraction)


def test_b03_split_has_a_seed_copies_nothing_and_keeps_groups(nb: Any) -> None:
    nb.smiles, vocab = carbons(nb, 100)
    ds = nb.TextDataset(nb.smiles, vocab)
    first, again = ([list(part.smiles) for part in ds.split(0.2)] for _ in range(2))
    assert first == again
    assert first != [list(part.smiles) for part in ds.split(0.2, seed=1)]
    assert sorted(first[0] + first[1]) == sorted(nb.smiles)
    train, _ = ds.split(0.2)
    assert train.smiles.column is ds.smiles  # a view
    groups = [len(text) // 7 for text in nb.smiles]
    for parts in (split(ds, (0.8, 0.1, 0.1), groups=groups), split(ds, (80, 20), groups=groups)):
        sides = [{len(text) // 7 for text in part.smiles} for part in parts]
        assert sum(map(len, sides)) == len(set.union(*sides)) == len(set(groups))
    parts = split(ds, (0.5, 0.5), stratify=[i % 2 for i in range(100)])
    assert [sum((len(text) - 1) % 2 for text in part.smiles) for part in parts] == [25, 25]


def test_b04_batches_are_made_on_the_cpu_and_moved_after_the_workers(nb: Any) -> None:
    texts, vocab = carbons(nb, 4)
    ds = nb.TextDataset(texts, vocab)
    rows = [ds[i] for i in range(4)]
    with torch.device("meta"):  # the default device is an accelerator
        x, y = nb.lm_collate(rows, vocab.stoi["pad"])
    assert (x.device.type, y.device.type) == ("cpu", "cpu")
    x, y = next(iter(ds.dataloader(4, num_workers=1, device="meta")))
    assert (x.device.type, y.device.type) == ("meta", "meta")


def test_b05_new_tokens_come_by_count_then_text(nb: Any) -> None:
    vocab = nb.CharacterVocab(["C"])
    vocab.update_vocab_from_data(["CzZyxWv", "uUtTsSC", "WWv", "Os"])
    assert vocab.itos[4:] == ["C", "W", "s", "v", "O", "S", "T", "U", "Z", "t", "u", "x", "y", "z"]


def test_b06_unknown_tokens_are_counted_not_collected(nb: Any) -> None:
    texts = ["CNC", "CNN", "CO"] * 100
    vocab = nb.CharacterVocab(["C"])
    for text in texts:
        vocab.numericalize(vocab.tokenize(text))
    assert len(vocab.unks) == 2
    assert dict(vocab.unks) == {"N": 300, "O": 100}
    ds = nb.TextDataset(texts, vocab)
    with pytest.warns(UnknownTokenWarning, match=r"400 tokens are not .*'N' \(300\), 'O' \(100\)"):
        batches = list(ds.dataloader(50, num_workers=1))  # the warning comes from this process, not from a worker
    assert len(batches) == 6
    assert dict(vocab.unks) == {"N": 300, "O": 100}


@pytest.mark.parametrize("pattern", ["SMILE_REGEX", "MAPPING_REGEX"])
def test_b07_what_the_pattern_does_not_match_is_round_trip(nb: Any, pattern: str) -> None:
    texts = ["CAlC", "C%(123)C", "N<-[Pt]", "[C", "C C", "C−C", ""]
    assert round_trip(nb.RegexVocab([], getattr(nb, pattern)), texts) == texts
    assert nb.regex_tokenize("CAlC", re.compile(nb.SMILE_REGEX)) == ["C", "A", "l", "C"]


def test_b08_mapping_pattern_keeps_every_element(nb: Any) -> None:
    texts = ["[Na+]", "[Si]", "c1cc[se]c1", "[Fe]", *(f"[{element}]" for element in ELEMENTS)]
    assert round_trip(nb.RegexVocab([], nb.MAPPING_REGEX), texts) == texts


def test_b09_attachment_points_of_any_number_are_one_token(nb: Any) -> None:
    pattern = getattr(nb, "MAPPING_PATTERN", nb.MAPPING_REGEX)  # the notebook's constant stays as it is
    for point in ("[1*:1]", "[10*:1]", "[1*:10]", "[*:1]", "[12*:345]", "[2*]", "[*]"):
        assert nb.regex_tokenize(f"C{point}Br", re.compile(pattern)) == ["C", point, "Br"]


@pytest.mark.parametrize("replacements", ["HALOGEN_REPLACE", "MAPPING_REPLACE"])
def test_b10_replacement_characters_do_not_collide(nb: Any, replacements: str) -> None:
    texts = [
        *(f"[{element}]" for element in ELEMENTS),
        "C[Br]Cl",
        "[1*:1]C[2*:5]",
        *getattr(nb, replacements).values(),
    ]
    vocab = nb.CharacterReplaceVocab([], getattr(nb, replacements))
    assert round_trip(vocab, texts) == texts
    vocab = nb.CharacterReplaceVocab([*nb.SMILES_CHAR_VOCAB, "u"], nb.HALOGEN_REPLACE)
    assert vocab.tokenize("CC[Br]") == ["bos", "C", "C", "[", "R", "]", "eos"]
    ids = vocab.numericalize(vocab.tokenize("[Ru]"))
    assert ids.count(vocab.stoi["unk"]) == 1  # the R of the text is not the R that means Br
    assert round_trip(vocab, ["[Ru]"]) == ["[Ru]"]


def test_b11_replacing_is_one_pass_and_the_longest_match_wins(nb: Any) -> None:
    assert nb.tokenize_with_replacements("BrC", {"Br": "R", "RC": "Q"}) == ["R", "C"]
    assert nb.tokenize_with_replacements("AAA", {"A": "B", "AA": "D"}) == ["D", "B"]
    swapped = nb.CharacterReplaceVocab([], {"C": "N", "N": "C"})
    assert swapped.tokenize("CNN") == ["bos", "N", "C", "C", "eos"]
    assert round_trip(swapped, ["CNN"]) == ["CNN"]


def test_b12_patterns_of_mrl_have_no_line_break(nb: Any) -> None:
    for ours, theirs, blanks in (("SMILES_PATTERN", nb.SMILE_REGEX, 17), ("MAPPING_PATTERN", nb.MAPPING_REGEX, 20)):
        pattern = getattr(nb, ours, theirs)  # the notebook's constants stay as they are
        text = "\n" + " " * blanks + "#"
        assert nb.regex_tokenize(text, re.compile(pattern)) == list(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a pattern in a literal that is not raw
        compile(nb.source, "source", "exec")
    assert nb.regex_tokenize("C#N", re.compile(nb.SMILE_REGEX)) == ["C", "#", "N"]


def test_b13_padding_and_unknown_do_not_leak_into_text(nb: Any) -> None:
    vocab = nb.CharacterVocab(["C"])
    pad, unk, carbon = (vocab.stoi[token] for token in ("pad", "unk", "C"))
    assert vocab.reconstruct([carbon, pad, pad]) == "C"
    assert vocab.reconstruct([carbon, unk, carbon]) == "C\ufffdC"
    assert vocab.reconstruct([carbon, unk, carbon], unk="?") == "C?C"


def test_b14_wrong_ids_and_duplicate_tokens_are_errors(nb: Any) -> None:
    vocab = nb.CharacterVocab(["C"])
    for wrong in (-1, 5):
        with pytest.raises(TokenIdError, match=f"id {wrong} .* 0 to 4"):
            vocab.reconstruct([wrong])
    with pytest.raises(DuplicateTokenError, match="'C' is given twice"):
        nb.Vocab(["C", "C"])


def test_b15_padding_can_be_left_out_of_a_loss(nb: Any) -> None:
    texts, vocab = carbons(nb, 2)
    ds = nb.TextDataset(texts, vocab)
    x, y = ds.collate_function([ds[0], ds[1]])
    assert x.shape == y.shape == (2, 4)
    assert (y[:, -1] == vocab.stoi["pad"]).all()  # as in the notebook
    batch = next(iter(ds.dataloader(2, num_workers=0, output="dict")))
    c = vocab.stoi["C"]
    assert batch["labels"].tolist() == [[0, c, 1, -100], [0, c, c, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert batch["lengths"].tolist() == [3, 4]


@pytest.mark.parametrize("batch_first", [True, False])
def test_b16_x_and_y_share_no_memory(nb: Any, batch_first: bool) -> None:
    rows = [torch.tensor([0, 4, 5, 1]), torch.tensor([0, 1])]
    x, y = nb.lm_collate(rows, 2, batch_first)
    before = y.clone()
    x[:] = 99
    assert torch.equal(y, before)
    (x, _), y = nb.vector_reconstruction_collate([(torch.zeros(1), row) for row in rows], 2, batch_first)
    x[:] = 99
    assert torch.equal(y, before)


def test_b17_several_targets_are_a_matrix(nb: Any) -> None:
    texts, vocab = carbons(nb, 2)
    makers: list[Callable[[Any], Any]] = [
        lambda y: nb.TextPredictionDataset(texts, y, vocab),
        lambda y: nb.Vec_Prediction_Dataset(texts, y, ones),
    ]
    for make in makers:
        ds = make(np.arange(6.0).reshape(2, 3))
        _, y = ds.collate_function([ds[0], ds[1]])
        assert y.tolist() == [[0, 1, 2], [3, 4, 5]]
        ds = make([0.5, None])
        _, y = ds.collate_function([ds[0], ds[1]])
        assert y[0] == 0.5
        assert y[1].isnan()
    ds = nb.TextPredictionDataset(texts, [7, None], vocab, y_dtype=torch.int64)
    assert ds.collate_function([ds[0], ds[1]])[1].tolist() == [7, -100]


def ones(text: str) -> list[int]:
    return [1] * 3


def test_b18_a_number_becomes_a_vector_of_length_one(nb: Any) -> None:
    ds = nb.Vector_Dataset(["C", "CCC"], len)
    assert ds[1].tolist() == [3]
    assert nb.vector_collate([ds[0], ds[1]]).tolist() == [[1], [3]]


def test_b19_columns_of_any_kind_and_errors_with_their_row(nb: Any) -> None:
    vocab = nb.CharacterVocab(["C", "O"])
    table = pd.DataFrame({"smiles": ["C", "O", "CO"], "y": [1.0, 2.0, 3.0]}).drop(index=0)  # an index with a gap
    ds = nb.TextPredictionDataset(table.smiles, table.y, vocab)
    assert [(ids.tolist(), float(y)) for ids, y in (ds[0], ds[1])] == [([0, 5, 1], 2), ([0, 4, 5, 1], 3)]
    holes = pd.Series(["C", float("nan"), "O"])
    readers: list[Callable[[], Any]] = [
        lambda: nb.TextDataset(holes, vocab)[1],
        lambda: vocab.update_vocab_from_data(holes),
    ]
    for read in readers:
        with pytest.raises(ValueError, match=r"row 1 of column 'smiles' is nan.*dropna"):
            read()
    with pytest.raises(ValueError, match="smiles has 3, y_vals has 2"):
        nb.TextPredictionDataset(["C", "O", "CO"], [1, 2], vocab)


def test_b20_new_keeps_the_configuration_of_a_subclass(nb: Any) -> None:
    class Prefixed(nb.TextDataset):  # type: ignore[misc]
        def __init__(self, smiles: Any, vocab: Any, prefix: str = "") -> None:
            super().__init__(smiles, vocab)
            self.prefix = prefix

    texts, vocab = carbons(nb, 3)
    ds = Prefixed(texts, vocab, "N")
    new = ds.new(["CC"])
    assert (type(new), new.prefix, new.collate_function) == (Prefixed, "N", ds.collate_function)
    unlabelled = nb.TextPredictionDataset(texts, [1, 2, 3], vocab).new(["C", "CC"])
    assert np.isnan([float(unlabelled[i][1]) for i in range(2)]).all()


def test_b21_empty_batches_have_a_shape_and_lists_are_accepted(nb: Any) -> None:
    assert nb.batch_sequences([], 2).shape == (0, 1)
    assert nb.batch_sequences([[0, 4, 1], [0, 1]], 2).tolist() == [[0, 4, 1, 2], [0, 1, 2, 2]]
    x, y = nb.lm_collate([], 2)
    assert (len(x), len(y)) == (0, 0)


def test_b22_an_invalid_molecule_is_named_and_need_not_stop_the_run(nb: Any) -> None:
    def atoms(text: str) -> list[int]:
        return [nb.to_mol(text).GetNumAtoms()]

    texts = ["CC", "C(", "CCC"]
    ds = nb.Vector_Dataset(texts, atoms)
    with pytest.raises(FeatureError, match=r"row 1.*'C\('.*on_error='drop'"):
        nb.vector_collate([ds[i] for i in range(3)])
    dropped = nb.Vector_Dataset(texts, atoms, on_error="drop")
    assert nb.vector_collate([dropped[i] for i in range(len(dropped))]).tolist() == [[2], [3]]
    assert dropped.kept.tolist() == [0, 2]
    assert [(row, text) for row, text, _, _ in dropped.rejects] == [(1, "C(")]
    masked = nb.Vector_Dataset(texts, atoms, on_error="mask")
    assert masked.ok.tolist() == [True, False, True]
    assert [row.isnan().item() for row in (masked[i] for i in range(3))] == [False, True, False]


def test_b23_a_small_dataset_starts_no_process_and_takes_any_collate_function(
    nb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ncpus", raising=False)
    texts, vocab = carbons(nb, 256)
    assert nb.TextDataset(texts, vocab).dataloader(16).num_workers == 0
    batch = next(iter(nb.TextDataset(texts, vocab).dataloader(16, num_workers=0, collate_fn=list)))
    assert [len(row) for row in batch] == list(range(3, 19))


def test_b24_the_empty_text_is_not_a_molecule_and_has_a_reason_of_its_own(nb: Any) -> None:
    with pytest.raises(MoleculeError, match="empty"):
        nb.to_mol("")
    with pytest.raises(MoleculeError, match="syntax"):
        nb.to_mol("C(")
    rejects = nb.Vector_Dataset(["", "C(", "C"], lambda text: nb.to_mol(text).GetNumAtoms(), on_error="drop").rejects
    assert [reason.partition(":")[0] for _, _, _, reason in rejects] == ["empty", "syntax"]


def test_every_fault_has_its_test() -> None:
    numbers = sorted(int(name[6:8]) for name in globals() if re.match(r"test_b\d\d_", name))
    assert numbers == list(range(1, 25))
