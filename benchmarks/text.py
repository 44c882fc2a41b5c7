"""Tokenizing: text to ids and back."""

from __future__ import annotations

import os
import random
import re
import tempfile
from pathlib import Path

from measuring import Contestant, apart, compare, facts, peer, seconds

import mrl
from mrl.ragged import Text
from mrl.text import SMILE_REGEX, RegexVocab, SmilesVocab
from notebook import PlainVocab

SLOW = 20_000  # rows for contestants that would take minutes
MEGABYTE = 1_000_000
LEARNED = 80_000  # molecules that tokens of several pieces are learned on


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
            Contestant("mrl, 1 thread, flat text (as datasets keep it)", lambda: vocab.encode(flat), n),
            Contestant("the notebook's code", lambda: [plain.encode(one) for one in some], len(some), "40 x"),
            *huggingface(vocab, smiles, some),
            *smirk(some),
        ],
    )
    for name, source in (("a list of str", smiles), ("flat text", flat)):
        compare(
            f"Encode with two threads of {os.cpu_count()} CPUs: {name}",
            [
                Contestant("mrl, 2 threads", lambda source=source: vocab.encode(source, threads=2), n),
                Contestant("mrl, 1 thread", lambda source=source: vocab.encode(source), n, "1.7 x"),
            ],
        )

    trained, untrained = SmilesVocab.from_data(some), SmilesVocab()
    for one in (trained, untrained):
        assert one.decode(one.encode(smiles, on_unknown="raise")) == smiles
    compare(
        "Encode: byte fallback, so that no text is unknown",
        [
            Contestant("mrl, SmilesVocab", lambda: trained.encode(smiles), n),
            Contestant("mrl, regex vocabulary", lambda: vocab.encode(smiles), n, "0.75 x"),
        ],
    )
    compare(
        "Learn the tokens of a column",
        [
            Contestant("mrl, count_tokens", lambda: vocab.count_tokens(smiles), n),
            Contestant("mrl, encode", lambda: vocab.encode(smiles), n, "0.2 x"),
        ],
    )
    compare(
        "Encode: a megabyte in which look-aheads fail, which takes linear time",
        [
            Contestant("mrl, [[[[...", lambda: vocab.encode(["[" * MEGABYTE], on_unknown="unk"), MEGABYTE),
            Contestant("mrl, CCCC...", lambda: vocab.encode(["C" * MEGABYTE], on_unknown="unk"), MEGABYTE, "0.1 x"),
        ],
        "characters/s",
    )
    facts(
        "Tokens per molecule, bos and eos not counted",
        [
            (name, f"{len(one.encode(smiles).values) / n - 2:.1f}", "")
            for name, one in (
                ("regex vocabulary", vocab),
                ("SmilesVocab, frequent atoms learned", trained),
                ("SmilesVocab, untrained", untrained),
            )
        ]
        + smirk_tokens(some),
    )
    merges(smiles)
    facts(
        "In a new process, beyond the import",
        [
            (name, f"{1000 * apart(run, some):,.0f} ms", target)
            for name, run, target in (
                ("500 molecules", _few, "below 50 ms"),
                ("20,000 molecules, kernels cached", _many, "below 1,200 ms"),
                ("the table of a pattern", _table, "below 100 ms"),
            )
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
            Contestant("the notebook's code", lambda: [plain.decode(row) for row in rows], len(rows), "5 x"),
        ],
    )


