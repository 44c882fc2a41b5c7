"""The notebook's asserts and the promises of its prose, rewritten, on molecules that are not the notebook's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import mrl.dataloaders as nb
from mrl.chem import ECFP6, heavy_atoms, molwt, rings, to_mol, tpsa
from mrl.dataloaders import test_reconstruction  # at module level, where pytest collects tests

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
    "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O",
    "FC(F)(F)c1ccc(Br)cc1Cl",
    r"C/C=C\C#N",
    "[O-][N+](=O)c1ccc(I)cc1",
    "CSc1nc(N)c2ncn(C3CC3)c2n1",
    "O=S(=O)(N)c1ccc(P)cc1",
    "B(O)(O)c1ccccc1",
] * 4

CONSTANTS = [
    "SMILES_CHAR_VOCAB",
    "SPECIAL_TOKENS",
    "MAPPING_TOKENS",
    "HALOGEN_REPLACE",
    "MAPPING_REPLACE",
    "SMILE_REGEX",
    "MAPPING_REGEX",
]
SIGNATURES = {
    "tokenize_by_character": "input",
    "tokenize_with_replacements": "input replacement_dict",
    "regex_tokenize": "input regex",
    "Vocab": "itos",
    "CharacterVocab": "itos",
    "CharacterReplaceVocab": "itos replace_dict",
    "RegexVocab": "itos pattern",
    "test_reconstruction": "vocab inputs",
    "batch_sequences": "sequences pad_idx",
    "lm_collate": "batch pad_idx batch_first",
    "sequence_prediction_collate": "batch pad_idx batch_first",
    "vector_collate": "batch",
    "vector_reconstruction_collate": "batch pad_idx batch_first",
    "vector_prediction_collate": "batch",
    "BaseDataset": "collate_function",
    "TextDataset": "smiles vocab collate_function",
    "TextPredictionDataset": "smiles y_vals vocab collate_function",
    "Vector_Dataset": "smiles mol_function collate_function",
    "Vec_Recon_Dataset": "smiles vocab mol_function collate_function",
    "Vec_Prediction_Dataset": "smiles y_vals mol_function collate_function",
}
METHODS = {
    "Vocab.tokenize": "input",
    "CharacterVocab.tokenize": "input",
    "CharacterReplaceVocab.tokenize": "smile",
    "RegexVocab.tokenize": "smile",
    "Vocab.numericalize": "input",
    "Vocab.reconstruct": "input",
    "Vocab.update_vocab": "",
    "Vocab.update_vocab_from_data": "inputs",
    "BaseDataset.dataloader": "bs num_workers",
    "BaseDataset.split": "percent_valid",
    "BaseDataset.split_on_idxs": "train_idxs valid_idxs",
}


# --- names -------------------------------------------------------------------------------------------------------


def test_the_27_names() -> None:
    assert len({*CONSTANTS, *SIGNATURES}) == 27
    assert {*CONSTANTS, *SIGNATURES} <= set(nb.__all__)
    namespace: dict[str, Any] = {}
    exec("from mrl.dataloaders import *", namespace)
    assert namespace.keys() >= set(nb.__all__)
    # What its cells take from the modules that it imports at its top.
    assert {"np", "os", "partial", "pd", "re", "torch", "Dataset", "DataLoader", "to_device"} <= namespace.keys()


@pytest.mark.parametrize("name", [*SIGNATURES, *METHODS])
def test_argument_names_and_positions(name: str) -> None:
    thing: Any = nb
    for part in name.split("."):
        thing = getattr(thing, part)
    parameters = list(inspect.signature(thing).parameters.values())
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"]
    expected = (SIGNATURES | METHODS)[name].split()
    assert positional[: len(expected)] == expected
    assert all(p.default is not p.empty for p in parameters if p.name in positional[len(expected) :])


def test_defaults() -> None:
    for name in SIGNATURES:
        for parameter in inspect.signature(getattr(nb, name)).parameters.values():
            assert parameter.name != "batch_first" or parameter.default is True
            assert parameter.name != "collate_function" or name == "BaseDataset" or parameter.default is None
    assert inspect.signature(nb.BaseDataset.dataloader).parameters["num_workers"].default == -1


def test_pytest_does_not_collect_test_reconstruction(request: pytest.FixtureRequest) -> None:
    assert test_reconstruction is nb.test_reconstruction
    assert "test_reconstruction" not in {item.name for item in request.session.items}


# --- constants ---------------------------------------------------------------------------------------------------


def test_constants_are_the_notebooks_character_by_character() -> None:
    assert nb.SPECIAL_TOKENS == ["bos", "eos", "pad", "unk"]
    assert "".join(nb.SMILES_CHAR_VOCAB) == "#()+-/012345678=@BCFHINOPS[" + chr(92) + "]cilnors*:"
    assert {len(character) for character in nb.SMILES_CHAR_VOCAB} == {1}
    assert " ".join(nb.MAPPING_TOKENS) == ("[1*:1] [2*:1] [1*:2] [2*:2] [1*:3] [2*:3] [1*:4] [2*:4] [1*:5] [2*:5]")
    assert list(nb.HALOGEN_REPLACE.items()) == [("Br", "R"), ("Cl", "L")]
    assert list(nb.MAPPING_REPLACE.items()) == list(zip(nb.MAPPING_TOKENS, "ADEGJMQTUV", strict=True))


@pytest.mark.parametrize(
    ("name", "brackets", "blanks"),
    [("SMILE_REGEX", [r"\[[^\]]+]"], 17), ("MAPPING_REGEX", [r"\[.\*:.]", r"\[", r"\]"], 20)],
)
def test_patterns_alternative_by_alternative(name: str, brackets: list[str], blanks: int) -> None:
    atoms = ["Br?", "Cl?", *"NOSPFIbcnospH"]
    if name == "MAPPING_REGEX":  # here brackets are on both sides of the atoms
        brackets, atoms = brackets[:1], [*atoms, *brackets[1:]]
    broken = "\n" + " " * blanks + "#"  # the line break in the notebook's literal
    rest = [r"\(", r"\)", r"\.", "=", broken, "-", r"\+", "\\" * 2, r"\/", ":", "~", "@", r"\?", ">", "#", r"\*", r"\$"]
    assert getattr(nb, name) == "(" + "|".join([*brackets, *atoms, *rest, r"\%[0-9]{2}", "[0-9]"]) + ")"


# --- tokenizing --------------------------------------------------------------------------------------------------


def test_tokenizing_functions() -> None:
    smile, mapping = re.compile(nb.SMILE_REGEX), re.compile(nb.MAPPING_REGEX)
    assert nb.tokenize_by_character("CC[NH]CC") == ["C", "C", "[", "N", "H", "]", "C", "C"]
    assert nb.tokenize_by_character("CCC[Br]") == ["C", "C", "C", "[", "B", "r", "]"]
    halogens = {"Br": "R", "Cl": "L"}
    assert nb.tokenize_with_replacements("[Cl]CC[Br]", halogens) == ["[", "L", "]", "C", "C", "[", "R", "]"]
    assert nb.tokenize_with_replacements("CCC[Br]", nb.HALOGEN_REPLACE) == ["C", "C", "C", "[", "R", "]"]
    assert nb.regex_tokenize("CCC[Br]", smile) == ["C", "C", "C", "[Br]"]
    assert nb.regex_tokenize("ClC([O-])Br", smile) == ["Cl", "C", "(", "[O-]", ")", "Br"]
    assert nb.regex_tokenize("[1*:1]CCC[Br]", mapping) == ["[1*:1]", "C", "C", "C", "[", "Br", "]"]
    assert nb.regex_tokenize("C%12#N", smile) == ["C", "%12", "#", "N"]


def vocabularies() -> dict[str, nb.Vocab]:
    built: dict[str, nb.Vocab] = {
        "character": nb.CharacterVocab(nb.SMILES_CHAR_VOCAB),
        "replace": nb.CharacterReplaceVocab(nb.SMILES_CHAR_VOCAB, nb.HALOGEN_REPLACE),
        "regex": nb.RegexVocab(nb.SMILES_CHAR_VOCAB, nb.SMILE_REGEX),
    }
    built["regex"].update_vocab_from_data(SMILES)
    return built


@pytest.mark.parametrize("kind", ["character", "replace", "regex"])
def test_every_molecule_survives_the_round_trip(kind: str) -> None:
    assert nb.test_reconstruction(vocabularies()[kind], SMILES) == []


def test_vocabularies_put_begin_and_end_around_the_tokens() -> None:
    tokens = {kind: vocab.tokenize("CC[Br]") for kind, vocab in vocabularies().items()}
    assert tokens["character"] == ["bos", "C", "C", "[", "B", "r", "]", "eos"]
    assert tokens["replace"] == ["bos", "C", "C", "[", "R", "]", "eos"]
    assert tokens["regex"] == ["bos", "C", "C", "[Br]", "eos"]


def test_a_vocabulary_is_a_list_and_a_dictionary_of_tokens() -> None:
    vocab = nb.CharacterVocab(["C", "pad", "O"])
    assert vocab.special_tokens == ["bos", "eos", "pad", "unk"]
    assert vocab.itos == ["bos", "eos", "pad", "unk", "C", "O"]
    assert vocab.stoi == {"bos": 0, "eos": 1, "pad": 2, "unk": 3, "C": 4, "O": 5}
    assert vocab.numericalize(["bos", "C", "O", "N", "eos"]) == [0, 4, 5, 3, 1]
    assert list(vocab.unks) == ["N"]
    assert vocab.reconstruct([0, 4, 5, 1, 4, 4]) == "CO"  # stops at eos
    vocab.update_vocab()
    assert (vocab.itos[4:], vocab.stoi["N"], len(vocab.unks)) == (["C", "O", "N"], 6, 0)
    vocab.update_vocab_from_data(["CSF", "S"])
    assert vocab.itos[4:] == ["C", "O", "N", "S", "F"]


def test_replacement_characters_join_the_vocabulary() -> None:
    vocab = nb.CharacterReplaceVocab(["C", "R"], nb.HALOGEN_REPLACE)
    assert vocab.itos[4:] == ["C", "R", "L"]
    assert vocab.replace_dict == {"Br": "R", "Cl": "L"}
    assert vocab.reverse_dict == {"R": "Br", "L": "Cl"}
    assert vocab.reconstruct([0, 6, 4, 5, 1]) == "ClCBr"


def test_a_custom_vocabulary_overrides_three_methods() -> None:
    with pytest.raises(NotImplementedError, match="override tokenize"):
        nb.Vocab(["C"]).tokenize("C")

    class Reversed(nb.Vocab):
        def tokenize(self, input: str) -> list[str]:
            return ["bos", *input[::-1], "eos"]

        def numericalize(self, input: Any) -> list[int]:
            return [self.stoi.get(token, 3) for token in input]

        def reconstruct(self, input: Any) -> str:  # type: ignore[override]  # as the notebook writes it
            return super().reconstruct(input)[::-1]

    vocab = Reversed(nb.SMILES_CHAR_VOCAB)
    assert nb.test_reconstruction(vocab, SMILES) == []
    assert nb.test_reconstruction(vocab, ["CC", "CX"]) == [("CX", "C\ufffd")]
    ds = nb.TextDataset(SMILES, vocab)
    assert vocab.decode(ds.batch()[0]) == SMILES
    assert ds[0].tolist() == vocab.numericalize(vocab.tokenize(SMILES[0]))


# --- collate functions -------------------------------------------------------------------------------------------


def test_sequences_are_padded_to_one_more_than_the_longest() -> None:
    batch = nb.batch_sequences([torch.tensor([0, 4, 1]), torch.tensor([0, 1])], 2)
    assert batch.dtype == torch.int64
    assert batch.tolist() == [[0, 4, 1, 2], [0, 1, 2, 2]]


@pytest.mark.parametrize("batch_first", [True, False])
def test_collate_functions_with_literal_tensors(batch_first: bool) -> None:
    def turned(batch: torch.Tensor) -> list[list[int]]:
        return (batch if batch_first else batch.T).tolist()

    long, short = torch.tensor([0, 4, 1]), torch.tensor([0, 1])
    v, w = torch.tensor([0.5, 1.5]), torch.tensor([2.5, 3.5])
    one, two = torch.tensor([1.0]), torch.tensor([2.0])

    x, y = nb.lm_collate([long, short], 2, batch_first)
    assert (turned(x), turned(y)) == ([[0, 4, 1], [0, 1, 2]], [[4, 1, 2], [1, 2, 2]])

    x, y = nb.sequence_prediction_collate([(long, one), (short, two)], 2, batch_first)
    assert (turned(x), y.tolist()) == ([[0, 4, 1, 2], [0, 1, 2, 2]], [1, 2])

    (x, vectors), y = nb.vector_reconstruction_collate([(v, long), (w, short)], 2, batch_first)
    assert (turned(x), turned(y)) == ([[0, 4, 1], [0, 1, 2]], [[4, 1, 2], [1, 2, 2]])
    assert vectors.tolist() == [[0.5, 1.5], [2.5, 3.5]]

    assert nb.vector_collate([v, w]).tolist() == [[0.5, 1.5], [2.5, 3.5]]
    vectors, y = nb.vector_prediction_collate([(v, one), (w, two)])
    assert (vectors.tolist(), y.tolist()) == ([[0.5, 1.5], [2.5, 3.5]], [1, 2])


# --- datasets ----------------------------------------------------------------------------------------------------


def properties(smile: str) -> np.ndarray[Any, Any]:
    mol = to_mol(smile)
    return np.array([molwt(mol) / 500, tpsa(mol) / 100, rings(mol) / 5, heavy_atoms(mol) / 20])


VOCAB = nb.CharacterVocab(nb.SMILES_CHAR_VOCAB)
LABELS = [float(i) for i in range(len(SMILES))]
DATASETS: dict[str, Callable[[], Any]] = {
    "TextDataset": lambda: nb.TextDataset(SMILES, VOCAB),
    "TextPredictionDataset": lambda: nb.TextPredictionDataset(SMILES, LABELS, VOCAB),
    "Vector_Dataset": lambda: nb.Vector_Dataset(SMILES, properties),
    "Vec_Recon_Dataset": lambda: nb.Vec_Recon_Dataset(SMILES, VOCAB, ECFP6),
    "Vec_Prediction_Dataset": lambda: nb.Vec_Prediction_Dataset(SMILES, LABELS, ECFP6),
}


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_batches_splits_and_makes_new_datasets_of_its_class(name: str) -> None:
    ds = DATASETS[name]()
    assert issubclass(type(ds), nb.BaseDataset)
    assert issubclass(type(ds), torch.utils.data.Dataset)
    assert len(list(ds.dataloader(16))) == 3
    parts = ds.split(0.2)
    assert [len(part) for part in parts] == [32, 8]
    assert sum(len(part) for part in parts) == len(ds)
    assert sorted(text for part in parts for text in part.smiles) == sorted(SMILES)
    first, last = ds.split_on_idxs([0, 2], [1])
    assert (list(first.smiles), list(last.smiles)) == ([SMILES[0], SMILES[2]], [SMILES[1]])
    labels = [[7.0, 8.0]] if "Prediction" in name else []
    new = ds.new(["CO", "N"], *labels)
    assert (type(new), list(new.smiles), new.collate_function) == (type(ds), ["CO", "N"], ds.collate_function)
    assert getattr(new, "vocab", None) is getattr(ds, "vocab", None)
    assert getattr(new, "mol_function", None) is getattr(ds, "mol_function", None)
    if labels:
        assert [float(new[i][1]) for i in range(2)] == labels[0]


def test_text_dataset() -> None:
    ds = nb.TextDataset(np.array(SMILES, object), VOCAB)
    assert ds[1].dtype == torch.int64
    assert ds[1].tolist() == VOCAB.numericalize(VOCAB.tokenize(SMILES[1]))
    x, y = next(iter(ds.dataloader(16)))
    assert x.dtype == y.dtype == torch.int64
    assert x.shape == y.shape == (16, max(map(len, SMILES[:16])) + 2)
    assert (x[:, 1:] == y[:, :-1]).all()
    assert (y[:, -1] == VOCAB.stoi["pad"]).all()
    assert VOCAB.decode(x) == SMILES[:16]


def test_text_prediction_dataset() -> None:
    ds = nb.TextPredictionDataset(SMILES, [0] * len(SMILES), VOCAB)
    ids, target = ds[0]
    assert (ids.dtype, target.dtype, target.shape) == (torch.int64, torch.float32, (1,))
    x, y = next(iter(ds.dataloader(16)))
    assert x.shape == (16, max(map(len, SMILES[:16])) + 3)
    assert (y.dtype, y.shape) == (torch.float32, (16,))
    assert (y == torch.zeros(y.shape)).all()


def test_vector_dataset() -> None:
    ds = nb.Vector_Dataset(SMILES, properties)
    x = next(iter(ds.dataloader(16)))
    assert (x.dtype, x.shape) == (torch.float32, (16, 4))
    assert x[3].tolist() == ds[3].tolist() == torch.FloatTensor(properties(SMILES[3])).tolist()


def test_vector_reconstruction_dataset_returns_tokens_before_the_vector() -> None:
    ds = nb.Vec_Recon_Dataset(SMILES, VOCAB, ECFP6)
    vector, ids = ds[0]
    assert (vector.dtype, vector.shape, ids.dtype) == (torch.float32, (2048,), torch.int64)
    x, y = next(iter(ds.dataloader(16)))
    assert len(x) == 2
    assert x[0].dtype == torch.int64
    assert (x[1].dtype, x[1].shape) == (torch.float32, (16, 2048))
    assert (x[0][:, 1:] == y[:, :-1]).all()


def test_vector_prediction_dataset() -> None:
    ds = nb.Vec_Prediction_Dataset(SMILES, LABELS, ECFP6)
    x, y = next(iter(ds.dataloader(16)))
    assert (x.shape, x.dtype, y.dtype) == ((16, 2048), torch.float32, torch.float32)
    assert y.tolist() == LABELS[:16]
    assert x[5].tolist() == ECFP6(SMILES[5]).tolist()


def test_a_custom_collate_function() -> None:
    ds = nb.TextDataset(SMILES, VOCAB, partial(nb.lm_collate, pad_idx=2, batch_first=False))
    x, y = next(iter(ds.dataloader(16)))
    assert x.shape == y.shape == (max(map(len, SMILES[:16])) + 2, 16)
    assert (x[1:] == y[:-1]).all()
    size: Any = nb.TextDataset(SMILES, VOCAB, len).batch()
    assert size == len(SMILES)


def test_the_number_of_workers_can_be_given_and_is_bounded_by_ncpus(monkeypatch: pytest.MonkeyPatch) -> None:
    ds = nb.Vector_Dataset(["C"] * 50_000, properties, cache=None)
    assert ds.dataloader(16, num_workers=2).num_workers == 2
    for limit in (1, 0):
        monkeypatch.setenv("ncpus", str(limit))
        assert ds.dataloader(16).num_workers <= limit


def test_the_base_class_leaves_its_methods_to_subclasses() -> None:
    with pytest.raises(NotImplementedError):
        nb.BaseDataset(len).new()
