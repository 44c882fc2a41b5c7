"""Tokenizing: text to ids and back."""

from __future__ import annotations

import os

from measuring import Contestant, compare, peer

from mrl.ragged import Text
from mrl.text import SMILE_REGEX, RegexVocab
from notebook import PlainVocab

SLOW = 20_000  # rows for contestants that would take minutes


def text(smiles: list[str]) -> None:
    """Encode and decode with a regex vocabulary."""
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    n, ids, flat = len(smiles), vocab.encode(smiles), Text.of(smiles)
    some = smiles[:SLOW]
    plain = PlainVocab(vocab.itos)
    assert [row.tolist() for row in ids[:SLOW]] == [plain.encode(one) for one in some]
    for threads in (1, 2):
        assert (vocab.encode(flat, threads=threads).values == ids.values).all()
    compare(
        "Encode: molecules in a list of str to ids",
        [
            Contestant("mrl, 1 thread", lambda: vocab.encode(smiles), n),
            Contestant("mrl, 1 thread, flat text (as data sets keep it)", lambda: vocab.encode(flat), n),
            Contestant("the notebook's code", lambda: [plain.encode(one) for one in some], len(some)),
            *huggingface(vocab, smiles, some),
            *smirk(some),
        ],
    )
    for name, source in (("a list of str", smiles), ("flat text", flat)):
        compare(
            f"Encode with two threads of {os.cpu_count()} CPUs: {name}",
            [
                Contestant("mrl, 2 threads", lambda source=source: vocab.encode(source, threads=2), n),
                Contestant("mrl, 1 thread", lambda source=source: vocab.encode(source), n),
            ],
        )

    rows = ids.tolist()[:SLOW]
    assert vocab.decode(ids) == smiles
    assert [plain.decode(row) for row in rows] == some
    compare(
        "Decode: ids to a list of str",
        [
            Contestant("mrl", lambda: vocab.decode(ids), n),
            Contestant("mrl, decode_bytes (flat, no Python strings)", lambda: vocab.decode_bytes(ids), n),
            Contestant("the notebook's code", lambda: [plain.decode(row) for row in rows], len(rows)),
        ],
    )


def huggingface(vocab: RegexVocab, smiles: list[str], some: list[str]) -> list[Contestant]:
    """HuggingFace tokenizers: the same pattern, the same tokens, all its threads."""
    if (version := peer("tokenizers")) is None:
        return []
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({token: i for i, token in enumerate(vocab.itos)}, unk_token="unk"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(SMILE_REGEX), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing("bos $A eos", special_tokens=[("bos", 0), ("eos", 1)])
    assert [one.ids for one in tokenizer.encode_batch_fast(some)] == [row.tolist() for row in vocab.encode(some)]
    part = smiles[: 3 * SLOW]
    name = f"tokenizers {version}, all its threads"
    return [Contestant(name, lambda: tokenizer.encode_batch_fast(part), len(part))]


def smirk(some: list[str]) -> list[Contestant]:
    """smirk: its own closed vocabulary."""
    if (version := peer("smirk")) is None:
        return []
    from smirk import SmirkTokenizerFast

    tokenizer = SmirkTokenizerFast()
    return [Contestant(f"smirk {version}", lambda: tokenizer(some), len(some))]