def merges(smiles: list[str]) -> None:
    """Tokens of several pieces, learned on 80,000 molecules of muv and used on the others, and on other sets."""
    distinct = list(dict.fromkeys(smiles))
    learned = LEARNED if len(distinct) > LEARNED else len(distinct) * 6 // 7
    known, others = distinct[:learned], distinct[learned:]
    single = SmilesVocab.from_data(known)
    merged = SmilesVocab.from_data(known, merges=1024, max_size=1024)
    sets = {f"the other {len(others):,} molecules": others}
    folder = Path(os.environ.get("MRL_DATA", "nowhere"))
    for name in ("zinc250k.smi.gz", "qm9.csv.gz", "tox21.csv.gz"):
        if (folder / name).exists():
            sets[name.partition(".")[0]] = mrl.read(folder / name).smiles.tolist()
    rows = []
    many = 4 * others  # some milliseconds, so that other processes disturb the contestants alike
    contestants = [
        Contestant("mrl, 1,024 tokens, some of several pieces", lambda: merged.encode(many), len(many)),
        Contestant("mrl, SmilesVocab without merges", lambda: single.encode(many), len(many), "0.6 x"),
    ]
    gpe = None
    if (version := peer("smirk")) is not None:
        from smirk import train_gpe

        with tempfile.NamedTemporaryFile("w", suffix=".smi") as file:
            file.write("\n".join(known))
            file.flush()
            gpe = train_gpe([file.name], vocab_size=1024, split_structure=False)
        some = others[:SLOW]
        contestants.append(Contestant(f"smirk {version}, GPE", lambda: gpe(some), len(some), "100 x"))
    for name, texts in sets.items():
        ours, plain = (len(one.encode(texts).values) / len(texts) - 2 for one in (merged, single))
        rows.append((f"{name}: mrl, without merges", f"{plain:.2f}", ""))
        rows.append((f"{name}: mrl, 1,024 tokens", f"{ours:.2f}", ""))
        if gpe is not None:
            parts = (texts[k : k + SLOW] for k in range(0, len(texts), SLOW))
            theirs = sum(len(row) for part in parts for row in gpe(part, add_special_tokens=False)["input_ids"])
            theirs /= len(texts)
            rows.append((f"{name}: smirk {version}, GPE of 1,024 tokens", f"{theirs:.2f}", ""))
            rows.append((f"{name}: mrl to smirk", f"{ours / theirs:.3f} x", "at most 1.05 x"))
    facts(f"Tokens per molecule: tokens of several pieces, learned on {len(known):,} molecules", rows)
    sets["random Unicode"] = random_texts(100_000)
    rows = []
    for name, texts in sets.items():
        back = merged.decode(merged.encode(texts, on_unknown="raise"))
        changed = sum(a != b for a, b in zip(texts, back, strict=True))
        rows.append((name, f"{changed:,} of {len(texts):,} changed", "none"))
    whole = re.compile(r"([^\[\]]|\[[^\[\]]+\])*")
    cut = [token for token in merged.itos[merged.merging_from :] if not whole.fullmatch(token)]
    rows.append(("tokens of several pieces that cut a bracket atom", f"{len(cut)}", "none"))
    facts("Tokens of several pieces: what comes back", rows)
    compare("Encode: tokens of several pieces, molecules that were not learned from", contestants)


def random_texts(n: int) -> list[str]:
    """Return texts of random code points, about half of them characters of SMILES."""
    generator = random.Random(0)
    letters = "CNOSPFIBrcnosl[]()=#@+-/\\%0123456789.:*H"

    def character() -> str:
        point = generator.randrange(0x110000 - 0x800)  # all but the surrogates
        return generator.choice(letters) if generator.random() < 0.5 else chr(point + 0x800 * (point >= 0xD800))

    return ["".join(character() for _ in range(generator.randrange(40))) for _ in range(n)]


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
    return [Contestant(name, lambda: tokenizer.encode_batch_fast(part), len(part), "80 x")]


def smirk(some: list[str]) -> list[Contestant]:
    """smirk: its own vocabulary."""
    if (version := peer("smirk")) is None:
        return []
    from smirk import SmirkTokenizerFast

    tokenizer = SmirkTokenizerFast()
    return [Contestant(f"smirk {version}", lambda: tokenizer(some), len(some), "250 x")]


def smirk_tokens(some: list[str]) -> list[tuple[str, str, str]]:
    """The number of tokens of smirk, which has its own pieces."""
    if peer("smirk") is None:
        return []
    from smirk import SmirkTokenizerFast

    made = SmirkTokenizerFast()(some)["input_ids"]
    return [("smirk", f"{sum(map(len, made)) / len(some):.1f}", "")]


def _few(some: list[str]) -> float:
    return seconds(lambda: RegexVocab(list("CcNnOo1234()=#"), SMILE_REGEX).encode(some[:500], on_unknown="unk"))[0]


def _many(some: list[str]) -> float:
    return seconds(lambda: RegexVocab(list("CcNnOo1234()=#"), SMILE_REGEX).encode(some, on_unknown="unk"))[0]


def _table(some: list[str]) -> float:
    vocab = RegexVocab(list("CcNnOo1234()=#"), SMILE_REGEX)
    return seconds(lambda: vocab.engine)[0]
