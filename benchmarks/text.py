"""Tokenizing: text to ids and back."""

from __future__ import annotations

import importlib.util
import re

from measuring import Measured, rate, show

from mrl.text import SMILE_REGEX, RegexVocab

SLOW = 20_000  # rows for contestants that would take minutes


def text(smiles: list[str]) -> None:
    """Encode and decode with a regex vocabulary."""
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    ids = vocab.encode(smiles)
    some = smiles[:SLOW]
    plain = PlainVocab(vocab.itos)
    assert [row.tolist() for row in ids[:SLOW]] == [plain.encode(one) for one in some]
    results = [
        rate("mrl, 1 thread", lambda: vocab.encode(smiles), len(smiles)),
        rate("mrl, 2 threads", lambda: vocab.encode(smiles, threads=2), len(smiles)),
        rate("findall and a dictionary, as in the notebook", lambda: [plain.encode(one) for one in some], len(some)),
        *huggingface(vocab, smiles, some),
        *smirk(some),
    ]
    show("encode: list of str to ids", results)

    rows = ids.tolist()[:SLOW]
    assert vocab.decode(ids) == smiles
    assert [plain.decode(row) for row in rows] == some
    show(
        "decode: ids to list of str",
        [
            rate("mrl", lambda: vocab.decode(ids), len(smiles)),
            rate("mrl, decode_bytes (flat, no Python strings)", lambda: vocab.decode_bytes(ids), len(smiles)),
            rate("a loop over tokens, as in the notebook", lambda: [plain.decode(row) for row in rows], len(rows)),
        ],
    )


class PlainVocab:
    """The notebook's way, on the same tokens."""

    def __init__(self, itos: list[str]) -> None:
        self.itos = itos
        self.stoi = {token: i for i, token in enumerate(itos)}
        self.regex = re.compile(SMILE_REGEX)

    def encode(self, smiles: str) -> list[int]:
        output = []
        for token in ["bos", *self.regex.findall(smiles), "eos"]:
            if token in self.stoi.keys():  # noqa: SIM118  as it was
                output.append(self.stoi[token])
            else:
                output.append(self.stoi["unk"])
        return output

    def decode(self, ids: list[int]) -> str:
        output = []
        for i in ids:
            token = self.itos[i]
            if token == "eos":
                break
            if token != "bos":
                output.append(token)
        return "".join(output)


def huggingface(vocab: RegexVocab, smiles: list[str], some: list[str]) -> list[Measured]:
    """HuggingFace tokenizers: the same pattern, the same tokens, all its threads."""
    if importlib.util.find_spec("tokenizers") is None:
        print("  (tokenizers is not installed: pip install '.[bench]')")
        return []
    import tokenizers
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({token: i for i, token in enumerate(vocab.itos)}, unk_token="unk"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(SMILE_REGEX), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing("bos $A eos", special_tokens=[("bos", 0), ("eos", 1)])
    assert [one.ids for one in tokenizer.encode_batch_fast(some)] == [row.tolist() for row in vocab.encode(some)]
    part = smiles[: len(smiles) // 4]
    return [
        rate(
            f"tokenizers {tokenizers.__version__}, all threads", lambda: tokenizer.encode_batch_fast(part), len(part), 3
        )
    ]


def smirk(some: list[str]) -> list[Measured]:
    """smirk: its own closed vocabulary."""
    if importlib.util.find_spec("smirk") is None:
        print("  (smirk is not installed: pip install '.[bench]')")
        return []
    from importlib.metadata import version

    from smirk import SmirkTokenizerFast

    tokenizer = SmirkTokenizerFast()
    return [rate(f"smirk {version('smirk')}", lambda: tokenizer(some), len(some), 3)]
