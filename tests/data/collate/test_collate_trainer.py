"""Models of HuggingFace trained by its Trainer: masked tokens by its own collator, and prompts of control tokens."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import mrl
from mrl.data import ConditionalDataset, dict_collate

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def one_thread_and_seed() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def train(model: Any, rows: Any, collator: Any, folder: Path, steps: int) -> list[float]:
    """Train a model; return the losses."""
    args = transformers.TrainingArguments(
        str(folder),
        max_steps=steps,
        per_device_train_batch_size=16,
        learning_rate=3e-3,
        logging_steps=steps // 10,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        remove_unused_columns=False,
    )
    trainer = transformers.Trainer(model, args, train_dataset=rows, data_collator=collator)
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def test_bert_learns_from_masks_that_change_each_epoch(tmp_path: Path) -> None:
    smiles = mrl.load_sample().smiles.tolist()[:640]
    vocab = mrl.SmilesVocab.from_data(smiles, control=("mask", "cls", "sep"))
    tokenizer = vocab.to_huggingface()
    rows = [{"input_ids": tokenizer(text)["input_ids"]} for text in smiles]
    assert [row["input_ids"] for row in rows] == vocab.encode(smiles).tolist()
    collator = transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    masks: dict[tuple[int, ...], list[tuple[bool, ...]]] = {}

    def collate(batch: Any) -> Any:
        made = collator(batch)
        for row, labels in zip(batch, made["labels"], strict=True):
            ids = tuple(row["input_ids"])
            masks.setdefault(ids, []).append(tuple((labels[: len(ids)] != -100).tolist()))
        return made

    config = transformers.BertConfig(
        vocab_size=len(vocab), hidden_size=48, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96
    )
    losses = train(transformers.BertForMaskedLM(config), rows, collate, tmp_path, steps=200)
    assert losses[-1] < 0.7 * losses[0]
    seen = [own for own in masks.values() if len(own) > 1]
    assert len(seen) > 600  # 200 batches of 16 rows are five epochs
    assert sum(len(set(own)) == 1 for own in seen) < 0.02 * len(seen)
    assert not any(mask[0] or mask[-1] for own in seen for mask in own)  # bos and eos are never hidden


def test_gpt_generates_by_control_token(tmp_path: Path) -> None:
    smiles = mrl.load_sample().smiles.tolist()[:640]
    vocab = mrl.SmilesVocab.from_data(smiles, control=("<polar>", "<apolar>"))

    def count(text: str) -> int:
        return sum(text.count(symbol) for symbol in "NnOo")

    prompts = ["<polar>" if count(text) > 4 else "<apolar>" for text in smiles]
    ds = ConditionalDataset(smiles, prompts, vocab, prompts="control")
    config = transformers.GPT2Config(
        vocab_size=len(vocab),
        n_positions=256,
        n_embd=64,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        resid_pdrop=0,
        embd_pdrop=0,
        attn_pdrop=0,
    )
    model = transformers.GPT2LMHeadModel(config)
    collator = partial(dict_collate, only=("input_ids", "attention_mask", "labels"))
    losses = train(model, ds, collator, tmp_path, steps=300)
    assert losses[-1] < 0.8 * losses[0]
    means = {}
    for name in ("<polar>", "<apolar>"):
        prompt = torch.tensor([[0, vocab.control[name]]] * 200)
        ids = model.eval().generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=True, max_new_tokens=60, pad_token_id=2
        )
        texts = vocab.decode(ids)
        assert not any("<" in text for text in texts)
        means[name] = sum(map(count, texts)) / len(texts)
    assert means["<polar>"] > means["<apolar>"] + 0.3, means
