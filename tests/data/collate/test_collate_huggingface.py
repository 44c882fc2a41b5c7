"""Batches by name, as HuggingFace's models and Trainer take them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from mrl.data import ConditionalDataset, MaskedDataset, PackedDataset, PairDataset, TextDataset, dict_collate
from mrl.text import CharacterVocab

transformers = pytest.importorskip("transformers")

VOCAB = CharacterVocab("CON=")
SMILES = ["C", "CO", "NN", "C=O"] * 4
SIZE = {"vocab_size": len(VOCAB), "pad_token_id": 2}
STRICT = ("input_ids", "attention_mask", "labels")  # the inputs that these models take


def causal() -> Any:
    config = transformers.GPT2Config(**SIZE, n_positions=16, n_embd=8, n_layer=1, n_head=2, loss_type="ForCausalLM")
    return transformers.GPT2LMHeadModel(config)


def masked() -> Any:
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    return transformers.BertForMaskedLM(transformers.BertConfig(**SIZE, **small, max_position_embeddings=16))


def to_text() -> Any:
    config = transformers.T5Config(
        **SIZE, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    return transformers.T5ForConditionalGeneration(config)


CASES: dict[str, tuple[Any, Any, Any]] = {
    "causal": (causal, TextDataset(SMILES, VOCAB), None),
    "packed": (causal, PackedDataset(SMILES, VOCAB, 16), None),
    "prompts": (causal, ConditionalDataset(SMILES, SMILES[::-1], VOCAB), None),
    "masked": (masked, MaskedDataset(SMILES, VOCAB, 0.5), STRICT),
    "pairs": (to_text, PairDataset(SMILES, SMILES[::-1], VOCAB), STRICT),
}


@pytest.mark.parametrize("case", CASES)
def test_models_take_batches(case: str) -> None:
    model, ds, only = CASES[case]
    batch = next(iter(ds.dataloader(4, collate_fn=partial(dict_collate, only=only))))
    torch.manual_seed(0)
    assert model()(**batch).loss.isfinite()


def test_a_model_shifts_the_labels_itself_and_so_has_the_loss_of_x_and_y() -> None:
    torch.manual_seed(0)
    model, ds = causal().eval(), TextDataset(SMILES, VOCAB)
    with torch.no_grad():
        output = model(**next(iter(ds.dataloader(16, output="dict"))))
        x, y = ds.batch()
        logits = model(x, attention_mask=(x != 2).long()).logits
        expected = torch.nn.functional.cross_entropy(logits.transpose(1, 2), y, ignore_index=2)
    assert torch.allclose(output.loss, expected, atol=1e-6)


def arguments(folder: Any, **settings: Any) -> Any:
    pytest.importorskip("accelerate")
    return transformers.TrainingArguments(
        str(folder), max_steps=2, per_device_train_batch_size=4, remove_unused_columns=False, report_to=[],
        use_cpu=True, disable_tqdm=True, save_strategy="no", **settings
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_trainer_takes_a_dataset_and_dict_collate(case: str, tmp_path: Any) -> None:
    model, ds, only = CASES[case]
    trainer = transformers.Trainer(
        model(), arguments(tmp_path), train_dataset=ds, data_collator=partial(dict_collate, only=only)
    )
    result = trainer.train()
    assert result.global_step == 2
    assert 0 < result.training_loss < 10


def test_rows_of_a_loader_in_the_trainer_are_augmented_anew_each_epoch(tmp_path: Any) -> None:
    ds = TextDataset(["CON"] * 8, VOCAB, augment=lambda text, key: text[key % 3 :] + text[: key % 3])
    loader = ds.dataloader(8, output="dict", shuffle=True)
    other = ds.dataloader(8, output="dict", shuffle=True)
    expected = [batch["input_ids"].tolist() for _ in range(2) for batch in other]
    seen: list[Any] = []

    class Ours(transformers.Trainer):  # type: ignore[misc, name-defined]
        def get_train_dataloader(self) -> Any:
            return loader

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(inputs["input_ids"].tolist())
            return super().compute_loss(model, inputs, *args, **kwargs)

    result = Ours(causal(), arguments(tmp_path), train_dataset=ds).train()
    assert result.global_step == len(seen) == 2
    assert seen == expected
    assert seen[0] != seen[1]


def test_only_selects_tensors_by_name() -> None:
    rows = TextDataset(SMILES, VOCAB).__getitems__([0])
    assert list(dict_collate(rows, only=("labels", "input_ids"))) == ["labels", "input_ids"]
    with pytest.raises(
        ValueError, match=r"only=\['weights'\] names tensors that this batch does not have; it has \['input_ids'"
    ):
        dict_collate(rows, only=("labels", "weights"))
