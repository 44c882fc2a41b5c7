"""The model: its weights come from its seed alone, and its file holds exactly them, whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import pickle
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mrl.errors import ReadError, StateError
from mrl.files import seal
from mrl.lm import LanguageModel, ModelConfig, SequenceModel, Transformer, TransformerConfig, accelerator
from mrl.nn import write_tensors
from mrl.text import CharacterVocab

KIND: dict[str, Any] = {"format": "mrl-language-model", "version": 2}
VOCAB = CharacterVocab(["C", "O", "N", "(", ")", "="])


def small(seed: int = 0, **sizes: int) -> LanguageModel:
    return LanguageModel(ModelConfig.for_vocab(VOCAB, **({"embedding": 3, "hidden": 4} | sizes)), seed=seed)


def weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_logits_of_a_text_in_pieces_are_those_of_the_whole() -> None:
    model = small(layers=2)
    x = torch.tensor([[0, 4, 5, 6, 1], [0, 7, 8, 9, 1]])
    whole, last = model(x)
    assert whole.shape == (2, 5, 10)
    assert last.hidden.shape == last.cell.shape == (2, 2, 4)
    first, state = model(x[:, :2])
    rest, _ = model(x[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, rest], 1), whole)


def test_no_position_sees_what_follows() -> None:
    model = small()
    a, _ = model(torch.tensor([[0, 4, 5, 1]]))
    b, _ = model(torch.tensor([[0, 4, 6, 2]]))
    torch.testing.assert_close(a[:, :2], b[:, :2])
    assert not torch.allclose(a[:, 2], b[:, 2])


@given(st.integers(0, 2**63 - 1) | st.just(10**30))
@settings(max_examples=20, deadline=None)
def test_the_seed_decides_the_weights(seed: int) -> None:
    assert same(weights(small(seed)), weights(small(seed)))
    assert not same(weights(small(seed)), weights(small(seed ^ 1)))


def test_weights_are_on_the_cpu_and_finite_whatever_the_default_device() -> None:
    with torch.device("meta"):
        model = small()
    assert all(tensor.device.type == "cpu" and tensor.isfinite().all() for tensor in weights(model).values())
    assert model.device == torch.device("cpu")


def test_making_saving_and_loading_leave_the_global_random_states_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state(), random.getstate(), pickle.dumps(np.random.get_state())  # noqa: NPY002
    small().save(tmp_path / "m")
    LanguageModel.load(tmp_path / "m")
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert before[1:] == (random.getstate(), pickle.dumps(np.random.get_state()))  # noqa: NPY002


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"hidden": 0}, "hidden is 0; expected an integer of 1 or more"),
        ({"layers": -1}, "layers is -1"),
        ({"embedding": 2.0}, "embedding is 2.0"),
        ({"hidden": True}, "hidden is True"),
    ],
)
def test_an_invalid_size_raises(sizes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ModelConfig.for_vocab(VOCAB, **sizes)


def test_a_vocabulary_of_special_tokens_only_raises() -> None:
    with pytest.raises(ValueError, match="vocab_size is 4; expected an integer of 5 or more"):
        ModelConfig.for_vocab(CharacterVocab([]))


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_saved_model_comes_back_exactly_and_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    model = small(layers=2)
    model.save(tmp_path / "new" / "m.safetensors")
    back = LanguageModel.load(tmp_path / "new" / "m.safetensors", VOCAB)
    assert back.config == model.config
    assert same(weights(back), weights(model))
    back.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "new" / "m.safetensors").read_bytes()


def metadata_of(path: Path) -> str:
    with safe_open(path, "pt") as file:
        return str(file.metadata()["mrl-language-model"])


def test_any_program_can_read_what_the_file_is(tmp_path: Path) -> None:
    small().save(tmp_path / "m")
    assert sorted(load_file(tmp_path / "m"))[0] == "embedding.weight"
    about = json.loads(metadata_of(tmp_path / "m"))
    assert about["version"] == 2
    assert about["config"]["vocab_size"] == 10
    assert about["config"]["vocab_fingerprint"] == VOCAB.fingerprint()


def test_a_vocabulary_that_has_grown_still_fits_and_any_other_raises(tmp_path: Path) -> None:
    small().save(tmp_path / "m")
    grown = CharacterVocab([*VOCAB.itos[4:], "S"])
    assert LanguageModel.load(tmp_path / "m", grown).config.vocab_size == 10
    for other in (CharacterVocab(["C", "O"]), CharacterVocab(["O", "C", *VOCAB.itos[6:]])):
        with pytest.raises(StateError, match=r"10 tokens.*load the vocabulary that was saved") as caught:
            LanguageModel.load(tmp_path / "m", other)
        assert caught.value.differs == ("vocab_fingerprint",)


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "m"
    small(embedding=1, hidden=1).save(path)
    good = path.read_bytes()
    for i in range(len(good)):
        path.write_bytes(good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :])
        with pytest.raises(ReadError):
            LanguageModel.load(path)
    for length in (0, 1, 8, 100, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(ReadError, match="not a complete safetensors file"):
            LanguageModel.load(path)


def test_files_of_other_programs_and_versions_raise(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_text("smiles\nCCO\n")
    with pytest.raises(ReadError, match="not a complete safetensors file") as caught:
        LanguageModel.load(path)
    assert caught.value.path == str(path)
    save_file({"a": torch.zeros(3)}, path)
    with pytest.raises(ReadError, match="another program wrote it"):
        LanguageModel.load(path)
    newer = {"format": "mrl-language-model", "version": 3, "config": {}}
    save_file({"a": torch.zeros(3)}, path, {"mrl-language-model": seal(newer).decode()})
    with pytest.raises(ReadError, match="version is 3 and this mrl reads 2; update mrl"):
        LanguageModel.load(path)
    small().save(path)
    tensors, metadata = load_file(path), {"mrl-language-model": metadata_of(path)}
    save_file(tensors | {"head.bias": torch.zeros(10)}, path, metadata)
    with pytest.raises(ReadError, match="its tensors do not match their sha256, so they were damaged or edited"):
        LanguageModel.load(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        LanguageModel.load(tmp_path / "nowhere")


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m"
    small(1).save(path)
    old = path.read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, interrupted)
            with pytest.raises(KeyboardInterrupt):
                small(2).save(path)
        assert path.read_bytes() == old
        assert list(tmp_path.iterdir()) == [path]
    assert same(weights(LanguageModel.load(path)), weights(small(1)))


def _save_forever(path: Path) -> None:
    models = [small(1, hidden=64), small(2, hidden=64)]
    while True:
        for model in models:
            model.save(path)


def test_a_process_killed_while_saving_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "m"
    small(1, hidden=64).save(path)
    for wait in (0.0, 0.003, 0.007):
        process = multiprocessing.get_context("fork").Process(target=_save_forever, args=(path,))
        with path.open("rb") as old:  # so that no new file gets its number
            process.start()
            for _ in range(10_000):
                if saved := not os.path.samestat(path.stat(), os.fstat(old.fileno())):
                    break
                time.sleep(0.001)
        assert saved
        time.sleep(wait)
        process.kill()
        process.join()
        assert weights(LanguageModel.load(path))["head.weight"].shape == (10, 64)


def test_weights_of_another_dtype_come_back_as_they_were(tmp_path: Path) -> None:
    model = small().double()
    model.save(tmp_path / "m")
    assert same(weights(LanguageModel.load(tmp_path / "m")), weights(model))


def test_a_model_pickles() -> None:
    model = small()
    back = pickle.loads(pickle.dumps(model))
    assert back.config == model.config
    assert same(weights(back), weights(model))


def test_the_accelerator_is_one_that_is_there() -> None:
    assert accelerator().type == ("cuda" if torch.cuda.is_available() else "cpu")


# --- forged files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forged", "words"),
    [
        ({"layers": 3_000_000}, "layers is 3000000; expected an integer of at most 512"),
        ({"hidden": 10**12}, "hidden is 1000000000000; expected an integer of at most 65,536"),
        ({"embedding": 10**30}, "embedding is 10+; expected an integer of at most 65,536"),
        ({"vocab_size": 10**9}, "vocab_size is 1000000000; expected"),
        ({"max_length": 10**9}, "max_length is 1000000000; expected"),
        ({"condition": -1}, "condition is -1; expected"),
        ({"hidden": 65536}, "size mismatch"),
        ({"layers": 512}, "Missing key"),
        ({"hidden": "4"}, "hidden is '4'"),
        ({"beauty": 1}, "unexpected keyword argument 'beauty'"),
    ],
)
def test_a_forged_file_is_refused_before_memory_is_used_for_it(
    forged: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "m"
    model = small()
    config = dataclasses.asdict(model.config) | forged
    write_tensors(path, model.state_dict(), {"kind": "lstm", "config": config, "about": {}}, **KIND)
    with pytest.raises(ReadError, match=words):
        LanguageModel.load(path)


def test_weights_of_several_types_and_facts_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m"
    model = small()
    document = {"kind": "lstm", "config": dataclasses.asdict(model.config), "about": {}}
    mixed = model.state_dict() | {"head.bias": model.head.bias.double()}
    for tensors, about in ((mixed, {}), (model.state_dict(), True)):
        write_tensors(path, tensors, document | {"about": about}, **KIND)
        with pytest.raises(ReadError, match="save the model again"):
            LanguageModel.load(path)
    model.double().save(path)
    assert LanguageModel.load(path).head.bias.dtype == torch.float64


def test_a_file_of_another_kind_of_model_raises(tmp_path: Path) -> None:
    config = TransformerConfig.for_vocab(VOCAB, width=8, heads=2, layers=1)
    Transformer(config).save(tmp_path / "t")
    assert type(SequenceModel.load(tmp_path / "t")) is Transformer
    with pytest.raises(ReadError, match="a model of the kind 'transformer'; expected lstm"):
        LanguageModel.load(tmp_path / "t")
    model = small()
    write_tensors(tmp_path / "m", model.state_dict(), {"kind": "mamba"}, **KIND)
    with pytest.raises(ReadError, match=r"a model of the kind 'mamba'; expected .*lstm, transformer"):
        SequenceModel.load(tmp_path / "m")


@pytest.mark.parametrize("heads", [3, 8])
def test_heads_that_do_not_fit_the_width_raise(heads: int) -> None:
    with pytest.raises(
        ValueError, match=f"width is 8 and heads is {heads}; expected a width that is a multiple of twice"
    ):
        TransformerConfig.for_vocab(VOCAB, width=8, heads=heads)


def test_facts_and_the_length_limit_are_saved_with_the_weights(tmp_path: Path) -> None:
    model = small(max_length=60)
    model.about["trained_on"] = {"file": "a.csv", "molecules": 12}
    model.save(tmp_path / "m")
    back = LanguageModel.load(tmp_path / "m")
    assert back.about == model.about
    assert back.config.max_length == 60
